// One request on its way and its answer: the object that a task and the engine thread share.

import FoundationEssentials
import Synchronization

/// All that the engine needs to know to send a request.
struct PreparedRequest: Sendable {
  var method: APIRequest.Method
  var url: String
  /// `Name: value` lines, the credential among them.
  var headers: [String]
  var body: Data?
  var connection: ConnectionSettings
  var clientCertificate: ClientCertificate?
  /// For the whole transfer; `nil` is without limit.
  var timeout: Duration? = nil
  /// Until the answer's head is there.
  var headTimeout: Duration? = nil
}

/// One request and its answer.
final class Transfer: Sendable {
  let request: PreparedRequest
  private let state: Mutex<TransferState>

  init(_ request: PreparedRequest, limit: BodyLimit) {
    self.request = request
    state = Mutex(TransferState(limit: limit))
  }

  var isFinished: Bool { state.withLock { $0.isFinished } }
  var hasHead: Bool { state.withLock { $0.head != nil } }

  // MARK: The engine's side

  func receive(head: ResponseHead) {
    state.withLock { $0.receive(head: head) }?()
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> TransferState.Receipt {
    let (receipt, wake) = state.withLock { $0.receive(bytes) }
    wake?()
    return receipt
  }

  func finish(_ outcome: Result<Void, any Error>) {
    state.withLock { $0.finish(outcome) }?()
  }

  // MARK: The reader's side

  func cancel() {
    state.withLock { $0.cancel() }?()
  }

  func wait(for awaited: TransferState.Awaited) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let isOver = state.withLock { state in
        state.wait(for: awaited) { continuation.resume() }
      }
      if isOver { continuation.resume() }
    }
  }

  /// The answer's head, once there; an answer that has begun but failed since still has one.
  func head() throws -> ResponseHead {
    try state.withLock { state in
      if let head = state.head { return head }
      throw state.failure ?? TransportError(.noAnswer, "the answer has no head")
    }
  }

  var failure: (any Error)? { state.withLock { $0.failure } }

  func take() -> TransferState.Piece {
    state.withLock { $0.take() }
  }
}
