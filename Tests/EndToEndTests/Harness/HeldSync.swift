// A sync that stays in mid-air for as long as a test needs it there.

import BucketSyncAPI

/// Two buckets, the first of which cannot be read for now.
struct HeldSync: Sendable {
  let endpoint: HoldableEndpoint
  let source: Bucket
  let destination: Bucket

  /// Lets the sync finish.
  func release() { endpoint.release() }
}

extension World {
  /// Prepares buckets between which a run will hang until it is released.
  func heldSync() async throws -> HeldSync {
    let endpoint = try await holdableEndpoint()
    let source = try await bucket("held", at: endpoint.endpoint)
    let destination = try await bucket("to", at: "B")
    try source.write("object", "content")
    endpoint.hold()
    return HeldSync(endpoint: endpoint, source: source, destination: destination)
  }

  /// A run between such buckets, still to be created.
  func run(_ name: String, _ sync: HeldSync) -> BucketSync { run(name, from: sync.source, to: sync.destination) }
}
