// `@every 90m`: ticks at anchor + k·interval, k = 1, 2, …

struct IntervalRule: Sendable, Hashable {
  /// In seconds, at least one.
  var interval: Int64

  func next(after time: Int64, anchor: Int64) -> Int64 {
    time < anchor ? anchor + interval : anchor + ((time - anchor) / interval + 1) * interval
  }

  func latest(atOrBefore time: Int64, anchor: Int64) -> Int64? {
    let count = (time - anchor) / interval
    return count < 1 ? nil : anchor + count * interval
  }
}
