// From the text of an expression to the rule behind it.

import KubernetesModel

enum CronParser {
  static func rule(of text: String) throws(CronError) -> CronSchedule.Rule {
    let words = text.split { $0.isWhitespace }
    guard let first = words.first else {
      throw CronError("the schedule is empty; write five fields (\(layout)), or @daily")
    }
    if ["TZ=", "CRON_TZ="].contains(where: first.hasPrefix) {
      throw CronError("time zones are not supported, all times are UTC; take \(first) off and shift the hours")
    }
    if first.hasPrefix("@") { return try descriptor(words) }
    guard words.count == CronField.all.count else { throw wrongCount(words.count) }
    return .calendar(try calendar(words))
  }

  private static let layout = "minute, hour, day of month, month, day of week"

  private static func wrongCount(_ count: Int) -> CronError {
    let hint = count > 5 ? "; seconds and years are not supported" : ""
    return CronError("\(count == 1 ? "there is 1 field" : "there are \(count) fields"), not five (\(layout))\(hint)")
  }

  private static func calendar(_ words: [Substring]) throws(CronError) -> CalendarRule {
    let rule = CalendarRule(
      minutes: try CronField.minute.values(of: words[0]),
      hours: try CronField.hour.values(of: words[1]),
      days: try CronField.dayOfMonth.values(of: words[2]),
      months: try CronField.month.values(of: words[3]),
      weekdays: try CronField.dayOfWeek.values(of: words[4]),
      eitherDay: isRestricted(words[2]) && isRestricted(words[4])
    )
    guard rule.isPossible else {
      throw CronError(
        .dayOfMonth,
        "\(words[2]) never comes in month \(words[3]) (field 4), so nothing would ever be due"
      )
    }
    return rule
  }

  /// Whether a field of days restricts them, as robfig/cron v3 has it, which Kubernetes' CronJob and the controller
  /// written in Go go by: nothing in its list is a plain star, so `*/2` restricts. Two restricted fields are
  /// alternatives, otherwise a day must fit both.
  private static func isRestricted(_ field: Substring) -> Bool {
    !field.split(separator: ",").contains { ["*", "?", "*/1", "?/1"].contains($0) }
  }

  // MARK: Descriptors

  private static let descriptors: [String: [Substring]] = [
    "@yearly": ["0", "0", "1", "1", "*"],
    "@annually": ["0", "0", "1", "1", "*"],
    "@monthly": ["0", "0", "1", "*", "*"],
    "@weekly": ["0", "0", "*", "*", "0"],
    "@daily": ["0", "0", "*", "*", "*"],
    "@midnight": ["0", "0", "*", "*", "*"],
    "@hourly": ["0", "*", "*", "*", "*"],
  ]

  private static func descriptor(_ words: [Substring]) throws(CronError) -> CronSchedule.Rule {
    let name = words[0].lowercased()
    if name == "@every" { return .every(try interval(words.dropFirst())) }
    if name == "@reboot" {
      throw CronError(
        "@reboot is not supported, there is no boot to wait for; annotate the policy with sync-now for a run at once"
      )
    }
    guard let fields = descriptors[name] else {
      let known = "@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly and @every <duration>"
      throw CronError("\(String(words[0]).debugDescription) is not known; there are \(known)")
    }
    guard words.count == 1 else { throw CronError("\(words[0]) stands alone; take \"\(words[1])\" off") }
    return .calendar(try calendar(fields))
  }

  private static func interval(_ words: ArraySlice<Substring>) throws(CronError) -> IntervalRule {
    guard let text = words.first, words.count == 1 else {
      throw CronError("@every takes one duration; write for example @every 90m")
    }
    do throws(DurationError) {
      return IntervalRule(interval: try DurationText.wholeSeconds(String(text)))
    } catch {
      throw CronError("@every: \(error.description)")
    }
  }
}
