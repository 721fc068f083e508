// The body of a streamed answer, as an asynchronous sequence.

import FoundationEssentials

/// Pieces of a body as they arrive. Letting go of the sequence and its iterator ends the transfer.
struct StreamBody: AsyncSequence, Sendable {
  typealias Element = Data
  typealias Failure = any Error

  private let lease: Lease

  init(transfer: Transfer, engine: CurlEngine) {
    lease = Lease(transfer: transfer, engine: engine)
  }

  func makeAsyncIterator() -> Iterator { Iterator(lease: lease) }

  struct Iterator: AsyncIteratorProtocol {
    fileprivate let lease: Lease

    mutating func next() async throws -> Data? { try await lease.next() }
    mutating func next(isolation actor: isolated (any Actor)?) async throws -> Data? { try await lease.next() }
  }

  /// Interest in a transfer; the transfer ends with it.
  fileprivate final class Lease: Sendable {
    private let transfer: Transfer
    private let engine: CurlEngine

    init(transfer: Transfer, engine: CurlEngine) {
      self.transfer = transfer
      self.engine = engine
    }

    deinit { engine.abort(transfer) }

    func next() async throws -> Data? {
      while true {
        switch transfer.take() {
        case .bytes(let bytes, let resume):
          if resume { engine.resume(transfer) }
          return bytes
        case .end: return nil
        case .failed(let error): throw error
        case .notYet:
          await withTaskCancellationHandler {
            await transfer.wait(for: .piece)
          } onCancel: {
            engine.abort(transfer)
          }
        }
      }
    }
  }
}
