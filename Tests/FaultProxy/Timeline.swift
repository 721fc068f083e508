// What happened when: every fault, every write and how it was answered, and what tests add (a server that was killed).
//
//       3.204 s  POST jobs #4                   reset after       /apis/batch/v1/namespaces/e2e-1/jobs → 201
//
// In a file from the first line on, so that it is there whatever becomes of the test.

import Glibc
import Synchronization

/// A record of everything that was done to a controller, and of everything it wrote.
package final class Timeline: Sendable {
  /// One line.
  package struct Entry: Sendable {
    /// Since the timeline began.
    package var time: Duration
    package var what: String
    package var fault: Fault?
    package var detail: String
  }

  /// One request that changes something, as it came from the controller.
  package struct Write: Sendable {
    package var time: Duration
    package var method: String
    package var path: String
  }

  private struct State {
    var entries: [Entry] = []
    var writes: [Write] = []
    var requests = 0
    var file: FileHandleForAppending?
  }

  private let began = ContinuousClock.now
  private let state: Mutex<State>

  /// A timeline that is kept in the file at `path` as well, if there is one.
  package init(path: String? = nil) {
    state = Mutex(State(file: path.flatMap { FileHandleForAppending(path: $0) }))
  }

  /// Since the timeline began.
  package var now: Duration { ContinuousClock.now - began }

  /// Every fault and everything that was noted, in order.
  package var entries: [Entry] { state.withLock(\.entries) }

  /// Every request that could change something, in order.
  package var writes: [Write] { state.withLock(\.writes) }

  /// How many requests there were.
  package var requests: Int { state.withLock(\.requests) }

  /// How many faults of each kind were injected.
  package var counts: [Fault: Int] {
    state.withLock { $0.entries.reduce(into: [:]) { counts, entry in entry.fault.map { counts[$0, default: 0] += 1 } } }
  }

  /// Notes something that a test did or saw.
  package func note(_ what: String, _ detail: String = "") { add(what, nil, detail) }

  /// The whole of it, or its end.
  package func text(last count: Int = .max) -> String {
    state.withLock { $0.entries.suffix(count).map(\.line).joined() }
  }

  func add(_ what: String, _ fault: Fault?, _ detail: String) {
    let entry = Entry(time: now, what: what, fault: fault, detail: detail)
    state.withLock { state in
      state.entries.append(entry)
      state.file?.append(entry.line)
    }
  }

  func arrived(method: String, path: String) {
    let time = now
    state.withLock { state in
      state.requests += 1
      if method != "GET" { state.writes.append(Write(time: time, method: method, path: path)) }
    }
  }
}

extension Timeline.Entry {
  /// The entry for people, with its line break.
  package var line: String {
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    let rounded = "\((seconds * 1000).rounded() / 1000)"
    return rounded.padded(10, leading: true) + " s  " + what.padded(34) + " " + (fault?.rawValue ?? "").padded(17) + " "
      + detail + "\n"
  }
}

extension String {
  fileprivate func padded(_ width: Int, leading: Bool = false) -> String {
    let spaces = String(repeating: " ", count: max(0, width - count))
    return leading ? spaces + self : self + spaces
  }
}

/// A file that only grows.
private final class FileHandleForAppending: Sendable {
  private let descriptor: CInt

  init?(path: String) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  func append(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }
}
