// What can happen between a process and the API server, request by request.

package import KubernetesClient
import Synchronization

/// What happens to one request.
package enum Fault: Sendable, Hashable {
  /// The process dies before the request is sent: nothing it does from now on has any effect.
  case deathBefore
  /// The process dies when the request has taken effect.
  case deathAfter
  /// The request takes effect, but no answer arrives in time.
  case lostAnswer
  /// The request has no effect and is refused.
  case refused(Refusal)
  /// The request takes effect, and is answered with a refusal nevertheless.
  case refusedButApplied(Refusal)

  package static let conflict = Fault.refused(Refusal(409, "Conflict", "the object has been modified"))
  package static let serverError = Fault.refused(Refusal(500, "InternalError", "the server has a bad day"))
  package static let gatewayTimeout = Fault.refusedButApplied(Refusal(504, "Timeout", "it took too long"))
}

/// One process's way to the server.
package final class FaultyConnection: APITransport {
  /// One request as it was sent.
  package struct Record: Sendable, CustomStringConvertible {
    package var method: APIRequest.Method
    package var path: String
    package var isWrite: Bool { method != .get }
    package var description: String { "\(method.rawValue) \(path)" }
  }

  private struct State {
    var sent: [Record] = []
    var isDead = false
  }

  private let server: any APITransport
  private let plan: @Sendable (_ number: Int, APIRequest) -> Fault?
  private let afterRequest: @Sendable () -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - fault: What happens to a request, by its number, which counts from 0.
  ///   - afterRequest: Called when a request has been served, before its answer arrives.
  package init(
    to server: any APITransport, afterRequest: @escaping @Sendable () -> Void = {},
    fault: @escaping @Sendable (_ number: Int, APIRequest) -> Fault? = { _, _ in nil }
  ) {
    self.server = server
    plan = fault
    self.afterRequest = afterRequest
  }

  /// Everything sent so far.
  package var sent: [Record] { state.withLock { $0.sent } }

  /// Whether the process has died.
  package var isDead: Bool { state.withLock { $0.isDead } }

  package func send(_ request: APIRequest) async throws -> APIResponse {
    let dead = TransportError(.noAnswer, "this process is dead")
    let fault = try state.withLock { state in
      if state.isDead { throw dead }
      state.sent.append(Record(method: request.method, path: request.path))
      let fault = plan(state.sent.count - 1, request)
      if fault == .deathBefore || fault == .deathAfter { state.isDead = true }
      return fault
    }
    if fault == .deathBefore { throw dead }
    if case .refused(let refusal) = fault { return refusal.response }
    let response = try await server.send(request)
    afterRequest()
    switch fault {
    case .deathAfter: throw dead
    case .lostAnswer: throw TransportError(.timedOut, "no answer in time")
    case .refusedButApplied(let refusal): return refusal.response
    default: return response
    }
  }

  package func stream(_ request: APIRequest) async throws -> APIStream { try await server.stream(request) }
}
