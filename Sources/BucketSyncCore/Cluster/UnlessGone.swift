// Requests for which "it does not exist" is an answer, not a failure.

import KubernetesClient

/// The result of `request`, or `nil` if what it is about does not exist.
func unlessGone<Value>(
  _ request: () async throws(APIError) -> Value
) async throws(APIError) -> Value? {
  do { return try await request() } catch {
    guard error.isNotFound else { throw error }
    return nil
  }
}

/// Deletes, with preconditions: an object that is gone, or is another one by now, needs no deleting.
func deleteUnlessChanged(_ request: () async throws(APIError) -> Void) async throws(APIError) {
  do { try await request() } catch {
    guard error.isNotFound || error.isConflict else { throw error }
  }
}
