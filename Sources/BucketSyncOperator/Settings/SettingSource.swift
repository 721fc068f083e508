// Where settings come from: the flag if it was given, else the environment variable of the same meaning.

internal import ArgumentParser
internal import KubernetesModel
internal import OperatorRuntime

/// Environment variables as a fallback for flags. An empty variable counts as unset, as in the Go controller.
public struct SettingSource: Sendable {
  let environment: [String: String]

  /// Settings with these environment variables.
  public init(environment: [String: String]) { self.environment = environment }

  /// The flag's value, or the variable's.
  public func value(_ flag: String?, _ variable: String) -> String? {
    if let flag { return flag.isEmpty ? nil : flag }
    return environment[variable].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// A duration such as `5m`.
  func duration(_ flag: String?, _ name: String, _ variable: String, default fallback: Duration) throws -> Duration {
    guard let text = value(flag, variable) else { return fallback }
    if text == "0" { return .zero }
    let duration: Duration
    do { duration = try DurationText.parse(text) } catch {
      throw ValidationError("--\(name) (\(variable)) \"\(text)\": \(error)")
    }
    guard duration >= .zero else {
      throw ValidationError("--\(name) (\(variable)) \"\(text)\": must not be negative")
    }
    return duration
  }

  /// A switch: `true`, `false`, `1`, `0` …
  func bool(_ flag: Bool?, _ name: String, _ variable: String) throws -> Bool {
    if let flag { return flag }
    guard let text = value(nil, variable) else { return false }
    guard let value = BooleanFlags.value(text) else {
      throw ValidationError("\(variable) \"\(text)\" is no boolean: use true or false")
    }
    return value
  }

  /// An address to listen at.
  func address(_ flag: String?, _ name: String, _ variable: String, default fallback: String) throws -> String {
    let address = value(flag, variable) ?? fallback
    do { _ = try ListenAddress(address) } catch { throw ValidationError("--\(name) (\(variable)): \(error)") }
    return address
  }

  /// A whole number of at least 1.
  func count(_ flag: Int?, _ name: String, _ variable: String, default fallback: Int) throws -> Int {
    guard let text = flag.map(String.init) ?? value(nil, variable) else { return fallback }
    guard let number = Int(text), number >= 1 else {
      throw ValidationError("--\(name) (\(variable)) \"\(text)\" must be a whole number of at least 1")
    }
    return number
  }
}

/// Switches as Go programs take them: `--leader-election`, `--leader-election=true`, `--leader-election=false`.
enum BooleanFlags {
  private static let names = ["--leader-election"]

  /// The arguments in the form that ArgumentParser knows.
  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map { argument in
      for name in names where argument.hasPrefix("\(name)=") {
        guard let on = value(String(argument.dropFirst(name.count + 1))) else { continue }
        return on ? name : "--no-\(name.dropFirst(2))"
      }
      return argument
    }
  }

  /// What Go's `strconv.ParseBool` accepts.
  static func value(_ text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
  }
}
