// An API at the other end of standard input and output: one JSON document per line and direction.
//
//     {"id":1,"method":"GET","path":"/api/v1/pods","query":[["limit","500"]],"isStream":false}
//     {"id":1,"status":200,"body":"eyJp…"}
//     {"id":2,"status":200}  {"id":2,"piece":"eyJ0…"}  {"id":2,"isOver":true}          a stream

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import Synchronization

final class PipedAPI: APITransport {
  private struct Request: Encodable {
    var id: Int
    var method: String
    var path: String
    var query: [[String]]
    var body: Data?
    var contentType: String?
    var isStream: Bool
  }

  private struct Answer: Decodable {
    var id: Int
    var status: Int?
    var body: Data?
    var piece: Data?
    var isOver: Bool?
  }

  private struct State {
    var next = 0
    var answers: [Int: CheckedContinuation<APIResponse, any Error>] = [:]
    var streams: [Int: AsyncThrowingStream<Data, any Error>.Continuation] = [:]
  }

  private let state = Mutex(State())

  init() {
    let raw = Unmanaged.passRetained(self).toOpaque()
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { raw in
        if let raw { Unmanaged<PipedAPI>.fromOpaque(raw).takeUnretainedValue().read() }
        return nil
      }, raw)
  }

  func send(_ request: APIRequest) async throws -> APIResponse { try await ask(request, stream: nil) }

  func stream(_ request: APIRequest) async throws -> APIStream {
    let (body, continuation) = AsyncThrowingStream<Data, any Error>.makeStream()
    let head = try await ask(request, stream: continuation)
    return APIStream(statusCode: head.statusCode, body: body)
  }

  private func ask(
    _ request: APIRequest, stream: AsyncThrowingStream<Data, any Error>.Continuation?
  ) async throws -> APIResponse {
    try await withCheckedThrowingContinuation { continuation in
      state.withLock { state in
        state.next += 1
        state.answers[state.next] = continuation
        state.streams[state.next] = stream
        let line = Request(
          id: state.next, method: request.method.rawValue, path: request.path,
          query: request.query.map { [$0.name, $0.value] }, body: request.body, contentType: request.contentType,
          isStream: stream != nil)
        guard let json = try? JSON.encode(line) else { return }
        var rest = (Array(json) + [UInt8(ascii: "\n")])[...]
        while !rest.isEmpty {
          let count = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
          guard count > 0 else { exit(0) }
          rest = rest.dropFirst(count)
        }
      }
    }
  }

  private func read() {
    while let line = readLine() {
      guard let answer = try? JSON.decode(Answer.self, from: Data(line.utf8)) else { continue }
      state.withLock { state in
        if let status = answer.status {
          state.answers.removeValue(forKey: answer.id)?.resume(
            returning: APIResponse(statusCode: status, body: answer.body ?? Data()))
        }
        if let piece = answer.piece { state.streams[answer.id]?.yield(piece) }
        if answer.isOver == true { state.streams.removeValue(forKey: answer.id)?.finish() }
      }
    }
    // Whoever started it is gone.
    exit(0)
  }
}
