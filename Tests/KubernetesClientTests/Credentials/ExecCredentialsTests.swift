import FoundationEssentials
import KubernetesModel
import Testing

@testable import KubernetesClient

/// The plugin is a shell script that counts its runs in the file `runs`.
@Suite("Credential plugins", .timeLimit(.minutes(5)))
struct ExecCredentialsTests {
  static let version = "client.authentication.k8s.io/v1"

  let folder: TemporaryFolder
  let time = ManualTime()

  init() throws { folder = try TemporaryFolder() }

  /// The configuration of a kubeconfig whose user is a script that prints `status`.
  func source(
    status: String,
    version: String = version,
    more: String = "",
    script: String = ""
  ) throws -> any CredentialSource {
    try folder.write(
      "plugin",
      """
      #!/bin/sh
      cd "$(dirname "$0")"
      echo run >> runs
      n=$(wc -l < runs)
      printf '%s' "$KUBERNETES_EXEC_INFO" > info
      \(script)
      cat <<END
      {"kind":"ExecCredential","apiVersion":"\(version)","status":\(status)}
      END
      """,
      isExecutable: true
    )
    let user = "exec: {command: ./plugin, apiVersion: \(version), args: [a, b], env: [{name: WHO, value: me}]\(more)}"
    let config = try folder.write("config", KubeconfigTests.text(user: user))
    return try ClientConfiguration.load(
      kubeconfig: config,
      environment: ["PATH": "/usr/bin:/bin"],
      time: time
    ).credentials
  }

  var runs: Int {
    FileManager.default.contents(atPath: folder.path + "/runs")?.count { $0 == UInt8(ascii: "\n") } ?? 0
  }

  @Test("a plugin gets its arguments and environment, and its token is used until further notice")
  func token() async throws {
    let source = try source(status: #"{"token":"$WHO-$1-$2-$n"}"#, script: "set -- \"$@\"")
    #expect(try await source.credential() == .bearer("me-a-b-1"))
    time.advance(by: .seconds(100_000))
    #expect(try await source.credential() == .bearer("me-a-b-1"))
    #expect(try await source.replacement(for: .bearer("me-a-b-1")) == .bearer("me-a-b-2"))
    #expect(try await source.replacement(for: .bearer("me-a-b-1")) == .bearer("me-a-b-2"))
    #expect(runs == 2)
  }

  @Test("a plugin is asked again shortly before its credential expires")
  func expiry() async throws {
    let expiry = Timestamp(Date(timeIntervalSince1970: 1_700_000_600))
    let source = try source(status: #"{"token":"$n","expirationTimestamp":"\#(expiry)"}"#)
    #expect(try await source.credential() == .bearer("1"))
    time.advance(by: .seconds(580))
    #expect(try await source.credential() == .bearer("1"))
    time.advance(by: .seconds(15))
    #expect(try await source.credential() == .bearer("2"))
  }

  @Test("requests that need a credential at the same time share one run")
  func sharedRun() async throws {
    let source = try source(status: #"{"token":"$n"}"#, script: "sleep 0.2")
    let seen = try await withThrowingTaskGroup(of: Credential.self) { group in
      for _ in 0..<20 { group.addTask { try await source.credential() } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(seen == [.bearer("1")])
  }

  @Test(
    "client certificates from a plugin, and the cluster told to it",
    arguments: [
      version, "client.authentication.k8s.io/v1beta1",
    ]
  )
  func certificate(version: String) async throws {
    let source = try source(
      status: #"{"clientCertificateData":"C","clientKeyData":"K"}"#,
      version: version,
      more: ", provideClusterInfo: true"
    )
    let pair = ClientCertificate(certificate: Data("C".utf8), key: Data("K".utf8))
    #expect(try await source.credential() == Credential(clientCertificate: pair))
    let info = try JSON.decode(
      JSONValue.self,
      from: try #require(FileManager.default.contents(atPath: folder.path + "/info"))
    )
    #expect(
      info == [
        "kind": "ExecCredential", "apiVersion": .string(version),
        "spec": ["interactive": false, "cluster": ["server": "https://h:6443"]],
      ]
    )
  }

  @Test(
    "a plugin that gives no credential is named, with the reason and without its output",
    arguments: [
      (#"{"token":""}"#, "", "it printed neither status.token nor a client certificate"),
      ("SECRET", "", "it did not print a JSON object"),
      (#"{"clientKeyData":"SECRET"}"#, "", "it printed only one of clientCertificateData and clientKeyData"),
      (#"{"token":"SECRET","expirationTimestamp":"soon"}"#, "", "its status.expirationTimestamp is no RFC 3339 time"),
      (#"{"token":"SECRET x"}"#, "", "there are characters in its status.token that no token has"),
      ("{}", "echo 'log in\n first' >&2; exit 3", "it ended with exited(3): log in first"),
    ]
  )
  func failures(status: String, script: String, reason: String) async throws {
    let source = try source(status: status, script: script)
    let error = await #expect(throws: TransportError.self) { try await source.credential() }
    #expect(error?.kind == .notSent)
    #expect(error?.description == "the credential plugin \(folder.path)/./plugin gave no credential: \(reason)")
  }

  @Test("a plugin that is not installed comes with the hint how to get it")
  func notInstalled() async throws {
    let user = "exec: {command: no-such-plugin, apiVersion: \(Self.version), installHint: 'get it\n there'}"
    let config = try folder.write("config", KubeconfigTests.text(user: user))
    let source = try ClientConfiguration.load(kubeconfig: config, environment: ["PATH": "/bin"]).credentials
    let error = await #expect(throws: TransportError.self) { try await source.credential() }
    #expect(error?.description.hasPrefix("the credential plugin no-such-plugin gave no credential: ") == true)
    #expect(error?.description.hasSuffix(": get it there") == true)
  }
}
