// The five fields of a cron expression as sets, and the search for ticks among days and minutes.
//
// Days are found month by month, the minute within a day in one step each for hour and minute. The longest gap between
// two ticks is that of a rare weekday on February 29th (40 years), so the search over 400 years, after which the
// calendar repeats, always ends in an answer if there is one.

struct CalendarRule: Sendable, Hashable {
  var minutes: BitSet64
  var hours: BitSet64
  var days: BitSet64
  var months: BitSet64
  /// 0 is Sunday.
  var weekdays: BitSet64
  /// Whether a day is due if its number *or* its weekday fits: both fields are restricted.
  var eitherDay: Bool

  /// Whether any day at all is due; February 30th is not.
  var isPossible: Bool {
    eitherDay || (1...12).contains { months.contains($0) && (days.first(from: 0) ?? 32) <= Self.longest(month: $0) }
  }

  func next(after time: Int64) -> Int64? {
    let minute = floorDivision(time, 60) + 1
    let today = floorDivision(minute, 1_440)
    let minuteOfDay = Int(minute - today * 1_440)
    guard let day = day(onOrAfter: today) else { return nil }
    if day == today, let found = firstMinute(from: minuteOfDay) { return seconds(day, found) }
    guard let day = day == today ? self.day(onOrAfter: today + 1) : day else { return nil }
    return firstMinute(from: 0).map { seconds(day, $0) }
  }

  func latest(atOrBefore time: Int64) -> Int64? {
    let minute = floorDivision(time, 60)
    let today = floorDivision(minute, 1_440)
    let minuteOfDay = Int(minute - today * 1_440)
    guard let day = day(onOrBefore: today) else { return nil }
    if day == today, let found = lastMinute(through: minuteOfDay) { return seconds(day, found) }
    guard let day = day == today ? self.day(onOrBefore: today - 1) : day else { return nil }
    return lastMinute(through: 1_439).map { seconds(day, $0) }
  }

  private func seconds(_ day: Int64, _ minuteOfDay: Int) -> Int64 { day * 86_400 + Int64(minuteOfDay) * 60 }

  private static let monthsOfCalendar = 400 * 12

  private static func longest(month: Int) -> Int { CivilMonth(year: 2000, month: month).length }

  // MARK: Days

  private func day(onOrAfter day: Int64) -> Int64? {
    var (month, from) = CivilMonth.containing(day)
    for _ in 0...Self.monthsOfCalendar {
      if let found = dueDays(in: month).first(from: from) { return month.firstDay + Int64(found - 1) }
      month = month.next
      from = 1
    }
    return nil
  }

  private func day(onOrBefore day: Int64) -> Int64? {
    var (month, through) = CivilMonth.containing(day)
    for _ in 0...Self.monthsOfCalendar {
      if let found = dueDays(in: month).last(through: through) { return month.firstDay + Int64(found - 1) }
      month = month.previous
      through = 31
    }
    return nil
  }

  private func dueDays(in month: CivilMonth) -> BitSet64 {
    var due = BitSet64()
    guard months.contains(month.month) else { return due }
    let first = weekday(month.firstDay)
    for day in 1...month.length {
      let fits = (days.contains(day), weekdays.contains((first + day - 1) % 7))
      if eitherDay ? fits.0 || fits.1 : fits.0 && fits.1 { due.insert(day) }
    }
    return due
  }

  // MARK: Minutes of a day

  private func firstMinute(from minuteOfDay: Int) -> Int? {
    let (hour, minute) = minuteOfDay.quotientAndRemainder(dividingBy: 60)
    if hours.contains(hour), let found = minutes.first(from: minute) { return hour * 60 + found }
    guard let later = hours.first(from: hour + 1), let found = minutes.first(from: 0) else { return nil }
    return later * 60 + found
  }

  private func lastMinute(through minuteOfDay: Int) -> Int? {
    let (hour, minute) = minuteOfDay.quotientAndRemainder(dividingBy: 60)
    if hours.contains(hour), let found = minutes.last(through: minute) { return hour * 60 + found }
    guard let earlier = hours.last(through: hour - 1), let found = minutes.last(through: 59) else { return nil }
    return earlier * 60 + found
  }
}
