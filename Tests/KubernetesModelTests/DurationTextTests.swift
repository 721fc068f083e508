import KubernetesModel
import Testing

@Suite("Durations as text")
struct DurationTextTests {
  @Test(
    "what Go reads is read the same",
    arguments: [
      ("1h30m", .seconds(5_400)), ("90s", .seconds(90)), ("1.5h", .seconds(5_400)), ("300ms", .milliseconds(300)),
      ("0", .zero), ("+5s", .seconds(5)), ("-1.5h", .seconds(-5_400)), (".5s", .milliseconds(500)),
      ("1.s", .seconds(1)), ("1m1m", .seconds(120)), ("7us", .microseconds(7)), ("7µs", .microseconds(7)),
      ("7μs", .microseconds(7)), ("1.000000001s", .nanoseconds(1_000_000_001)),
      ("0.100000000000000000000h", .seconds(360)), ("2540400h", .seconds(9_145_440_000)),
      ("9223372036854775807ns", .nanoseconds(Int64.max)), ("0.3333333333333333333h", .nanoseconds(1_200_000_000_000)),
    ] as [(String, Duration)]
  )
  func parse(text: String, duration: Duration) throws {
    #expect(try DurationText.parse(text) == duration)
  }

  @Test(
    "what is no duration says why",
    arguments: [
      ("", "a number is missing"), ("-", "a number is missing"), ("90", #""90" has no unit"#),
      ("1h30", #""30" has no unit"#), ("1d", #""d" is no unit"#), ("1H", #""H" is no unit"#),
      ("h", #""h" does not start with a number"#), (".h", #"".h" does not start with a number"#),
      ("1h 30m", #""h " is no unit"#), ("1h-30m", #""h-" is no unit"#), ("3000000h", "it is longer than 292 years"),
      ("2562047h60m", "it is longer than 292 years"), ("99999999999999999999s", "it is longer than 292 years"),
      ("٣s", #""٣s" does not start with a number"#),
    ]
  )
  func refuse(text: String, what: String) {
    do throws(DurationError) {
      _ = try DurationText.parse(text)
      Issue.record("accepted")
    } catch {
      let expected = "\(text.debugDescription) is not a usable duration: \(what); write for example 90s, 30m or 1h30m"
      #expect(error.description == expected)
    }
  }

  @Test("a duration in whole seconds must be that, and at least one")
  func wholeSeconds() throws {
    #expect(try DurationText.wholeSeconds("1h0m1s") == 3_601)
    #expect(try DurationText.wholeSeconds("1000ms") == 1)
    for text in ["0", "0s", "999ms", "-5m", "1500ms", "1.5s", "x"] {
      #expect(throws: DurationError.self, "\(text)") { try DurationText.wholeSeconds(text) }
    }
  }

  @Test(
    "a duration is written without units that are zero, and reads back the same",
    arguments: [
      (.seconds(65), "1m5s"), (.seconds(5_400), "1h30m"), (.seconds(3_600), "1h"), (.seconds(3_605), "1h5s"),
      (.seconds(90_061), "25h1m1s"), (.zero, "0s"), (.milliseconds(300), "300ms"), (.seconds(-65), "-1m5s"),
    ] as [(Duration, String)]
  )
  func format(duration: Duration, text: String) throws {
    #expect(DurationText.format(duration) == text)
    #expect(try DurationText.parse(text) == duration)
  }

  @Test("what is finer than the unit written is dropped")
  func finer() {
    #expect(DurationText.format(.milliseconds(65_900)) == "1m5s")
    #expect(DurationText.format(.nanoseconds(1)) == "0s")
  }
}
