// Credential plugins: a program that prints an ExecCredential, as kubectl runs them.
//
// One run of the program, no state: ExecCredentials decides when to run it.

import FoundationEssentials
import KubernetesModel
import Subprocess
import SystemPackage

/// How to run a credential plugin.
struct ExecPlugin: Sendable {
  /// A name to look up in PATH, or a path.
  var command: String
  var arguments: [String]
  /// The whole environment, without KUBERNETES_EXEC_INFO.
  var environment: [String: String]
  /// `client.authentication.k8s.io/v1`, or `/v1beta1`.
  var apiVersion: String
  /// What the plugin is told of the cluster, if it wants that.
  var cluster: JSONValue?
  /// How people get the program.
  var installHint: String?

  /// What a run yields.
  struct Answer: Sendable {
    var credential: Credential
    /// When it has to be asked for again; `nil` when it does not expire.
    var expiry: Timestamp?
  }

  private static let longestRun = Duration.seconds(30)
  private static let largestOutput = 1 << 20

  /// Runs the program.
  /// - Throws: `TransportError` of kind `notSent`.
  func run() async throws(TransportError) -> Answer {
    let output: String
    do {
      output = try await withThrowingTaskGroup(of: String.self) { group in
        group.addTask { try await launch() }
        group.addTask {
          try await ContinuousClock().sleep(for: Self.longestRun)
          throw failure("it did not end within \(Self.longestRun.components.seconds) seconds")
        }
        defer { group.cancelAll() }
        return try await group.next() ?? ""
      }
    } catch let error as TransportError {
      throw error
    } catch {
      throw failure("it could not be run (\(error))" + (installHint.map { ": \($0.oneLine)" } ?? ""))
    }
    return try answer(from: output)
  }

  private func launch() async throws -> String {
    var environment = environment
    environment["KUBERNETES_EXEC_INFO"] = String(decoding: try JSON.encode(execInfo), as: UTF8.self)
    let variables = environment.compactMap { name, value in
      Environment.Key(rawValue: name).map { ($0, value) }
    }
    let result = try await Subprocess.run(
      command.contains("/") ? .path(FilePath(command)) : .name(command),
      arguments: Arguments(arguments),
      environment: .custom(Dictionary(variables) { $1 }),
      input: .none,
      output: .string(limit: Self.largestOutput),
      error: .string(limit: Self.largestOutput)
    )
    guard result.terminationStatus.isSuccess else {
      let words = result.standardError.oneLine.prefix(300)
      throw failure("it ended with \(result.terminationStatus)" + (words.isEmpty ? "" : ": \(words)"))
    }
    return result.standardOutput
  }

  private var execInfo: JSONValue {
    var info: JSONValue = ["kind": "ExecCredential", "apiVersion": .string(apiVersion), "spec": ["interactive": false]]
    if let cluster { info["spec"]["cluster"] = cluster }
    return info
  }

  // Nothing of the output goes into an error: it may hold a token.
  private func answer(from output: String) throws(TransportError) -> Answer {
    guard let document = try? JSON.decode(JSONValue.self, from: Data(output.utf8)), document.object != nil else {
      throw failure("it did not print a JSON object")
    }
    guard document["kind"].string == "ExecCredential", document["apiVersion"].string == apiVersion else {
      throw failure("it did not print an ExecCredential of \(apiVersion)")
    }
    let status = document["status"]
    var credential = Credential.none
    if let token = status["token"].string, !token.isEmpty {
      guard token.allSatisfy({ $0.isASCII && !$0.isWhitespace }) else {
        throw failure("there are characters in its status.token that no token has")
      }
      credential = .bearer(token)
    }
    switch (status["clientCertificateData"].string, status["clientKeyData"].string) {
    case (nil, nil): break
    case (let certificate?, let key?):
      credential.clientCertificate = ClientCertificate(certificate: Data(certificate.utf8), key: Data(key.utf8))
    default: throw failure("it printed only one of clientCertificateData and clientKeyData")
    }
    guard credential != .none else { throw failure("it printed neither status.token nor a client certificate") }
    guard let text = status["expirationTimestamp"].string else { return Answer(credential: credential) }
    guard let expiry = Timestamp(text) else { throw failure("its status.expirationTimestamp is no RFC 3339 time") }
    return Answer(credential: credential, expiry: expiry)
  }

  private func failure(_ problem: String) -> TransportError {
    TransportError(.notSent, "the credential plugin \(command) gave no credential: \(problem)")
  }
}
