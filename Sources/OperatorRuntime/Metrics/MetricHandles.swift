// The handles that code holds on to: one per series, cheap to use from any task.

import Synchronization

/// A number that only grows.
public struct Counter: Sendable {
  let cell: NumberCell

  /// Adds `amount`, which must not be negative.
  public func increment(by amount: Double = 1) {
    guard amount >= 0 else { return }
    cell.value.withLock { $0 += amount }
  }

  package var value: Double { cell.read() }
}

/// A number that goes up and down.
public struct Gauge: Sendable {
  let cell: NumberCell

  /// Makes the number `value`.
  public func set(_ value: Double) { cell.value.withLock { $0 = value } }

  /// Adds `amount`, which may be negative.
  public func add(_ amount: Double) { cell.value.withLock { $0 += amount } }

  package var value: Double { cell.read() }
}

/// A distribution.
public struct Histogram: Sendable {
  /// Bounds for durations of requests and reconciles, in seconds.
  public static let secondsBounds: [Double] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  ]

  let cell: HistogramCell

  /// Counts one value.
  public func observe(_ value: Double) { cell.observe(value) }

  /// Counts one duration in seconds.
  public func observe(_ duration: Duration) { cell.observe(duration / .seconds(1)) }
}

/// Where a counter or gauge is kept.
final class NumberCell: Sendable {
  let value = Mutex(0.0)

  func read() -> Double { value.withLock { $0 } }
}

/// Where a histogram is kept.
final class HistogramCell: Sendable {
  struct Content {
    /// Values per bucket, not cumulated; the last one is for what is above every bound.
    var counts: [UInt64]
    var sum = 0.0
  }

  let bounds: [Double]
  private let content: Mutex<Content>

  init(bounds: [Double]) {
    self.bounds = bounds
    content = Mutex(Content(counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  func observe(_ value: Double) {
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    content.withLock {
      $0.counts[bucket] += 1
      $0.sum += value
    }
  }

  func read() -> Content { content.withLock { $0 } }
}
