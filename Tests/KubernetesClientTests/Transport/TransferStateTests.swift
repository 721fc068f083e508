import FoundationEssentials
import Synchronization
import Testing

@testable import KubernetesClient

@Suite("The state of a transfer")
struct TransferStateTests {
  private func receive(_ text: String, in state: inout TransferState) -> TransferState.Receipt {
    Data(text.utf8).withUnsafeBytes { state.receive($0).0 }
  }

  private func text(_ piece: TransferState.Piece) -> String? {
    if case .bytes(let bytes, _) = piece { String(decoding: bytes, as: UTF8.self) } else { nil }
  }

  @Test("a sender pauses at the bound, and goes on when what was there has been taken")
  func pausing() {
    var state = TransferState(limit: .pieces(4))
    #expect(receive("abc", in: &state) == .taken)
    #expect(receive("de", in: &state) == .pause)
    guard case .bytes(let bytes, resume: true) = state.take() else {
      Issue.record("the sender is not told to go on")
      return
    }
    #expect(bytes == Data("abc".utf8))
    #expect(receive("de", in: &state) == .taken)
    guard case .bytes(_, resume: false) = state.take() else {
      Issue.record("a sender that was not paused is told to go on")
      return
    }
  }

  @Test("a piece that is larger than the bound gets through by itself")
  func largePiece() {
    var state = TransferState(limit: .pieces(4))
    #expect(receive("abcdefgh", in: &state) == .taken)
    #expect(text(state.take()) == "abcdefgh")
  }

  @Test("a whole answer beyond its bound is too large")
  func tooLarge() {
    var state = TransferState(limit: .whole(4))
    #expect(receive("abcd", in: &state) == .taken)
    #expect(receive("e", in: &state) == .tooLarge)
  }

  @Test("what had arrived is read before the failure, but not after a cancellation")
  func order() {
    let failure = Result<Void, any Error>.failure(TransportError(.noAnswer, "gone"))
    var failed = TransferState(limit: .pieces(4))
    _ = receive("abc", in: &failed)
    _ = failed.finish(failure)
    #expect(text(failed.take()) == "abc")
    guard case .failed(let error) = failed.take() else {
      Issue.record("no failure")
      return
    }
    #expect(error is TransportError)

    var cancelled = TransferState(limit: .pieces(4))
    _ = receive("abc", in: &cancelled)
    _ = cancelled.cancel()
    _ = cancelled.finish(failure)
    guard case .failed(let cancellation) = cancelled.take() else {
      Issue.record("no failure")
      return
    }
    #expect(cancellation is CancellationError)
  }

  @Test("a waiter is woken once, by what it waits for or by the end")
  func waking() {
    let woken = Mutex(0)
    var state = TransferState(limit: .pieces(4))
    #expect(!state.wait(for: .head) { woken.withLock { $0 += 1 } })
    #expect(Data("a".utf8).withUnsafeBytes { state.receive($0).1 == nil })
    state.receive(head: ResponseHead(statusCode: 200, headers: [:]))?()
    #expect(state.receive(head: ResponseHead(statusCode: 200, headers: [:])) == nil)
    #expect(state.wait(for: .piece) {})
    #expect(!state.wait(for: .everything) { woken.withLock { $0 += 1 } })
    state.finish(.success(()))?()
    #expect(state.wait(for: .everything) {})
    #expect(woken.withLock { $0 } == 2)
  }
}
