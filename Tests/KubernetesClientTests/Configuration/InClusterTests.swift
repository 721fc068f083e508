import FoundationEssentials
import Testing

@testable import KubernetesClient

@Suite("Configuration within a pod")
struct InClusterTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("token", "one\n")
    try folder.write("ca.crt", KubeconfigTests.pem)
    try folder.write("namespace", "here\n")
  }

  func load(host: String?) throws -> ClientConfiguration {
    var environment = ["KUBERNETES_SERVICE_PORT": "6443"]
    environment["KUBERNETES_SERVICE_HOST"] = host
    return try ClientConfiguration.load(kubeconfig: "", environment: environment, serviceAccount: folder.path)
  }

  @Test(
    "the service account gives everything; an IPv6 address has brackets",
    arguments: [
      ("10.0.0.1", "https://10.0.0.1:6443"), ("fd00::1", "https://[fd00::1]:6443"),
    ]
  )
  func serviceAccount(host: String, server: String) async throws {
    let configuration = try load(host: host)
    #expect(configuration.connection.server == server)
    #expect(configuration.connection.certificateAuthority == Data(KubeconfigTests.pem.utf8))
    #expect(configuration.namespace == "here")
    #expect(try await configuration.credentials.credential() == .bearer("one"))
  }

  @Test("without a pod, or without a service account, the way out is said")
  func missing() throws {
    let outside = #expect(throws: ConfigurationError.self) { try load(host: nil) }
    #expect(outside?.description.hasSuffix("set --kubeconfig or KUBECONFIG to a kubeconfig file") == true)
    try FileManager.default.removeItem(atPath: folder.path + "/token")
    let tokenless = #expect(throws: ConfigurationError.self) { try load(host: "10.0.0.1") }
    #expect(tokenless?.description.hasPrefix("\(folder.path)/token: there is no service account token") == true)
  }

  @Test("a rotated token is taken up within a minute, and the old one kept while the file is missing")
  func rotation() throws {
    let time = ManualTime()
    let file = TokenFile(path: folder.path + "/token", time: time)
    #expect(try file.credential() == .bearer("one"))
    try folder.write("token", "two")
    time.advance(by: .seconds(60))
    #expect(try file.credential() == .bearer("two"))
    try FileManager.default.removeItem(atPath: folder.path + "/token")
    time.advance(by: .seconds(60))
    #expect(try file.credential() == .bearer("two"))
  }
}
