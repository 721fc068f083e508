// Waiting for objects to come into a state.

import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import Testing

extension World {
  /// Returns the object once it exists and `condition` holds for it.
  @discardableResult
  func wait<Object: KubernetesObject>(
    for type: Object.Type,
    _ name: String,
    _ what: String,
    within bound: Duration = .seconds(120),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: (Object) async throws -> Bool
  ) async throws -> Object {
    var last: Object?
    do {
      try await until("\(Object.resource.kind) \(name) \(what)", within: bound, sourceLocation: sourceLocation) {
        last = try await find(type, name)
        guard let last else { return false }
        return try await condition(last)
      }
    } catch let error as NeverHappened {
      let state = last.flatMap { try? String(decoding: JSON.encode($0), as: UTF8.self) } ?? "it does not exist"
      throw NeverHappened(description: "\(error.description); now: \(state)")
    }
    return try #require(last, sourceLocation: sourceLocation)
  }

  /// Returns the run once it has finished, however it ended.
  @discardableResult
  func finish(of run: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> BucketSync {
    try await wait(for: BucketSync.self, run, "has finished", sourceLocation: sourceLocation) { $0.isFinished }
  }

  /// Returns the run once it has finished, which must be with success.
  @discardableResult
  func success(of run: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> BucketSync {
    let finished = try await finish(of: run, sourceLocation: sourceLocation)
    try #require(
      finished.status?.result == .succeeded,
      "\(run): \(finished.status?.error ?? "-")",
      sourceLocation: sourceLocation
    )
    return finished
  }

  /// Returns the run once it has finished, which must be with a failure; and what it says about that.
  @discardableResult
  func failure(
    of run: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> (run: BucketSync, error: String) {
    let finished = try await finish(of: run, sourceLocation: sourceLocation)
    try #require(finished.status?.result == .failed, sourceLocation: sourceLocation)
    #expect(finished.condition("Failed")?.status == .yes, sourceLocation: sourceLocation)
    #expect(finished.condition("Complete")?.status != .yes, sourceLocation: sourceLocation)
    return (finished, try #require(finished.status?.error, sourceLocation: sourceLocation))
  }

  /// Returns the run once its rclone is at work.
  @discardableResult
  func rcloneRunning(_ run: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> BucketSync {
    try await wait(for: BucketSync.self, run, "has rclone at work", sourceLocation: sourceLocation) {
      $0.condition("JobRunning")?.status == .yes
    }
  }

  /// Returns the run once it waits for a bucket.
  @discardableResult
  func waiting(_ run: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> BucketSync {
    try await wait(for: BucketSync.self, run, "waits for a bucket", sourceLocation: sourceLocation) {
      $0.condition("LocksAcquired")?.reason == "WaitingForBucket"
    }
  }

  /// Returns when nothing is left of the object.
  func gone<Object: KubernetesObject>(
    _ type: Object.Type,
    _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await until("\(Object.resource.kind) \(name) is gone", sourceLocation: sourceLocation) {
      try await find(type, name) == nil
    }
  }

  /// Returns the only run that `policy` has made, once it has.
  func onlyRun(of policy: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> BucketSync {
    var made: [BucketSync] = []
    try await until("policy \(policy) has made a run", sourceLocation: sourceLocation) {
      made = try await runs(of: policy)
      return !made.isEmpty
    }
    try #require(made.count == 1, sourceLocation: sourceLocation)
    return made[0]
  }

  /// The runs that a policy of this name controls.
  func runs(of policy: String) async throws -> [BucketSync] {
    try await all(BucketSync.self).filter { $0.metadata.controllerOwner?.name == policy }
  }
}

extension BucketSync {
  /// The condition of that type.
  func condition(_ type: String) -> Condition? { status?.conditions?[type] }
}

extension BucketSyncPolicy {
  /// The condition of that type.
  func condition(_ type: String) -> Condition? { status?.conditions?[type] }
}

extension Endpoint {
  /// The endpoint's configuration for rclone: addresses as literals, keys from the Secret.
  var variables: [EnvVar] {
    [
      EnvVar(name: "TYPE", value: "s3"), EnvVar(name: "PROVIDER", value: "Rclone"),
      EnvVar(name: "ENDPOINT", value: address), key("ACCESS_KEY_ID"), key("SECRET_ACCESS_KEY"),
    ]
  }

  private func key(_ name: String) -> EnvVar {
    EnvVar(name: name, valueFrom: ["secretKeyRef": ["name": .string(secret), "key": .string(name)]])
  }
}
