import KubernetesClient
import KubernetesModel
import Testing

@testable import OperatorRuntime

@Suite("List-watch cycle")
struct ListWatchCycleTests {
  var cycle = ListWatchCycle(random: .lowest)
  let expired = APIError.refused(APIStatus(code: 410, reason: "Expired", message: nil), request: "watch")
  let broken = APIError.unreachable("broken", mayHaveApplied: false)

  @Test("it begins with a list, and watches from the list's version")
  mutating func start() {
    #expect(cycle.action == .list(after: .zero))
    #expect(cycle.event(.listed(version: "7"), at: .zero) == .watch(from: "7", after: .zero))
  }

  @Test("a healthy watch that the server ends is resumed at once from the last version seen")
  mutating func resumed() {
    _ = cycle.event(.listed(version: "7"), at: .zero)
    _ = cycle.event(.watching, at: .seconds(1))
    _ = cycle.event(.saw(version: "9"), at: .seconds(2))
    #expect(cycle.event(.watchEnded(nil), at: .seconds(300)) == .watch(from: "9", after: .zero))
  }

  @Test("a watch that ends early again and again is resumed after growing pauses")
  mutating func earlyEnds() {
    _ = cycle.event(.listed(version: "7"), at: .zero)
    for pause in [800, 1600, 3200] as [Int] {
      _ = cycle.event(.watching, at: .zero)
      #expect(cycle.event(.watchEnded(nil), at: .seconds(1)) == .watch(from: "7", after: .milliseconds(pause)))
    }
  }

  @Test("a broken connection is resumed from the last version seen, and pauses never exceed half a minute")
  mutating func brokenConnection() {
    _ = cycle.event(.listed(version: "7"), at: .zero)
    for _ in 0..<20 { _ = cycle.event(.watchEnded(broken), at: .zero) }
    #expect(cycle.event(.watchEnded(broken), at: .zero) == .watch(from: "7", after: .seconds(30)))
  }

  @Test("a healthy watch lets pauses start from the beginning")
  mutating func reset() {
    _ = cycle.event(.listed(version: "7"), at: .zero)
    for _ in 0..<5 { _ = cycle.event(.watchEnded(broken), at: .zero) }
    _ = cycle.event(.watching, at: .zero)
    #expect(cycle.event(.watchEnded(broken), at: .seconds(60)) == .watch(from: "7", after: .milliseconds(800)))
  }

  @Test("an expired version means a list: at once the first time, then after pauses")
  mutating func expiry() {
    _ = cycle.event(.listed(version: "7"), at: .zero)
    #expect(cycle.event(.watchEnded(expired), at: .zero) == .list(after: .zero))
    _ = cycle.event(.listed(version: "7"), at: .zero)
    #expect(cycle.event(.watchEnded(expired), at: .zero) == .list(after: .milliseconds(1600)))
  }

  @Test("a server that was away, and has forgotten meanwhile, is listed at once when it is back")
  mutating func expiryAfterOutage() {
    _ = cycle.event(.listed(version: "7"), at: .zero)
    for _ in 0..<10 { _ = cycle.event(.watchEnded(broken), at: .zero) }
    #expect(cycle.event(.watchEnded(expired), at: .zero) == .list(after: .zero))
    // That it keeps happening is noticed all the same.
    _ = cycle.event(.listed(version: "8"), at: .zero)
    #expect(cycle.event(.watchEnded(expired), at: .zero) == .list(after: .seconds(30)))
  }

  @Test("a version from the future, as after a restored backup, means a list too")
  mutating func future() {
    _ = cycle.event(.listed(version: "7"), at: .zero)
    let tooLarge = APIError.refused(APIStatus(code: 504, reason: "Timeout", message: nil), request: "watch")
    #expect(cycle.event(.watchEnded(tooLarge), at: .zero) == .list(after: .milliseconds(800)))
  }

  @Test("a server that has too much to do is left alone for as long as it asks")
  mutating func tooManyRequests() {
    let busy = APIError.refused(
      APIStatus(code: 429, reason: nil, message: nil, details: .init(retryAfterSeconds: 12)),
      request: "watch"
    )
    #expect(cycle.event(.listFailed(busy), at: .zero) == .list(after: .seconds(12)))
    _ = cycle.event(.listed(version: "7"), at: .zero)
    #expect(cycle.event(.watchEnded(busy), at: .zero) == .watch(from: "7", after: .seconds(12)))
  }

  @Test("chance stretches pauses by up to a half")
  mutating func jitter() {
    var cycle = ListWatchCycle(random: RandomSource { $0.upperBound })
    #expect(cycle.event(.listFailed(broken), at: .zero) == .list(after: .milliseconds(1200)))
  }
}
