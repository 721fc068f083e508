// One transfer, as seen from both ends: the engine puts in what arrives, a task takes it out. No I/O, no waiting.

import FoundationEssentials

/// How much of an answer may be in memory.
enum BodyLimit: Sendable {
  /// The answer is taken as a whole; one that is larger fails.
  case whole(Int)
  /// The answer is taken in pieces; the sender has to wait while so many bytes have not been taken.
  case pieces(Int)
}

/// The beginning of an answer.
struct ResponseHead: Sendable, Equatable {
  var statusCode: Int
  var headers: [String: String]
}

/// What has arrived, what was taken, and who waits.
struct TransferState: Sendable {
  typealias Wake = @Sendable () -> Void

  /// What a reader can wait for.
  enum Awaited: Sendable { case head, piece, everything }

  /// What becomes of bytes that arrive.
  enum Receipt: Equatable { case taken, pause, tooLarge }

  /// What a reader gets.
  enum Piece {
    /// Bytes; with `resume` the sender is to be told to go on.
    case bytes(Data, resume: Bool)
    case end
    case failed(any Error)
    case notYet
  }

  private(set) var head: ResponseHead?
  private let limit: BodyLimit
  private var buffer = Data()
  private var isPaused = false
  private var outcome: Result<Void, any Error>?
  private var waiter: (awaited: Awaited, wake: Wake)?

  init(limit: BodyLimit) { self.limit = limit }

  var isFinished: Bool { outcome != nil }
  var failure: (any Error)? {
    if case .failure(let error) = outcome { error } else { nil }
  }

  // MARK: The engine's side. Each returns who is to be woken, which the caller does after letting go of the lock.

  mutating func receive(head: ResponseHead) -> Wake? {
    self.head = head
    return takeSatisfiedWaiter()
  }

  mutating func receive(_ bytes: UnsafeRawBufferPointer) -> (Receipt, Wake?) {
    switch limit {
    case .whole(let most) where buffer.count + bytes.count > most:
      return (.tooLarge, nil)
    // A piece that is larger than the limit by itself must get through too.
    case .pieces(let most) where !buffer.isEmpty && buffer.count + bytes.count > most:
      isPaused = true
      return (.pause, nil)
    default:
      buffer.append(contentsOf: bytes)
      return (.taken, takeSatisfiedWaiter())
    }
  }

  /// The first outcome stays.
  mutating func finish(_ outcome: Result<Void, any Error>) -> Wake? {
    if self.outcome == nil { self.outcome = outcome }
    return takeSatisfiedWaiter()
  }

  // MARK: The reader's side

  /// The reader has lost interest: what has arrived is dropped. An answer that is complete already stays whole, for its
  /// reader may be just about to take it.
  mutating func cancel() -> Wake? {
    guard !isFinished else { return nil }
    buffer = Data()
    return finish(.failure(CancellationError()))
  }

  /// Whether the wait is over already; otherwise `wake` is called when it is.
  mutating func wait(for awaited: Awaited, wake: @escaping Wake) -> Bool {
    guard !isSatisfied(awaited) else { return true }
    waiter = (awaited, wake)
    return false
  }

  /// All that has arrived and was not taken.
  mutating func take() -> Piece {
    guard buffer.isEmpty else {
      defer {
        buffer = Data()
        isPaused = false
      }
      return .bytes(buffer, resume: isPaused)
    }
    return switch outcome {
    case .success: .end
    case .failure(let error): .failed(error)
    case nil: .notYet
    }
  }

  private func isSatisfied(_ awaited: Awaited) -> Bool {
    if isFinished { return true }
    return switch awaited {
    case .head: head != nil
    case .piece: !buffer.isEmpty
    case .everything: false
    }
  }

  private mutating func takeSatisfiedWaiter() -> Wake? {
    guard let waiter, isSatisfied(waiter.awaited) else { return nil }
    self.waiter = nil
    return waiter.wake
  }
}
