import KubernetesModel
import Testing

/// Times at the ends of what RFC 3339 can say, which the API server lets into a status.
@Suite("Odd times")
struct OddTimesTests {
  @Test(
    "what is read is written as the API server takes it: a year of four digits",
    arguments: [
      "0001-01-01T00:00:00Z", "0001-01-01T12:00:00+12:00", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z",
      "9999-12-31T23:59:59+12:00",
    ])
  func ends(_ text: String) throws {
    let time = try #require(Timestamp(text))
    #expect(time.description.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/) != nil, "\(time)")
    #expect(Timestamp(time.description) == time)
  }

  @Test(
    "what lies outside of four digits once its zone is taken off is no time",
    arguments: [
      "9999-12-31T23:59:59-12:00", "0000-01-01T00:00:00+12:00", "10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z",
    ])
  func outside(_ text: String) { #expect(Timestamp(text) == nil) }
}
