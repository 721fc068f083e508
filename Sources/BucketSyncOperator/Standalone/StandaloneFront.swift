// Where programs of this machine get at the API of a standalone operator: a socket for its own user, always; a loopback
// address with a token for kubectl, if asked for.

internal import ArgumentParser
internal import KubernetesModel
internal import Logging
internal import StandaloneAPI

/// The ways in.
struct StandaloneFront: Sendable {
  private let front: APIFront
  private let address: LoopbackAddress?
  private let token: APIToken?
  /// Of the kubeconfig.
  private let path: String
  private let namespace: String
  private let logger: Logger

  /// - Throws: What is wrong with the address or the files, and the way out.
  init(
    _ settings: StandaloneSettings, state: StateFolder, server: EmbeddedAPIServer, time: any TimeSource, logger: Logger
  ) throws {
    do {
      address = try settings.apiAddress.flatMap { try LoopbackAddress($0) }
    } catch {
      throw ValidationError("--api-address (API_ADDRESS): \(error)")
    }
    token = address == nil ? nil : try APIToken.load(file: state.token)
    front = APIFront(
      transport: server, socket: SocketFile(path: state.socket), address: address, token: token, time: time,
      logger: logger)
    path = state.kubeconfig
    namespace = settings.defaultNamespace
    self.logger = logger
  }

  /// Serves until the task is cancelled.
  func run() async throws {
    try await front.run { port in
      guard let address, let token else { return }
      try KubeconfigFile(path: path).write(address: address, port: port, token: token, namespace: namespace)
      logger.info("for kubectl", metadata: ["KUBECONFIG": "\(path)"])
    }
  }
}
