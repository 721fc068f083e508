// What is true after every test, whatever it did (design: S1 never two rclone processes on one bucket, S2 one Job per
// run, L1 every run ends, L2 no lock outlives its run, L3 with no more input, no more writes).

import BucketSyncAPI
import KubernetesModel
import Testing

/// The invariants that a test leaves to be checked.
struct Invariants: OptionSet, Sendable {
  let rawValue: Int

  /// No two pods at one bucket, and one Job a run.
  static let exclusiveness = Invariants(rawValue: 1)
  /// Everything has ended and is cleaned up.
  static let tidiness = Invariants(rawValue: 2)
  /// Nothing is written any more.
  static let silence = Invariants(rawValue: 4)
  /// The controllers that the test did not end are still there.
  static let survival = Invariants(rawValue: 8)
  /// No secret is in the controllers' logs or in what they wrote.
  static let secrecy = Invariants(rawValue: 16)

  /// No pod without the built-in plugin's locks, none of those given back before the pods have stopped.
  static let locking = Invariants(rawValue: 32)

  static let all: Invariants = [.exclusiveness, .locking, .tidiness, .silence, .survival, .secrecy]

  /// Checks them.
  func verify(_ world: World) async throws {
    if contains(.tidiness) { try await verifyTidiness(world) }
    if contains(.silence) { try await verifySilence(world) }
    if contains(.exclusiveness) { verifyExclusiveness(world.history) }
    if contains(.locking) { verifyLocking(world.history) }
    if contains(.secrecy) { verifySecrecy(world) }
    if contains(.survival) {
      for controller in world.controllers {
        #expect(!controller.process.hasEndedByItself, "a controller has ended by itself")
      }
    }
  }

  private func verifyTidiness(_ world: World) async throws {
    try await until("every run has ended, and no lock, Job or finalizer is left") {
      let runs = try await world.all(BucketSync.self)
      guard runs.allSatisfy({ $0.isFinished && ($0.metadata.finalizers ?? []).isEmpty }) else { return false }
      let jobs = try await world.all(Job.self).filter { $0.metadata.labels?[BucketSyncNames.Label.runUID] != nil }
      guard jobs.isEmpty else { return false }
      return try await world.locks().isEmpty
    }
  }

  private func verifySilence(_ world: World) async throws {
    func versions() async throws -> Set<String> {
      let runs = try await world.all(BucketSync.self).map(\.metadata)
      let policies = try await world.all(BucketSyncPolicy.self).map(\.metadata)
      let configMaps = try await world.all(ConfigMap.self).map(\.metadata)
      return Set((runs + policies + configMaps).map { "\($0.uid ?? "") \($0.resourceVersion ?? "")" })
    }
    // The last status of a policy comes a moment after its run has ended.
    var before = try await versions()
    try await until("nothing is written for two seconds", within: .seconds(30)) {
      try await Task.sleep(for: .seconds(2))
      let now = try await versions()
      defer { before = now }
      return now == before
    }
  }

  private func verifySecrecy(_ world: World) {
    let written =
      world.logText + world.history.runs.map { "\($0.object.status.debugDescription)" }.joined()
      + world.history.policies.map { "\($0.object.status.debugDescription)" }.joined()
    for bucket in world.buckets where !bucket.endpoint.secretKey.isEmpty {
      #expect(!written.contains(bucket.endpoint.secretKey), "a secret key was written down")
    }
  }

  private func verifyExclusiveness(_ history: History) {
    for (run, jobs) in history.jobsByRun {
      #expect(jobs.count == 1, "run \(run) had Jobs \(jobs)")
    }
    guard history.gaps.isEmpty else { return }
    let lives = history.podLives
    let buckets = history.bucketsByRun
    for (index, one) in lives.enumerated() {
      for other in lives[(index + 1)...] where one.overlaps(other) {
        let shared = (buckets[one.run] ?? []).intersection(buckets[other.run] ?? [])
        #expect(shared.isEmpty, "pods \(one.name) and \(other.name) were at \(shared) at the same time")
      }
    }
  }

  private func verifyLocking(_ history: History) {
    guard history.gaps.isEmpty else { return }
    let buckets = history.bucketsByRun
    let holdings = history.holdings
    for life in history.podLives {
      for bucket in buckets[life.run] ?? [] {
        let held = holdings.contains {
          $0.bucket == bucket && $0.run == life.run && $0.from < life.created && (life.stopped ?? .max) < $0.until
        }
        #expect(held, "pod \(life.name) was there while its run did not hold bucket \(bucket)")
      }
    }
  }
}

/// A run's hold on a bucket.
struct Holding: Sendable {
  let bucket: String
  let run: String
  /// The versions between which the lock existed.
  let from: UInt64
  var until: UInt64 = .max
}

extension History {
  /// All holdings there have been.
  var holdings: [Holding] {
    var holdings: [String: Holding] = [:]
    for moment in configMaps {
      guard let uid = moment.object.metadata.uid, let bucket = moment.object.data?["bucket"],
        let run = moment.object.data?["holderUID"]
      else { continue }
      if holdings[uid] == nil { holdings[uid] = Holding(bucket: bucket, run: run, from: moment.version) }
      if moment.change == .deleted { holdings[uid]?.until = moment.version }
    }
    return Array(holdings.values)
  }

  /// The UIDs of runs with those of all the Jobs they ever had.
  var jobsByRun: [String: Set<String>] {
    var jobs: [String: Set<String>] = [:]
    for moment in self.jobs {
      guard let run = moment.object.metadata.labels?[BucketSyncNames.Label.runUID],
        let uid = moment.object.metadata.uid
      else { continue }
      jobs[run, default: []].insert(uid)
    }
    return jobs
  }
}
