// The engine: one thread that owns a curl_multi and every easy handle, because libcurl handles belong to one thread.
//
// Tasks talk to it through a mailbox and curl_multi_wakeup; it talks to them through their Transfer. Running all
// transfers in one multi handle is what lets them share one HTTP/2 connection.

import CCurl
import Synchronization

/// A running libcurl; stops, and joins its thread, when the last reference goes.
final class CurlEngine: Sendable {
  private let thread: EngineThread
  private var mailbox: Mailbox { thread.mailbox }

  /// Starts the engine's thread.
  init() throws(TransportError) { thread = try EngineThread() }

  deinit { stop() }

  /// Ends all transfers and waits for the thread's end. What is started afterwards fails.
  func stop() { thread.stop() }

  /// Begins a transfer.
  func start(_ transfer: Transfer) {
    guard !mailbox.post(.start(transfer)) else { return }
    transfer.finish(.failure(TransportError(.notSent, "the connection to Kubernetes was closed by this program")))
  }

  /// Lets a transfer that was paused go on.
  func resume(_ transfer: Transfer) { mailbox.post(.resume(transfer)) }

  /// Ends a transfer that nobody waits for any longer.
  func abort(_ transfer: Transfer) {
    transfer.cancel()
    mailbox.post(.abort(transfer))
  }
}

/// Commands from tasks to the engine's thread.
final class Mailbox: Sendable {
  enum Command: Sendable {
    case start(Transfer)
    case resume(Transfer)
    case abort(Transfer)
  }

  private struct State: @unchecked Sendable {
    /// To be woken; `nil` once closed. Only curl_multi_wakeup may be called on it here.
    var multi: UnsafeMutableRawPointer?
    var commands: [Command] = []
  }

  private let state: Mutex<State>

  init(multi: UnsafeMutableRawPointer) { state = Mutex(State(multi: multi)) }

  /// `false` when closed.
  @discardableResult
  func post(_ command: Command) -> Bool {
    state.withLock { state in
      guard let multi = state.multi else { return false }
      state.commands.append(command)
      if state.commands.count == 1 { curl_multi_wakeup(multi) }
      return true
    }
  }

  func close() {
    state.withLock { state in
      if let multi = state.multi { curl_multi_wakeup(multi) }
      state.multi = nil
    }
  }

  /// All commands in order, and whether the engine is to stop.
  func collect() -> (commands: [Command], isClosed: Bool) {
    state.withLock { state in
      defer { state.commands = [] }
      return (state.commands, state.multi == nil)
    }
  }
}
