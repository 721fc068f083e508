import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import TestSupport
import Testing

@testable import StandaloneAPI

/// Sockets, addresses, tokens and kubeconfigs.
@Suite("Where the API is, and for whom", .timeLimit(.minutes(5)))
struct PlaceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func mode(_ path: String) -> UInt32 {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  /// Whether a front comes up on a socket at `path`.
  private func listen(at path: String) async throws {
    let front = APIFront(
      transport: Echo(), socket: SocketFile(path: path), address: nil, token: nil, time: SystemTime(),
      logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
    struct Listening: Error {}
    do {
      try await front.run { _ in throw Listening() }
    } catch is Listening {
      return
    }
  }

  @Test("the socket is its owner's alone, in a folder of its owner's alone, and gone afterwards")
  func socket() async throws {
    let path = try await RunningFront.with(Echo(), in: folder) { front in
      #expect(mode(front.socket) == 0o600)
      #expect(mode(folder.path + "/private") == 0o700)
      return front.socket
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("a socket that nobody listens at any more is replaced; one that somebody listens at is not")
  func stale() async throws {
    try await RunningFront.with(Echo(), in: folder) { front in
      let error = await #expect(throws: APIFront.CannotListen.self) { try await listen(at: front.socket) }
      #expect(error?.description.contains("another process listens there") == true)
      let answer = try await front.get("/livez", overSocket: true)
      #expect(answer.contains("200"))
      // As a killed process leaves it: the file is there, and nobody behind it.
      #expect(link(front.socket, folder.path + "/left") == 0)
    }
    try await listen(at: folder.path + "/left")
  }

  @Test("a socket is not put where it cannot be, or is not safe")
  func unusable() async throws {
    try folder.write("file", "text")
    let file = await #expect(throws: APIFront.CannotListen.self) { try await listen(at: folder.path + "/file") }
    #expect(file?.description.contains("is no socket") == true)
    let long = folder.path + "/" + String(repeating: "x", count: 100)
    let path = await #expect(throws: APIFront.CannotListen.self) { try await listen(at: long) }
    #expect(path?.description.contains("at most 106") == true)
    try folder.makeFolder("open")
    #expect(chmod(folder.path + "/open", 0o777) == 0)
    let open = await #expect(throws: APIFront.CannotListen.self) { try await listen(at: folder.path + "/open/socket") }
    #expect(open?.description.contains("chmod 700") == true)
  }

  @Test(
    "an address must be on the loopback interface", arguments: ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"])
  func loopback(text: String) throws {
    #expect(try LoopbackAddress(text)?.description == text)
  }

  @Test(
    "any other address is refused, and the way out is named",
    arguments: [
      "0.0.0.0:8443", ":8443", "192.168.0.1:8443", "[::]:8443", "example.com:8443", "[::2]:8443", "128.0.0.1:8443",
    ])
  func foreign(text: String) {
    let error = #expect(throws: LoopbackAddress.Invalid.self) { try LoopbackAddress(text) }
    #expect(error?.description.contains("ssh -L 8443:127.0.0.1:8443") == true)
  }

  @Test("the token is made once, and only its owner can read it")
  func token() throws {
    let file = folder.path + "/token"
    let token = try APIToken.load(file: file)
    #expect(mode(file) == 0o600)
    #expect(token.value.count == 64)
    #expect(try APIToken.load(file: file) == token)
    #expect(try APIToken.load(file: folder.path + "/other") != token)
    #expect("\(token)" == "an API token")
  }

  @Test("a token that others could read, or that is none, is not used")
  func badToken() throws {
    let file = folder.path + "/token"
    try folder.write("token", "short\n")
    #expect(chmod(file, 0o600) == 0)
    #expect(throws: PrivateFile.Failure.self) { try APIToken.load(file: file) }
    try folder.write("token", String(repeating: "a", count: 64))
    #expect(chmod(file, 0o644) == 0)
    let error = #expect(throws: PrivateFile.Failure.self) { try APIToken.load(file: file) }
    #expect(error?.description.contains("others may read it") == true)
  }

  @Test("the kubeconfig is its owner's alone, also when it replaces another one")
  func kubeconfig() async throws {
    let file = folder.path + "/kubeconfig"
    try folder.write("kubeconfig", "old")
    let address = try #require(try LoopbackAddress("[::1]:0"))
    try KubeconfigFile(path: file).write(address: address, port: 7, token: RunningFront.token, namespace: "photos")
    #expect(mode(file) == 0o600)
    let configuration = try ClientConfiguration.load(kubeconfig: file, environment: [:])
    #expect(configuration.connection.server == "http://[::1]:7")
    #expect(configuration.namespace == "photos")
    #expect(
      try await configuration.credentials.credential()
        == .basic(user: "bucket-sync", password: RunningFront.token.value))
  }

  @Test("a file that cannot be written says which one and why, and leaves nothing")
  func unwritable() throws {
    let file = PrivateFile(path: folder.path + "/none/file")
    let error = #expect(throws: PrivateFile.Failure.self) { try file.write(Data("x".utf8)) }
    #expect(error?.description == "\(folder.path)/none/file: cannot be written: No such file or directory")
  }
}
