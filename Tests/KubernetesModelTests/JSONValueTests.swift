import FoundationEssentials
import KubernetesModel
import Testing

@Suite("JSON values")
struct JSONValueTests {
  @Test(
    "a document survives decoding and encoding byte for byte",
    arguments: [
      #"{"a":[],"b":{},"c":null,"d":9007199254740993,"e":-1,"f":1.5,"g":true,"h":"ü/\"\n","i":[[{}],[]]}"#,
      #"[]"#, #"{}"#, #"9223372036854775807"#, #""x""#, #"null"#, #"false"#,
    ])
  func roundTrip(text: String) throws {
    let value = try JSON.decode(JSONValue.self, from: Data(text.utf8))
    #expect(String(decoding: try JSON.encode(value), as: UTF8.self) == text)
  }

  @Test("assigning to a deep path creates the objects on the way")
  func deepAssignment() {
    var job: JSONValue = [:]
    job["spec"]["template"]["metadata"]["labels"]["app"] = "sync"
    #expect(job == ["spec": ["template": ["metadata": ["labels": ["app": "sync"]]]]])
  }

  @Test("reading what is not there gives null")
  func missing() {
    let value: JSONValue = ["a": [1]]
    #expect(value["b"]["c"][7].isNull)
    #expect(value["a"][0].integer == 1)
  }
}

@Suite("Timestamps")
struct TimestampTests {
  @Test("a timestamp reads and writes RFC 3339 in whole seconds")
  func rfc3339() {
    #expect(Timestamp("2024-01-15T02:00:00Z")?.unixSeconds == 1_705_284_000)
    #expect(Timestamp("2024-01-15T02:00:00.987654Z")?.description == "2024-01-15T02:00:00Z")
    #expect(Timestamp("2024-01-15T04:00:00+02:00")?.description == "2024-01-15T02:00:00Z")
    #expect(Timestamp("yesterday") == nil)
  }

  @Test("a micro timestamp always writes six decimals")
  func microseconds() throws {
    let encoded = try JSON.encode([MicroTimestamp(Date(timeIntervalSince1970: 1_705_284_000.000_25))])
    #expect(String(decoding: encoded, as: UTF8.self) == #"["2024-01-15T02:00:00.000250Z"]"#)
    let decoded = try JSON.decode([MicroTimestamp].self, from: encoded)
    #expect(abs(decoded[0].date.timeIntervalSince1970 - 1_705_284_000.000_25) < 0.000_01)
  }
}
