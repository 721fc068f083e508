// Programs that are run to their end: kubectl above all.

import FoundationEssentials
import Subprocess
import SystemPackage

/// How a program ended and what it printed.
struct ProgramResult: Sendable {
  var code: Int
  var output: String
  var errors: String
}

enum Program {
  /// Runs a program; whatever its exit code, it is the caller's to judge.
  static func run(
    _ program: String,
    _ arguments: [String],
    environment: [String: String] = Testbed.environment,
    input: String = ""
  ) async throws -> ProgramResult {
    let variables = environment.compactMap { name, value in Environment.Key(rawValue: name).map { ($0, value) } }
    let result = try await Subprocess.run(
      program.contains("/") ? .path(FilePath(program)) : .name(program),
      arguments: Arguments(arguments),
      environment: .custom(Dictionary(variables) { $1 }),
      input: .string(input),
      output: .string(limit: 16 << 20),
      error: .string(limit: 1 << 20)
    )
    return ProgramResult(
      code: result.terminationStatus.code,
      output: result.standardOutput,
      errors: result.standardError
    )
  }
}

extension TerminationStatus {
  /// The exit code, or the negative number of the signal.
  var code: Int {
    switch self {
    case .exited(let code): Int(code)
    case .signaled(let signal): -Int(signal)
    }
  }
}

/// kubectl, in one namespace.
struct Kubectl: Sendable {
  let namespace: String

  /// Runs kubectl and returns what it printed.
  /// - Throws: ``KubectlFailed`` if it failed.
  @discardableResult
  func callAsFunction(_ arguments: String..., input: String = "") async throws -> String {
    let result = try await attempt(arguments, input: input)
    guard result.code == 0 else { throw KubectlFailed(arguments: arguments, result: result) }
    return result.output
  }

  /// Runs kubectl, whether it succeeds or not.
  func attempt(_ arguments: [String], input: String = "") async throws -> ProgramResult {
    try await Program.run(Testbed.kubectl, ["--namespace", namespace] + arguments, input: input)
  }
}

/// kubectl said no.
struct KubectlFailed: Error, CustomStringConvertible {
  let arguments: [String]
  let result: ProgramResult

  var description: String { "kubectl \(arguments.joined(separator: " ")): exit code \(result.code): \(result.errors)" }
}
