// How the operator logs, from the environment: LOG_LEVEL and LOG_FORMAT.

package import KubernetesModel
package import Logging

/// What is logged and in which form.
package struct LogSettings: Sendable, Hashable {
  package enum Format: String, Sendable, CaseIterable { case text, json }

  /// A variable holds what it cannot hold.
  package struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
  }

  package var level: Logger.Level = .info
  package var format: Format = .text

  package init() {}

  /// Reads `LOG_LEVEL` (`trace` … `critical`, `warn` too) and `LOG_FORMAT` (`text`, `json`); unset or empty is default.
  package init(environment: [String: String]) throws(Invalid) {
    if let text = environment["LOG_LEVEL"], !text.isEmpty {
      guard let level = Logger.Level(rawValue: text.lowercased() == "warn" ? "warning" : text.lowercased()) else {
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        throw Invalid(description: "LOG_LEVEL is \"\(text)\", must be one of \(levels)")
      }
      self.level = level
    }
    if let text = environment["LOG_FORMAT"], !text.isEmpty {
      guard let format = Format(rawValue: text.lowercased()) else {
        throw Invalid(description: "LOG_FORMAT is \"\(text)\", must be text or json")
      }
      self.format = format
    }
  }

  /// A logger with these settings; loggers are handed down from here, there is no global one.
  package func logger(
    label: String,
    time: any TimeSource,
    write: @escaping @Sendable (String) -> Void = StandardError.write
  ) -> Logger {
    Logger(label: label) { label in
      LineLogHandler(label: label, settings: self, time: time, write: write)
    }
  }
}
