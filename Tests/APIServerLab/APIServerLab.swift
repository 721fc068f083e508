// The embedded API server alone, behind HTTP, for the contract tests: with the chart's resource types, and logs of pods
// that nobody runs.
//
//     standalone-api-lab DIRECTORY CRD…    prints the path of a kubeconfig, and runs until SIGTERM
//
// Tests/with-standalone-api runs a command against it.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import StandaloneAPI

@main
enum APIServerLab {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let directory = arguments.first, arguments.count > 1 else {
      throw Usage()
    }
    let definitions = try arguments.dropFirst().map { file in
      let text = String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
      return try ResourceDefinition(customResource: try YAML.document(in: text))
    }
    let time = SystemTime()
    let logger = Logger(label: "lab") { StreamLogHandler.standardError(label: $0) }
    let server = try EmbeddedAPIServer(
      file: "\(directory)/state.sqlite", catalog: ResourceCatalog(definitions + ResourceDefinition.builtIn),
      makesNamespaces: false, logs: SameLogs(), time: time, logger: logger)
    let client = KubernetesClient(transport: server, time: time)
    let namespace: JSONValue = ["metadata": ["name": "default"]]
    _ = try await client.create(namespace, of: ResourceDefinition.namespaces.type, namespace: nil)
    let token = try APIToken.load(file: "\(directory)/token")
    let address = try LoopbackAddress("127.0.0.1:0")
    let front = APIFront(
      transport: Lab(server: server), socket: SocketFile(path: "\(directory)/api.socket"), address: address,
      token: token,
      time: time, logger: logger)
    let kubeconfig = KubeconfigFile(path: "\(directory)/kubeconfig")
    try await withThrowingTaskGroup { tasks in
      tasks.addTask { try await server.run() }
      tasks.addTask {
        try await front.run { port in
          guard let address else { return }
          try kubeconfig.write(address: address, port: port, token: token, namespace: "default")
          let line = Array("\(directory)/kubeconfig\n".utf8)
          _ = write(STDOUT_FILENO, line, line.count)
        }
      }
      try await tasks.waitForAll()
    }
  }
}

private struct Usage: Error, CustomStringConvertible {
  let description = "usage: standalone-api-lab DIRECTORY CRD…"
}

/// The server, and a way to make it forget: a real one is told by way of etcd.
private struct Lab: APITransport {
  let server: EmbeddedAPIServer

  func send(_ request: APIRequest) async throws -> APIResponse {
    guard request.path == "/lab/compact" else { return try await server.send(request) }
    try await server.compact(to: request.query.first { $0.name == "revision" }.flatMap { Int64($0.value) })
    return APIResponse(statusCode: 200)
  }

  func stream(_ request: APIRequest) async throws -> APIStream { try await server.stream(request) }
}

/// What a container says is the job runner's business; here each has said the same.
private struct SameLogs: ContainerLogs {
  func log(_ request: ContainerLogRequest) async -> APIStream {
    guard !request.previous else {
      return APIStream(
        statusCode: 400, headers: ["content-type": "application/json"],
        body: Self.stream(Data(#"{"kind":"Status","status":"Failure","code":400,"reason":"BadRequest"}"#.utf8)))
    }
    let text = "rclone v0\n- of the lab\n- in \(request.pod)\n"
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true).map { "\($0)\n" }
    let tail = request.tailLines.map { lines.suffix($0).joined() } ?? text
    let data = Data(request.limitBytes.map { String(tail.prefix($0)) }?.utf8 ?? tail.utf8)
    return APIStream(statusCode: 200, headers: ["content-type": "text/plain"], body: Self.stream(data))
  }

  private static func stream(_ data: Data) -> AsyncThrowingStream<Data, any Error> {
    let (body, continuation) = AsyncThrowingStream<Data, any Error>.makeStream()
    continuation.yield(data)
    continuation.finish()
    return body
  }
}
