// What the engine's thread does: take commands, let libcurl work, hand out results, wait.

import CCurl
import FoundationEssentials

/// The loop of the engine's thread. Used on that thread only, after it was made.
final class EngineLoop {
  private let multi: UnsafeMutableRawPointer
  private let mailbox: Mailbox
  private let sockets = OpenSockets()
  private var active: [ObjectIdentifier: EasyTransfer] = [:]
  /// Those of `active` that have to show an answer's head by a certain time.
  private var awaitingHead: [(deadline: ContinuousClock.Instant, transfer: Transfer)] = []

  init(multi: UnsafeMutableRawPointer, mailbox: Mailbox) {
    self.multi = multi
    self.mailbox = mailbox
    curl_multi_setopt_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
    // Kubernetes allows 250 streams on a connection; the default of 100 would open a second one earlier.
    curl_multi_setopt_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 250)
    // Matters only where a proxy or server speaks no HTTP/2: then every watch needs a connection.
    curl_multi_setopt_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 64)
  }

  func run() {
    while true {
      let (commands, isClosed) = mailbox.collect()
      guard !isClosed else { break }
      for command in commands { carryOut(command) }
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      handOutResults()
      endTransfersWithoutHead()
      curl_multi_poll(multi, nil, 0, pollTimeout(), nil)
    }
    shutDown()
  }

  private func carryOut(_ command: Mailbox.Command) {
    switch command {
    case .start(let transfer):
      // Cancelled before it began?
      guard !transfer.isFinished else { return }
      guard let easy = EasyTransfer(transfer, sockets: sockets), curl_multi_add_handle(multi, easy.handle) == CURLM_OK
      else {
        transfer.finish(.failure(TransportError(.notSent, "libcurl refused the request")))
        return
      }
      active[ObjectIdentifier(transfer)] = easy
      if let timeout = transfer.request.headTimeout {
        awaitingHead.append((.now + timeout, transfer))
      }
    case .resume(let transfer):
      if let easy = active[ObjectIdentifier(transfer)] { curl_easy_pause(easy.handle, CURLPAUSE_CONT) }
    case .abort(let transfer):
      remove(transfer)
    }
  }

  private func handOutResults() {
    var left: Int32 = 0
    var finished: [(handle: UnsafeMutableRawPointer, code: CURLcode)] = []
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
      finished.append((handle, curl_message_result(message)))
    }
    for (handle, code) in finished {
      guard let easy = EasyTransfer.of(handle) else { continue }
      let outcome = easy.outcome(of: code)
      if case .failure(let error) = outcome, error.kind == .timedOut { distrustConnection(of: easy) }
      remove(easy.transfer)
      easy.transfer.finish(outcome.mapError { $0 })
    }
  }

  private func endTransfersWithoutHead() {
    awaitingHead.removeAll { $0.transfer.isFinished || $0.transfer.hasHead }
    let now = ContinuousClock.now
    for (deadline, transfer) in awaitingHead where deadline <= now {
      guard let easy = active[ObjectIdentifier(transfer)] else { continue }
      distrustConnection(of: easy)
      remove(transfer)
      transfer.finish(.failure(easy.error(.timedOut, "no answer in time")))
    }
    awaitingHead.removeAll { $0.deadline <= now }
  }

  /// Milliseconds until a head is due; libcurl knows of its own timers and shortens the wait for them.
  private func pollTimeout() -> Int32 {
    guard let next = awaitingHead.map(\.deadline).min() else { return 60_000 }
    return Int32(clamping: max(0, (next - .now).milliseconds) + 1)
  }

  /// A request got no answer in time. When nothing else arrived meanwhile either, its connection is most likely dead.
  private func distrustConnection(of easy: EasyTransfer) {
    let isAlive = active.values.contains { $0.lastArrival.map { $0 >= easy.begin } ?? false }
    if !isAlive { sockets.shutDownAll() }
  }

  /// Handles are cleaned up, never used again: after a cancellation old bytes would show up in the next answer.
  private func remove(_ transfer: Transfer) {
    guard let easy = active.removeValue(forKey: ObjectIdentifier(transfer)) else { return }
    curl_multi_remove_handle(multi, easy.handle)
  }

  private func shutDown() {
    let closed = TransportError(.noAnswer, "the connection to Kubernetes was closed by this program")
    for transfer in active.values.map(\.transfer) {
      remove(transfer)
      transfer.finish(.failure(closed))
    }
    for case .start(let transfer) in mailbox.collect().commands { transfer.finish(.failure(closed)) }
    curl_multi_cleanup(multi)
  }
}

extension Duration {
  /// Whole milliseconds.
  var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
