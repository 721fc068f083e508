import BucketSyncCore
import Synchronization
import Testing

@testable import BucketLock

@Suite("Many runs at once")
struct InterleavingTests {
  /// Several runs lock, work and unlock at the same time, through two controllers, their requests in random order.
  @Test("locks are exclusive, all or none, and none is left", arguments: 0..<200)
  func random(seed: UInt64) async throws {
    let random = Dice(seed)
    let server = LockServer(namespace: lockNamespace) { await random.pause() }
    let one = try await Controller(on: server)
    let two = try await Controller(on: server)
    server.holdWatch()
    let buckets = ["a", "b", "c"]
    let runs = try (0..<6).map { number in
      let source = random.roll(buckets.count)
      let destination = (source + 1 + random.roll(buckets.count - 1)) % buckets.count
      return try makeRun("run-\(number)", from: buckets[source], to: buckets[destination])
    }
    let working = Working()
    let finished = await withTaskGroup(of: Bool.self) { group in
      for (number, run) in runs.enumerated() {
        let locks = number.isMultiple(of: 2) ? one.locks : two.locks
        group.addTask { await Self.work(run, locks, server, working, random) }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(finished == runs.count)
    #expect(working.violations == [])
    #expect(server.holders == [:])
  }

  /// Returns whether the run got its turn within a bounded number of attempts.
  private static func work(
    _ run: RunContext,
    _ locks: any LockProvider,
    _ server: LockServer,
    _ working: Working,
    _ random: Dice
  ) async -> Bool {
    let uid = run.reference.uid
    for _ in 0..<2000 {
      guard let result = try? await locks.lock(run) else { continue }
      guard result == .acquired else {
        if server.holders.values.contains(uid) { working.complain("\(uid) keeps a lock while it waits") }
        // The watch tells what has happened in bursts.
        if random.roll(3) == 0 {
          server.deliver()
          server.holdWatch()
        }
        await random.pause()
        continue
      }
      working.begin(run)
      if run.buckets.contains(where: { server.holders[$0] != uid }) { working.complain("\(uid) lacks a lock") }
      await random.pause()
      working.end(run)
      while (try? await locks.unlock(run.reference)) == nil {}
      return true
    }
    return false
  }
}

/// Who works on which bucket.
private final class Working: Sendable {
  private let state = Mutex<(holders: [String: String], violations: [String])>(([:], []))

  var violations: [String] { state.withLock { $0.violations } }

  func begin(_ run: RunContext) {
    state.withLock { state in
      for bucket in run.buckets {
        if let other = state.holders[bucket] { state.violations.append("\(other) and \(run.reference) on \(bucket)") }
        state.holders[bucket] = run.reference.uid
      }
    }
  }

  func end(_ run: RunContext) { state.withLock { state in for bucket in run.buckets { state.holders[bucket] = nil } } }

  func complain(_ what: String) { state.withLock { $0.violations.append(what) } }
}

/// Chance that a seed decides.
private final class Dice: Sendable {
  private let state: Mutex<UInt64>

  init(_ seed: UInt64) { state = Mutex(seed &+ 1) }

  func roll(_ sides: Int) -> Int {
    state.withLock { state in
      // SplitMix64
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = state
      value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
      return Int((value ^ (value >> 31)) % UInt64(sides))
    }
  }

  func pause() async { for _ in 0..<roll(6) { await Task.yield() } }
}
