import FoundationEssentials
import Testing

@testable import KubernetesClient

@Suite("Kubeconfig files")
struct KubeconfigTests {
  static let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
  static var pemData: String { Data(pem.utf8).base64EncodedString() }

  /// A kubeconfig with these entries of its cluster and its user.
  static func text(cluster: String = "server: https://h:6443", user: String = "token: t") -> String {
    """
    apiVersion: v1
    kind: Config
    current-context: c
    contexts: [{name: c, context: {cluster: k, user: u, namespace: n}}]
    clusters: [{name: k, cluster: {\(cluster)}}]
    users: [{name: u, user: {\(user)}}]
    """
  }

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func load(_ text: String) throws -> ClientConfiguration {
    try ClientConfiguration.load(kubeconfig: try folder.write("config", text), environment: [:])
  }

  @Test("the current context leads to a server, a user and a namespace")
  func context() async throws {
    let cluster = "server: 'https://h:6443/p/', certificate-authority-data: \(Self.pemData), tls-server-name: n.example"
    let configuration = try load(Self.text(cluster: cluster))
    #expect(configuration.connection.server == "https://h:6443/p")
    #expect(configuration.connection.certificateAuthority == Data(Self.pem.utf8))
    #expect(configuration.connection.tlsServerName == "n.example")
    #expect(configuration.namespace == "n")
    #expect(try await configuration.credentials.credential() == .bearer("t"))
  }

  @Test("credentials in the server's address are sent, unless there is a user; the address that is shown has none")
  func credentialsInServer() async throws {
    let cluster = "server: 'http://me:s%40cret@127.0.0.1:8/p'"
    let text = Self.text(cluster: cluster).replacing("user: u, ", with: "")
    let configuration = try load(text)
    #expect(configuration.connection.server == "http://127.0.0.1:8/p")
    #expect(try await configuration.credentials.credential() == .basic(user: "me", password: "s@cret"))
    #expect(try await load(Self.text(cluster: cluster)).credentials.credential() == .bearer("t"))
    let error = #expect(throws: ConfigurationError.self) { try load(text.replacing("%40", with: "%zz")) }
    #expect(error?.description.contains("cret") == false)
  }

  @Test("files are looked for beside the kubeconfig")
  func relativeFiles() async throws {
    try folder.write("ca.pem", Self.pem)
    try folder.write("token", "from file\n".replacing(" ", with: "-"))
    let configuration = try load(
      Self.text(cluster: "server: https://h, certificate-authority: ca.pem", user: "tokenFile: token, token: t")
    )
    #expect(configuration.connection.certificateAuthority == Data(Self.pem.utf8))
    #expect(try await configuration.credentials.credential() == .bearer("from-file"))
  }

  @Test("client certificates and passwords become credentials")
  func otherUsers() async throws {
    let pair = "client-certificate-data: \(Self.pemData), client-key-data: \(Self.pemData)"
    let certificate = ClientCertificate(certificate: Data(Self.pem.utf8), key: Data(Self.pem.utf8))
    let certified = try await load(Self.text(user: pair)).credentials.credential()
    #expect(certified == Credential(clientCertificate: certificate))
    let basic = try await load(Self.text(user: "username: me, password: secret")).credentials.credential()
    #expect(basic.authorization == "Basic bWU6c2VjcmV0")
    #expect("\(basic) \(certified)" == "an authorization header a client certificate")
  }

  @Test("of several files the first one wins, entry by entry, and missing ones are passed over")
  func merging() async throws {
    let first = try folder.write("1", "current-context: c\nusers: [{name: u, user: {token: first}}]\n")
    let second = try folder.write(
      "2",
      Self.text(user: "token: second").replacing("current-context: c", with: "current-context: x")
    )
    let paths = "\(folder.path)/missing:\(first):\(second)"
    let configuration = try ClientConfiguration.load(kubeconfig: paths, environment: [:])
    #expect(configuration.connection.server == "https://h:6443")
    #expect(try await configuration.credentials.credential() == .bearer("first"))
  }

  @Test(
    "a bad file gets one sentence: where it is wrong, how, and the way out",
    arguments: [
      (
        "a: b: c",
        "line 1, column 5: mapping values are not allowed in this context: this is no YAML, write the file anew or name another one"
      ),
      ("[]", "this is no kubeconfig: it must be a mapping with clusters, users and contexts"),
      ("kind: Job", "kind: this is a Job, not a kubeconfig: name a file whose kind is Config"),
      ("clusters: {}", "clusters: this must be a list"),
      ("users: [{}]", "users[0].name: is missing: every one of users has a name"),
      ("", "current-context is not set: choose one with kubectl config use-context NAME (there are none)"),
      (
        "current-context: x\ncontexts: [{name: a}, {name: b}]",
        "current-context: there is no context x: choose one with kubectl config use-context NAME (a, b)"
      ),
      (
        "current-context: a\ncontexts: [{name: a}]",
        "contexts[name=a].context.cluster: is missing: name one of clusters (there are none)"
      ),
      (
        "current-context: a\ncontexts: [{name: a, context: {cluster: x}}]",
        "contexts[name=a].context.cluster: there is no cluster x: name one of clusters (there are none)"
      ),
      (
        text(cluster: ""),
        "clusters[name=k].cluster.server: is missing: set it to the API server's address, https://HOST:PORT"
      ),
      (text(cluster: "server: 12"), "clusters[name=k].cluster.server: this must be text: put it in quotes"),
      (
        text(cluster: "server: h"), "clusters[name=k].cluster.server: this is no address: write it as https://HOST:PORT"
      ),
      (
        text(cluster: "server: https://h, certificate-authority-data: '*'"),
        "clusters[name=k].cluster.certificate-authority-data: this is not base64: take the value over whole, or name a file in certificate-authority"
      ),
      (
        text(cluster: "server: https://h, certificate-authority-data: AAAA"),
        "clusters[name=k].cluster.certificate-authority-data: this is no PEM (-----BEGIN …): convert it, or name another file"
      ),
      (
        text(cluster: "server: https://h, certificate-authority: /none"),
        "clusters[name=k].cluster.certificate-authority: the file /none cannot be read: create it, or put its content into certificate-authority-data"
      ),
      (
        text(cluster: "server: https://h, insecure-skip-tls-verify: maybe"),
        "clusters[name=k].cluster.insecure-skip-tls-verify: this must be true or false"
      ),
      (
        text(cluster: "server: https://h, proxy-url: 'ftp://x'"),
        "clusters[name=k].cluster.proxy-url: this is no proxy's address: write it as http://, https:// or socks5://HOST:PORT"
      ),
      (
        text(user: "client-certificate-data: \(pemData)"),
        "users[name=u].user.client-key: is missing, yet there is a client-certificate: add client-key-data"
      ),
      (
        text(user: "token: 'a b'"),
        "users[name=u].user.token: there are characters in it that no token has: take the value over whole"
      ),
      (text(user: "username: me"), "users[name=u].user.password: is missing: a username needs one"),
      (
        text(user: "auth-provider: {name: gcp}"),
        "users[name=u].user.auth-provider: this way to log in is not supported, nor is it by kubectl since 1.26: use exec, a token or a client certificate"
      ),
      (
        text(user: "as: root"),
        "users[name=u].user.as: impersonation is not supported: use the credentials of the user itself"
      ),
      (
        text(user: "exec: {command: x}"),
        "users[name=u].user.exec.apiVersion: is missing: set it to client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1"
      ),
      (
        text(user: "exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}"),
        "users[name=u].user.exec.apiVersion: client.authentication.k8s.io/v1alpha1 is not supported: set it to client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1, and update the plugin if need be"
      ),
      (
        text(user: "exec: {apiVersion: client.authentication.k8s.io/v1}"),
        "users[name=u].user.exec.command: is missing: name the program that prints the credential"
      ),
    ]
  )
  func badFiles(text: String, message: String) {
    let error = #expect(throws: ConfigurationError.self) { try load(text) }
    #expect(error?.description == "\(folder.path)/config: \(message)")
  }

  @Test("a file that is not there is named")
  func missingFile() {
    let error = #expect(throws: ConfigurationError.self) {
      try ClientConfiguration.load(kubeconfig: "/none", environment: [:])
    }
    #expect(
      error?.description == "/none: there is no such file: set --kubeconfig or KUBECONFIG to a readable kubeconfig file"
    )
  }
}
