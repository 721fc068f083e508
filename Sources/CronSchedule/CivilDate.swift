// The Gregorian calendar in integers: days since 1970-01-01 to year, month and day, and back.
//
// The arithmetic counts years from March, so that the leap day is the last of its year, in eras of 400 years, after
// which the calendar repeats to the day of the week.

/// One month of one year.
struct CivilMonth: Sendable, Hashable {
  var year: Int64
  /// 1–12.
  var month: Int

  /// The month that the day `daysSince1970` lies in, and its number there, 1–31.
  static func containing(_ daysSince1970: Int64) -> (month: CivilMonth, day: Int) {
    let days = daysSince1970 + 719_468  // since 0000-03-01
    let era = floorDivision(days, 146_097)
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
    let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    return (CivilMonth(year: year, month: month), Int(dayOfYear - (153 * monthFromMarch + 2) / 5) + 1)
  }

  /// Days from 1970-01-01 to the first of this month.
  var firstDay: Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = floorDivision(year, 400)
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * Int64(month > 2 ? month - 3 : month + 9) + 2) / 5
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// 28–31.
  var length: Int {
    let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return switch month {
    case 2: isLeapYear ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  var next: CivilMonth {
    month == 12 ? CivilMonth(year: year + 1, month: 1) : CivilMonth(year: year, month: month + 1)
  }

  var previous: CivilMonth {
    month == 1 ? CivilMonth(year: year - 1, month: 12) : CivilMonth(year: year, month: month - 1)
  }
}

/// The day of the week of a day since 1970-01-01: 0 is Sunday.
func weekday(_ daysSince1970: Int64) -> Int { Int(floorRemainder(daysSince1970 + 4, 7)) }

/// The quotient rounded towards minus infinity.
func floorDivision(_ dividend: Int64, _ divisor: Int64) -> Int64 {
  (dividend - floorRemainder(dividend, divisor)) / divisor
}

/// The remainder that is never negative.
func floorRemainder(_ dividend: Int64, _ divisor: Int64) -> Int64 {
  let remainder = dividend % divisor
  return remainder < 0 ? remainder + divisor : remainder
}
