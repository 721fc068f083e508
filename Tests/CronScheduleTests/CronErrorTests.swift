import CronSchedule
import Testing

@Suite("Bad schedules")
struct CronErrorTests {
  @Test(
    "a bad schedule says what is wrong and where",
    arguments: [
      ("", "the schedule is empty; write five fields (minute, hour, day of month, month, day of week), or @daily"),
      ("  ", "the schedule is empty; write five fields (minute, hour, day of month, month, day of week), or @daily"),
      ("0 0 32 * *", "field 3 (day of month): 32 is out of range 1–31"),
      ("60 0 * * *", "field 1 (minute): 60 is out of range 0–59"),
      ("0 24 * * *", "field 2 (hour): 24 is out of range 0–23"),
      ("0 0 0 * *", "field 3 (day of month): 0 is out of range 1–31"),
      ("0 0 * 13 *", "field 4 (month): 13 is out of range 1–12"),
      ("0 0 * * 8", "field 5 (day of week): 8 is out of range 0–7"),
      ("0 99999999999999999999 * * *", "field 2 (hour): 99999999999999999999 is out of range 0–23"),
      ("x 0 * * *", #"field 1 (minute): "x" is no number"#),
      ("-5 0 * * *", #"field 1 (minute): a number is missing in "-5""#),
      ("5- 0 * * *", #"field 1 (minute): a number is missing in "5-""#),
      ("1-2-3 0 * * *", #"field 1 (minute): "2-3" is no number"#),
      ("**/2 0 * * *", #"field 1 (minute): "**" is no number"#),
      ("٣ 0 * * *", #"field 1 (minute): "٣" is no number"#),
      ("0 0 * foo *", #"field 4 (month): "foo" is neither a number nor one of the names JAN–DEC"#),
      ("0 0 * * Monday", #"field 5 (day of week): "Monday" is neither a number nor one of the names SUN–SAT"#),
      ("1,,2 0 * * *", "field 1 (minute): a list must not have empty entries; take the extra comma out"),
      ("0 22-2 * * *", "field 2 (hour): the range 22-2 runs backwards; write 22-23,0-2 instead"),
      ("0 0 * * FRI-SUN", "field 5 (day of week): the range FRI-SUN runs backwards; write 5-7 instead"),
      ("0 0 * * SAT-MON", "field 5 (day of week): the range SAT-MON runs backwards; write 6-7,1-1 instead"),
      ("*/0 0 * * *", "field 1 (minute): the step must be at least 1"),
      ("*/x 0 * * *", #"field 1 (minute): the step "x" is no number"#),
      ("*/ 0 * * *", #"field 1 (minute): the step "" is no number"#),
      ("*/2/3 0 * * *", #"field 1 (minute): the step "2/3" is no number"#),
      ("/5 0 * * *", "field 1 (minute): a number is missing in front of the step"),
      ("0 0 L * *", #"field 3 (day of month): "L": L, W and # are not supported; write the numbers of the days"#),
      ("0 0 15W * *", #"field 3 (day of month): "15W": L, W and # are not supported; write the numbers of the days"#),
      ("0 0 * * 5L", #"field 5 (day of week): "5L": L, W and # are not supported; write the numbers of the days"#),
      (
        "0 0 * * FRI#2", #"field 5 (day of week): "FRI#2": L, W and # are not supported; write the numbers of the days"#
      ),
      ("0 0 30 2 *", "field 3 (day of month): 30 never comes in month 2 (field 4), so nothing would ever be due"),
      ("0 0 31 4,6 *", "field 3 (day of month): 31 never comes in month 4,6 (field 4), so nothing would ever be due"),
      ("0 0 30 2 */1", "field 3 (day of month): 30 never comes in month 2 (field 4), so nothing would ever be due"),
      ("daily", "there is 1 field, not five (minute, hour, day of month, month, day of week)"),
      ("0 2 * *", "there are 4 fields, not five (minute, hour, day of month, month, day of week)"),
      (
        "0 0 2 * * *",
        "there are 6 fields, not five (minute, hour, day of month, month, day of week); "
          + "seconds and years are not supported"
      ),
      (
        "TZ=Europe/Berlin 0 2 * * *",
        "time zones are not supported, all times are UTC; take TZ=Europe/Berlin off and shift the hours"
      ),
      (
        "CRON_TZ=UTC 0 2 * * *",
        "time zones are not supported, all times are UTC; take CRON_TZ=UTC off and shift the hours"
      ),
      (
        "@reboot",
        "@reboot is not supported, there is no boot to wait for; annotate the policy with sync-now for a run at once"
      ),
      (
        "@fortnightly",
        #""@fortnightly" is not known; there are @yearly, @annually, @monthly, @weekly, @daily, @midnight, "#
          + "@hourly and @every <duration>"
      ),
      ("@daily 5", #"@daily stands alone; take "5" off"#),
      ("@every", "@every takes one duration; write for example @every 90m"),
      ("@every 1h 30m", "@every takes one duration; write for example @every 90m"),
      (
        "@every 90",
        #"@every: "90" is not a usable duration: "90" has no unit; write for example 90s, 30m or 1h30m"#
      ),
      (
        "@every 500ms",
        #"@every: "500ms" is not a usable duration: it is shorter than one second; write for example 90s, 30m or 1h30m"#
      ),
      (
        "@every 1500ms",
        #"@every: "1500ms" is not a usable duration: it is not a whole number of seconds; "#
          + "write for example 90s, 30m or 1h30m"
      ),
      (
        "@every -5m",
        #"@every: "-5m" is not a usable duration: it is shorter than one second; write for example 90s, 30m or 1h30m"#
      ),
    ]
  )
  func message(expression: String, message: String) {
    do throws(CronError) {
      _ = try CronSchedule(expression)
      Issue.record("\(expression) was accepted")
    } catch {
      #expect(error.description == message)
    }
  }
}
