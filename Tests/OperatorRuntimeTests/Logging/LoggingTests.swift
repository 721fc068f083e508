import FoundationEssentials
import KubernetesModel
import Logging
import OperatorRuntime
import TestSupport
import Testing

@Suite("Logging")
struct LoggingTests {
  let lines = Recorded<String>()

  func logger(_ environment: [String: String] = [:]) throws -> Logger {
    try LogSettings(environment: environment)
      .logger(label: "test", time: ManualTime(), write: { [lines] in lines.append($0) })
  }

  @Test("a record is one line of logfmt, its fields in the order of their names")
  func logfmt() throws {
    var logger = try logger()
    logger[metadataKey: "zone"] = "eu"
    logger.info("it works", metadata: ["answer": "42", "empty": ""])
    #expect(
      lines.all == [
        #"time=2023-11-14T22:13:20.000Z level=info logger=test msg="it works" answer=42 empty="" zone=eu"# + "\n"
      ]
    )
  }

  @Test("as JSON a record is one object that reads back")
  func json() throws {
    try logger(["LOG_FORMAT": "json"]).error("say \"hi\"\n", metadata: ["msg": "mine", "path": "a\\b\u{1b}[31m"])
    let line = try #require(lines.all.first)
    #expect(line.filter { $0 == "\n" }.count == 1)
    #expect(
      try JSON.decode([String: String].self, from: Data(line.utf8)) == [
        "time": "2023-11-14T22:13:20.000Z", "level": "error", "logger": "test", "msg": "say \"hi\"\n",
        "msg_": "mine", "path": "a\\b\u{1b}[31m",
      ]
    )
  }

  @Test(
    "no text can begin another record, hide behind it or steer a terminal",
    arguments: ["a\nlevel=error", "\u{1b}[2J", "a\rb", "x\u{2028}y", "\u{202e}abc", "\u{85}", "\u{7f}", "\u{200b}"],
    ["text", "json"]
  )
  func injection(text: String, format: String) throws {
    try logger(["LOG_FORMAT": format]).warning("\(text)", metadata: ["k": "\(text)"])
    let line = try #require(lines.all.first)
    #expect(line.dropLast().unicodeScalars.allSatisfy { $0.isASCII && $0.value >= 0x20 && $0.value != 0x7F })
  }

  @Test("letters of all scripts stay readable")
  func letters() throws {
    try logger().info("größer 日本")
    #expect(lines.all.first?.contains(#"msg="größer 日本""#) == true)
  }

  @Test("what is below LOG_LEVEL is not written", arguments: [("warn", 2), ("DEBUG", 4), ("critical", 0), ("", 3)])
  func level(text: String, count: Int) throws {
    let logger = try logger(["LOG_LEVEL": text])
    logger.debug("1")
    logger.info("2")
    logger.warning("3")
    logger.error("4")
    #expect(lines.all.count == count)
  }

  @Test("a level or format that does not exist is an error that names those that do")
  func invalid() {
    let level = #expect(throws: LogSettings.Invalid.self) { try LogSettings(environment: ["LOG_LEVEL": "loud"]) }
    #expect(level?.description.contains("trace, debug, info") == true)
    #expect(throws: LogSettings.Invalid.self) { try LogSettings(environment: ["LOG_FORMAT": "xml"]) }
  }
}
