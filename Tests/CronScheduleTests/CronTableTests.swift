import CronSchedule
import KubernetesModel
import Testing

@Suite("Cron schedules against known crons")
struct CronTableTests {
  /// Expression, a moment, and the ticks that follow it.
  static let table: [(String, String, [String])] = [
    ("0 2 * * *", "2024-01-15T02:00:00Z", ["2024-01-16T02:00:00Z", "2024-01-17T02:00:00Z"]),
    ("* * * * *", "2024-12-31T23:59:30Z", ["2025-01-01T00:00:00Z", "2025-01-01T00:01:00Z"]),
    ("*/15 * * * *", "2024-01-15T10:07:00Z", ["2024-01-15T10:15:00Z", "2024-01-15T10:30:00Z"]),
    ("5/20 * * * *", "2024-01-15T10:07:00Z", ["2024-01-15T10:25:00Z", "2024-01-15T10:45:00Z", "2024-01-15T11:05:00Z"]),
    ("10-30/10 22-23 * * *", "2024-01-15T22:20:00Z", ["2024-01-15T22:30:00Z", "2024-01-15T23:10:00Z"]),
    ("23 0-20/2 * * *", "2024-01-15T20:23:00Z", ["2024-01-16T00:23:00Z", "2024-01-16T02:23:00Z"]),
    ("0 22 * * 1-5", "2024-01-12T22:00:00Z", ["2024-01-15T22:00:00Z"]),
    ("0 22 * * mon-Fri", "2024-01-12T22:00:00Z", ["2024-01-15T22:00:00Z"]),
    ("15 14 1 * *", "2024-01-31T00:00:00Z", ["2024-02-01T14:15:00Z", "2024-03-01T14:15:00Z"]),
    ("5 4 * * sun", "2024-01-15T00:00:00Z", ["2024-01-21T04:05:00Z"]),
    ("5 4 * * 7", "2024-01-15T00:00:00Z", ["2024-01-21T04:05:00Z"]),
    ("5 4 * * 5-7", "2024-01-15T00:00:00Z", ["2024-01-19T04:05:00Z", "2024-01-20T04:05:00Z", "2024-01-21T04:05:00Z"]),
    (
      "0 0 * * 1/2", "2024-01-14T00:00:00Z",
      ["2024-01-15T00:00:00Z", "2024-01-17T00:00:00Z", "2024-01-19T00:00:00Z", "2024-01-22T00:00:00Z"]
    ),
    ("0 0 1 jan *", "2024-01-01T00:00:00Z", ["2025-01-01T00:00:00Z"]),
    ("0 0 1 JAN,Jul ?", "2024-01-01T00:00:00Z", ["2024-07-01T00:00:00Z", "2025-01-01T00:00:00Z"]),
    ("0 0,12 1 */2 *", "2024-01-01T12:00:00Z", ["2024-03-01T00:00:00Z", "2024-03-01T12:00:00Z"]),
    // Both fields of days restricted: either fits (the example of crontab's manual page).
    (
      "30 4 1,15 * 5", "2024-03-01T04:30:00Z",
      [
        "2024-03-08T04:30:00Z", "2024-03-15T04:30:00Z", "2024-03-22T04:30:00Z", "2024-03-29T04:30:00Z",
        "2024-04-01T04:30:00Z",
      ]
    ),
    // A star with a step restricts, as for CronJobs: either is enough (odd days and Mondays). A step of 1 does not.
    ("0 0 */2 * 1", "2024-01-06T00:00:00Z", ["2024-01-07T00:00:00Z", "2024-01-08T00:00:00Z", "2024-01-09T00:00:00Z"]),
    ("0 0 13 * */5", "2024-01-07T00:00:00Z", ["2024-01-12T00:00:00Z", "2024-01-13T00:00:00Z", "2024-01-14T00:00:00Z"]),
    ("0 0 */1 * 1", "2024-01-01T00:00:00Z", ["2024-01-08T00:00:00Z", "2024-01-15T00:00:00Z"]),
    ("0 0 31 * *", "2024-01-31T00:00:00Z", ["2024-03-31T00:00:00Z", "2024-05-31T00:00:00Z"]),
    ("0 0 29 2 *", "2023-01-01T00:00:00Z", ["2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"]),
    ("0 0 29 2 *", "2096-02-29T00:00:00Z", ["2104-02-29T00:00:00Z"]),
    ("0 0 29 2 *", "1999-12-31T00:00:00Z", ["2000-02-29T00:00:00Z"]),
    ("0 0 29 2 */7", "2004-02-29T00:00:00Z", ["2005-02-06T00:00:00Z"]),
    ("0 0 30 2 1", "2024-01-31T00:00:00Z", ["2024-02-05T00:00:00Z"]),
    ("59 23 31 12 *", "1969-06-01T00:00:00Z", ["1969-12-31T23:59:00Z", "1970-12-31T23:59:00Z"]),
    ("  0\t2  * * * ", "2024-01-15T02:00:00Z", ["2024-01-16T02:00:00Z"]),
    ("*/99999999999999999999 * * * *", "2024-01-15T02:00:00Z", ["2024-01-15T03:00:00Z"]),
    ("@yearly", "2024-01-15T02:00:00Z", ["2025-01-01T00:00:00Z"]),
    ("@annually", "2024-01-15T02:00:00Z", ["2025-01-01T00:00:00Z"]),
    ("@monthly", "2024-01-15T02:00:00Z", ["2024-02-01T00:00:00Z"]),
    ("@weekly", "2024-01-15T02:00:00Z", ["2024-01-21T00:00:00Z"]),
    ("@Daily", "2024-01-15T02:00:00Z", ["2024-01-16T00:00:00Z"]),
    ("@midnight", "2024-01-15T02:00:00Z", ["2024-01-16T00:00:00Z"]),
    ("@hourly", "2024-01-15T02:00:00Z", ["2024-01-15T03:00:00Z"]),
  ]

  @Test("the ticks that follow a moment are those that cron gives", arguments: table.indices)
  func next(row: Int) throws {
    let (expression, start, ticks) = Self.table[row]
    let schedule = try CronSchedule(expression)
    var time = try #require(Timestamp(start))
    for tick in ticks {
      time = try #require(schedule.next(after: time, anchor: time))
      #expect(time.description == tick)
    }
  }

  @Test("the latest tick up to a tick is that tick itself", arguments: table.indices)
  func latest(row: Int) throws {
    let (expression, start, ticks) = Self.table[row]
    let schedule = try CronSchedule(expression)
    let earlier = try #require(Timestamp(start))
    for tick in ticks.compactMap({ Timestamp($0) }) {
      #expect(schedule.latest(atOrBefore: tick, after: earlier, anchor: earlier) == tick)
    }
  }
}

@Suite("Missed ticks and intervals")
struct CronLatestTests {
  let start = Timestamp(unixSeconds: 1_705_284_000)

  private func after(_ seconds: Int64) -> Timestamp { Timestamp(unixSeconds: start.unixSeconds + seconds) }

  @Test("ten years of missed minutes collapse into the last one")
  func collapse() throws {
    let now = after(10 * 365 * 86_400 + 59)
    #expect(try CronSchedule("* * * * *").latest(atOrBefore: now, after: start, anchor: start) == after(315_360_000))
  }

  @Test("a tick that was handled already is not handed out again")
  func handled() throws {
    let schedule = try CronSchedule("@daily")
    let tick = try #require(schedule.latest(atOrBefore: start, after: after(-86_400), anchor: start))
    #expect(tick.description == "2024-01-15T00:00:00Z")
    #expect(schedule.latest(atOrBefore: start, after: tick, anchor: start) == nil)
  }

  @Test("intervals are counted from the anchor, the first tick one interval later")
  func every() throws {
    let schedule = try CronSchedule("@every 1h30m")
    #expect(schedule.next(after: start, anchor: start) == after(5_400))
    #expect(schedule.next(after: after(5_399), anchor: start) == after(5_400))
    #expect(schedule.next(after: after(5_400), anchor: start) == after(10_800))
    #expect(schedule.next(after: after(-1_000_000), anchor: start) == after(5_400))
    #expect(schedule.latest(atOrBefore: after(5_399), after: after(-86_400), anchor: start) == nil)
    #expect(schedule.latest(atOrBefore: after(5_400), after: start, anchor: start) == after(5_400))
    #expect(schedule.latest(atOrBefore: after(5_400 * 1_000 + 17), after: start, anchor: start) == after(5_400_000))
    #expect(schedule.latest(atOrBefore: after(5_401), after: after(5_400), anchor: start) == nil)
  }

  @Test("moments beyond any calendar have no ticks", arguments: [Int64.min, Int64.max])
  func extremes(seconds: Int64) throws {
    let extreme = Timestamp(unixSeconds: seconds)
    for schedule in [try CronSchedule("@daily"), try CronSchedule("@every 1s")] {
      #expect(schedule.next(after: extreme, anchor: start) == nil)
      #expect(schedule.next(after: start, anchor: extreme) == nil)
      #expect(schedule.latest(atOrBefore: extreme, after: start, anchor: start) == nil)
    }
  }
}
