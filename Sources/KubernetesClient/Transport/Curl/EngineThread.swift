// The thread of an engine, and how it ends: when its engine goes, or else when the process exits.
//
// exit() runs the clean-up of the TLS library while all other threads go on; one that is in the middle of a handshake
// then reads memory that was freed. So the threads that still run are stopped first: exit() calls handlers in reverse
// order of their registration, and ours is registered after that of the TLS library, which curl_global_init sets up.

import CCurl
import Glibc
import Synchronization

/// A thread that runs an ``EngineLoop`` until it is stopped.
final class EngineThread: Sendable {
  let mailbox: Mailbox
  private let thread: Mutex<pthread_t?>

  private static let running = Mutex<[ObjectIdentifier: EngineThread]>([:])
  private static let stopsAtExit: Bool = atexit { EngineThread.stopAll() } == 0

  /// Starts the thread.
  init() throws(TransportError) {
    curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    guard let multi = curl_multi_init() else { throw TransportError(.notSent, "libcurl could not be started") }
    mailbox = Mailbox(multi: multi)
    let loop = Unmanaged.passRetained(EngineLoop(multi: multi, mailbox: mailbox))
    var thread = pthread_t()
    let failure = pthread_create(&thread, nil, runEngineLoop, loop.toOpaque())
    self.thread = Mutex(failure == 0 ? thread : nil)
    guard failure == 0 else {
      loop.release()
      curl_multi_cleanup(multi)
      throw TransportError(.notSent, "no thread for network requests: error \(failure)")
    }
    if Self.stopsAtExit { Self.running.withLock { $0[ObjectIdentifier(self)] = self } }
  }

  /// Ends all transfers and waits for the thread's end.
  func stop() {
    mailbox.close()
    // Whoever comes second waits with the first.
    thread.withLock { thread in
      if let thread = thread.take() { pthread_join(thread, nil) }
    }
    _ = Self.running.withLock { $0.removeValue(forKey: ObjectIdentifier(self)) }
  }

  private static func stopAll() {
    for thread in running.withLock({ Array($0.values) }) { thread.stop() }
  }
}

private func runEngineLoop(_ loop: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let loop { Unmanaged<EngineLoop>.fromOpaque(loop).takeRetainedValue().run() }
  return nil
}
