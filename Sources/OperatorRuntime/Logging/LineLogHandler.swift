// Writes each log record as one line, logfmt or JSON.
//
//     time=2024-01-15T02:00:00.123Z level=info logger=bucket-sync msg="this process leads" lease=sync/leader
//     {"time":"2024-01-15T02:00:00.123Z","level":"info","logger":"bucket-sync","msg":"this process leads"}
//
// Whatever a record holds, it stays one line and cannot look like another record or steer a terminal: characters that
// control or format are escaped.

import FoundationEssentials
import KubernetesModel
package import Logging

/// A log handler for people and log collectors.
package struct LineLogHandler: LogHandler {
  private static let reserved: Set<String> = ["time", "level", "logger", "msg"]

  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  private let label: String
  private let format: LogSettings.Format
  private let time: any TimeSource
  private let write: @Sendable (String) -> Void

  init(
    label: String,
    settings: LogSettings,
    time: any TimeSource,
    write: @escaping @Sendable (String) -> Void
  ) {
    self.label = label
    logLevel = settings.level
    format = settings.format
    self.time = time
    self.write = write
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
    if let own = event.metadata { all.merge(own) { _, new in new } }
    if let error = event.error { all["error"] = "\(error)" }
    let fields: [(String, String)] =
      [
        ("time", time.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
        ("level", event.level.rawValue), ("logger", label), ("msg", "\(event.message)"),
      ]
      + all.sorted { $0.key < $1.key }.map { (Self.reserved.contains($0.key) ? $0.key + "_" : $0.key, "\($0.value)") }
    switch format {
    case .text: write(fields.map { "\(bareName($0))=\(logfmtValue($1))" }.joined(separator: " ") + "\n")
    case .json: write("{" + fields.map { "\(quoted($0)):\(quoted($1))" }.joined(separator: ",") + "}\n")
    }
  }
}

/// A key that logfmt can read back.
private func bareName(_ text: String) -> String {
  String(String.UnicodeScalarView(text.unicodeScalars.map { isPlain($0) ? $0 : "_" }))
}

private func logfmtValue(_ text: String) -> String {
  !text.isEmpty && text.unicodeScalars.allSatisfy(isPlain) ? text : quoted(text)
}

private func isPlain(_ scalar: Unicode.Scalar) -> Bool {
  scalar != " " && scalar != "=" && scalar != "\"" && scalar != "\\" && !needsEscape(scalar)
}

/// Whether a character could break the line, hide text or steer a terminal.
private func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
  if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: return true
  default: return false
  }
}

/// A JSON string.
private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case _ where needsEscape(scalar):
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
