// Preflight: waits until there is something to work with, and says in one line what it waits for.
//
// An API server that does not answer and resource types that are not installed may both come; so the operator waits
// for them rather than giving up, alive but not ready.

internal import BucketSyncAPI
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime

/// Checks that the API server answers and knows our resource types.
struct Preflight: Sendable {
  let client: KubernetesClient
  let time: any TimeSource
  let logger: Logger

  /// Returns once everything is there.
  /// - Throws: `CancellationError`.
  func run() async throws {
    let backoff = Backoff(initial: .seconds(1), limit: .seconds(10))
    var told: String?
    var failures = 0
    while let obstacle = await obstacle() {
      try Task.checkCancellation()
      if told != obstacle { logger.warning("waiting: \(obstacle)") }
      told = obstacle
      failures += 1
      try await time.sleep(for: backoff.delay(afterFailures: failures))
    }
    if told != nil { logger.info("nothing is in the way any more") }
  }

  /// What keeps the operator from working, and the way out.
  private func obstacle() async -> String? {
    do {
      for type in [BucketSyncPolicy.resource, BucketSync.resource] where try await !client.serves(type) {
        return
          "the API server does not know \(type.plural).\(type.group); install the custom resource definitions: kubectl apply -f charts/bucket-sync/files/crds/ (servers before 1.25: with --validate=false)"
      }
      return nil
    } catch {
      return switch error {
      case .refused where error.isUnauthorized: "the API server does not accept the credentials: \(error)"
      case .refused where error.isForbidden: "the API server does not allow this user to look around: \(error)"
      default: "the API server does not answer: \(error)"
      }
    }
  }
}

/// A cache that is filled once the preflight has passed.
struct CacheAfterPreflight: CacheSource {
  let cache: any CacheSource
  let passed: Signal

  var name: String { cache.name }
  var isSynced: Bool { cache.isSynced }
  func waitUntilSynced() async throws { try await cache.waitUntilSynced() }

  func run() async throws {
    try await passed.wait()
    try await cache.run()
  }
}
