// A campaign: many cases, lived side by side on all cores, and what came of them.

import Glibc
import KubernetesModel
import Synchronization

/// What came of many worlds.
struct CampaignResult: Sendable {
  struct Failure: Sendable {
    var failed: Case
    var violations: [String]
  }

  var worlds = 0
  var simulated: Duration = .zero
  var took: Duration = .zero
  var failures: [Failure] = []
  /// Worlds that went another way when they were lived a second time.
  var fickle: [Case] = []

  var isClean: Bool { failures.isEmpty && fickle.isEmpty }

  static func + (left: CampaignResult, right: CampaignResult) -> CampaignResult {
    CampaignResult(
      worlds: left.worlds + right.worlds, simulated: left.simulated + right.simulated, took: left.took + right.took,
      failures: left.failures + right.failures, fickle: left.fickle + right.fickle)
  }
}

/// Lives many worlds.
struct Campaign {
  /// Every so manyth world is lived twice, to see that the seed alone decides.
  static let repetition = 100

  /// Workers, one a core.
  var workers = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  /// Ends the campaign at the first failure.
  var stopsAtFailure = false

  /// Lives every case.
  func run(_ count: Int, _ make: @escaping @Sendable (Int) -> Case) async -> CampaignResult {
    let start = ContinuousClock.now
    let progress = Progress(count: count, stopsAtFailure: stopsAtFailure)
    await withTaskGroup { group in
      for _ in 0..<workers {
        group.addTask { while let number = progress.next() { progress.live(make(number), number) } }
      }
    }
    var result = progress.result
    result.took = ContinuousClock.now - start
    return result
  }
}

/// How far a campaign has come.
private final class Progress: Sendable {
  private struct State {
    var next = 0
    var result = CampaignResult()
  }

  private let count: Int
  private let stopsAtFailure: Bool
  private let state = Mutex(State())

  init(count: Int, stopsAtFailure: Bool) {
    self.count = count
    self.stopsAtFailure = stopsAtFailure
  }

  var result: CampaignResult { state.withLock { $0.result } }

  /// The number of the next case.
  func next() -> Int? {
    state.withLock { state in
      guard state.next < count, !stopsAtFailure || state.result.failures.isEmpty else { return nil }
      defer { state.next += 1 }
      return state.next
    }
  }

  func live(_ item: Case, _ number: Int) {
    let outcome = item.outcome()
    let isRepeated = number % Campaign.repetition == 0
    let isFickle = isRepeated && item.outcome(isRecording: true).fingerprint != outcome.fingerprint
    state.withLock { state in
      state.result.worlds += 1
      state.result.simulated += outcome.simulated
      if isFickle { state.result.fickle.append(item) }
      if !outcome.violations.isEmpty {
        state.result.failures.append(.init(failed: item, violations: outcome.violations))
      }
    }
  }
}
