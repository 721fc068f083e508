// Start here: CronSchedule turns the text of `spec.schedule` into points in time.
//
//     let schedule = try CronSchedule("30 2 * * MON-FRI")
//     schedule.next(after: now, anchor: policyCreated)                  // the next tick
//     schedule.latest(atOrBefore: now, after: last, anchor: created)    // missed ticks, collapsed into the latest
//
// All times are UTC. CronParser reads the text, CalendarRule finds ticks on the calendar, IntervalRule those of
// `@every`. Nothing here walks tick by tick, so the answer costs the same after a second and after ten years.

package import KubernetesModel

/// When something is due.
package struct CronSchedule: Sendable, Hashable, CustomStringConvertible {
  /// The expression, as it was written.
  package let text: String
  private let rule: Rule

  enum Rule: Sendable, Hashable {
    case calendar(CalendarRule)
    case every(IntervalRule)
  }

  /// Reads five fields (minute, hour, day of month, month, day of week), `@daily` and its kin, or `@every 90m`.
  package init(_ text: String) throws(CronError) {
    self.text = text
    rule = try CronParser.rule(of: text)
  }

  package var description: String { text }

  /// The first tick later than `time`. `anchor` is where the intervals of `@every` are counted from: its first tick
  /// is one interval later.
  package func next(after time: Timestamp, anchor: Timestamp) -> Timestamp? {
    guard Self.isUsable(time), Self.isUsable(anchor) else { return nil }
    return switch rule {
    case .calendar(let rule): rule.next(after: time.unixSeconds).map(Timestamp.init(unixSeconds:))
    case .every(let rule): Timestamp(unixSeconds: rule.next(after: time.unixSeconds, anchor: anchor.unixSeconds))
    }
  }

  /// The latest tick that is later than `earlier` and not later than `time`.
  package func latest(atOrBefore time: Timestamp, after earlier: Timestamp, anchor: Timestamp) -> Timestamp? {
    guard Self.isUsable(time), Self.isUsable(anchor) else { return nil }
    let tick: Int64? =
      switch rule {
      case .calendar(let rule): rule.latest(atOrBefore: time.unixSeconds)
      case .every(let rule): rule.latest(atOrBefore: time.unixSeconds, anchor: anchor.unixSeconds)
      }
    return tick.map(Timestamp.init(unixSeconds:)).flatMap { $0 > earlier ? $0 : nil }
  }

  /// Whether sums of `time` and an interval cannot overflow: it lies within 30,000 years of 1970.
  private static func isUsable(_ time: Timestamp) -> Bool { time.unixSeconds.magnitude < 1_000_000_000_000 }
}
