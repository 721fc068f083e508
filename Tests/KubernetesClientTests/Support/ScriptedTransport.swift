// A transport whose answers a test writes down beforehand, in order.

import FoundationEssentials
import Synchronization

@testable import KubernetesClient

final class ScriptedTransport: APITransport {
  enum Answer: Sendable {
    case response(Int, String, headers: [String: String] = [:])
    case failure(any Error)
  }

  private let state: Mutex<(answers: [Answer], requests: [APIRequest])>

  var requests: [APIRequest] { state.withLock { $0.requests } }

  init(_ answers: [Answer]) { state = Mutex((answers, [])) }

  func send(_ request: APIRequest) async throws -> APIResponse {
    let (status, headers, body) = try next(request)
    return APIResponse(statusCode: status, headers: headers, body: Data(body.utf8))
  }

  func stream(_ request: APIRequest) async throws -> APIStream {
    let (status, headers, body) = try next(request)
    let pieces = AsyncThrowingStream<Data, any Error> { continuation in
      continuation.yield(Data(body.utf8))
      continuation.finish()
    }
    return APIStream(statusCode: status, headers: headers, body: pieces)
  }

  private func next(_ request: APIRequest) throws -> (Int, [String: String], String) {
    let answer = state.withLock { state -> Answer? in
      state.requests.append(request)
      return state.answers.isEmpty ? nil : state.answers.removeFirst()
    }
    switch answer {
    case .response(let status, let body, let headers): return (status, headers, body)
    case .failure(let error): throw error
    case nil: throw TransportError(.noAnswer, "the script is over")
    }
  }
}
