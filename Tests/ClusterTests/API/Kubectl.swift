// The real kubectl, as our users run it: KUBECTL names it, or the PATH does; KUBECONFIG names the cluster.

import FoundationEssentials
import KubernetesModel
import Subprocess
import SystemPackage
import Testing

enum Kubectl {
  /// What one call printed, and whether it succeeded.
  struct Outcome: Sendable {
    var succeeded: Bool
    var output: String
    var errors: String
  }

  /// Runs kubectl with `arguments`, giving it `input`.
  static func run(_ arguments: String..., input: String = "") async throws -> Outcome {
    try await run(arguments, input: input)
  }

  /// Runs kubectl, which must succeed, and returns what it printed.
  static func output(_ arguments: String..., input: String = "") async throws -> String {
    let outcome = try await run(arguments, input: input)
    try #require(outcome.succeeded, "kubectl \(arguments.joined(separator: " ")): \(outcome.errors)")
    return outcome.output
  }

  /// As above, with arguments in a list.
  static func output(arguments: [String], input: String) async throws -> String {
    let outcome = try await run(arguments, input: input)
    try #require(outcome.succeeded, "kubectl \(arguments.joined(separator: " ")): \(outcome.errors)")
    return outcome.output
  }

  /// Runs kubectl, which must succeed and print one object.
  static func object(_ arguments: String...) async throws -> JSONValue {
    let objects = try await self.objects(arguments)
    try #require(objects.count == 1)
    return objects[0]
  }

  /// Runs kubectl, which must succeed, and returns the objects it printed.
  static func objects(_ arguments: String...) async throws -> [JSONValue] { try await objects(arguments) }

  private static func objects(_ arguments: [String]) async throws -> [JSONValue] {
    let outcome = try await run(arguments + ["--output=json"], input: "")
    try #require(outcome.succeeded, "kubectl \(arguments.joined(separator: " ")): \(outcome.errors)")
    // Several objects are printed as so many documents, indented, one after the other.
    return try outcome.output.split(separator: "\n}\n").map { document in
      try JSON.decode(JSONValue.self, from: Data("\(document)\n}".utf8))
    }
  }

  /// The minor version of the server: 32 for Kubernetes 1.32.
  static func serverMinorVersion() async throws -> Int {
    let text = try await object("version")["serverVersion"]["minor"].string ?? ""
    return try #require(Int(text.prefix { $0.isNumber }))
  }

  private static func run(_ arguments: [String], input: String) async throws -> Outcome {
    let name = Cluster.environment["KUBECTL"] ?? "kubectl"
    let result = try await Subprocess.run(
      name.contains("/") ? .path(FilePath(name)) : .name(name),
      arguments: Arguments(arguments),
      input: .string(input),
      output: .string(limit: 16_000_000),
      error: .string(limit: 1_000_000)
    )
    return Outcome(
      succeeded: result.terminationStatus.isSuccess,
      output: result.standardOutput,
      errors: result.standardError
    )
  }
}
