import CronSchedule
import KubernetesModel
import Testing

@Suite("Cron schedules against an oracle that walks")
struct CronPropertyTests {
  @Test("next and latest agree with walking, for thousands of random expressions", arguments: 0..<40)
  func agreesWithWalking(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    for _ in 0..<100 {
      let expression = RandomExpression(&random)
      let schedule = try CronSchedule(expression.text)
      let time = Int64.random(in: 0..<(Oracle.end - 400 * 86_400), using: &random)
      let start = Timestamp(unixSeconds: time)

      let tick = Oracle.walk(expression, from: time / 60 + 1, by: 1)
      // Where walking ends with the oracle's calendar, the tick must lie beyond.
      let next = try #require(schedule.next(after: start, anchor: start), "\(expression.text)")
      #expect(next.unixSeconds == tick ?? max(next.unixSeconds, Oracle.end), "\(expression.text) after \(start)")

      let earlier = Timestamp(unixSeconds: -1)
      let latest = schedule.latest(atOrBefore: start, after: earlier, anchor: start)
      #expect(
        latest?.unixSeconds == Oracle.walk(expression, from: time / 60, by: -1),
        "\(expression.text) up to \(start)"
      )
    }
  }
}

/// A cron expression together with what it means.
private struct RandomExpression {
  var text: String
  var minutes: Set<Int>
  var hours: Set<Int>
  var days: Set<Int>
  var months: Set<Int>
  var weekdays: Set<Int>
  var eitherDay: Bool

  init(_ random: inout SplitMix64) {
    repeat {
      let fields = [0...59, 0...23, 1...31, 1...12, 0...6].map { Self.field($0, &random) }
      text = fields.map(\.text).joined(separator: " ")
      (minutes, hours, days, months, weekdays) =
        (fields[0].values, fields[1].values, fields[2].values, fields[3].values, fields[4].values)
      eitherDay = ![fields[2], fields[4]].contains {
        $0.text.split(separator: ",").contains { ["*", "*/1"].contains($0) }
      }
    } while !eitherDay && days.allSatisfy { $0 > 28 } && !months.contains { days.min() ?? 32 <= Oracle.lengths[$0 - 1] }
  }

  private static func field(_ range: ClosedRange<Int>, _ random: inout SplitMix64) -> (text: String, values: Set<Int>) {
    if Int.random(in: 0..<3, using: &random) == 0 { return ("*", Set(range)) }
    let entries = (0..<Int.random(in: 1...3, using: &random)).map { _ in entry(range, &random) }
    return (entries.map(\.text).joined(separator: ","), entries.reduce(into: []) { $0.formUnion($1.values) })
  }

  private static func entry(_ range: ClosedRange<Int>, _ random: inout SplitMix64) -> (text: String, values: Set<Int>) {
    let low = Int.random(in: range, using: &random)
    let high = Int.random(in: low...range.upperBound, using: &random)
    let step = Int.random(in: 1...20, using: &random)
    return switch Int.random(in: 0..<5, using: &random) {
    case 0: ("\(low)-\(high)", Set(low...high))
    case 1: ("\(low)-\(high)/\(step)", Set(stride(from: low, through: high, by: step)))
    case 2: ("\(low)/\(step)", Set(stride(from: low, through: range.upperBound, by: step)))
    case 3: ("*/\(step)", Set(stride(from: range.lowerBound, through: range.upperBound, by: step)))
    default: ("\(low)", [low])
    }
  }
}

/// Walks a calendar that was written down day by day from 1970-01-01, a Thursday, over the leap-year exception of 2100.
private enum Oracle {
  static let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

  static let calendar: [(day: Int, month: Int, weekday: Int)] = {
    var calendar: [(day: Int, month: Int, weekday: Int)] = []
    for year in 1970...2112 {
      let isLeapYear = year % 4 == 0 && year != 2100
      for month in 1...12 {
        let length = month == 2 && !isLeapYear ? 28 : lengths[month - 1]
        for day in 1...length { calendar.append((day, month, (calendar.count + 4) % 7)) }
      }
    }
    return calendar
  }()

  /// The end of the calendar, in seconds since 1970.
  static let end = Int64(calendar.count) * 86_400

  /// The first due minute from `minute` on in steps of `step` minutes, in seconds; days that are not due are skipped.
  static func walk(_ expression: RandomExpression, from minute: Int64, by step: Int64) -> Int64? {
    var minute = minute
    while minute >= 0, minute / 1_440 < calendar.count {
      let day = calendar[Int(minute / 1_440)]
      let fits = (expression.days.contains(day.day), expression.weekdays.contains(day.weekday))
      let isDue = expression.eitherDay ? fits.0 || fits.1 : fits.0 && fits.1
      guard isDue, expression.months.contains(day.month) else {
        minute = step > 0 ? (minute / 1_440 + 1) * 1_440 : (minute / 1_440) * 1_440 - 1
        continue
      }
      let minuteOfDay = Int(minute % 1_440)
      if expression.hours.contains(minuteOfDay / 60), expression.minutes.contains(minuteOfDay % 60) {
        return minute * 60
      }
      minute += step
    }
    return nil
  }
}

/// A small generator with a seed, so that a failure can be repeated.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
