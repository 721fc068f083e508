// FolderEvents: is told by the kernel (inotify) when something in folders changes, and by /proc/self/mountinfo when
// something is mounted over them or taken away.
//
// One thread waits for both. It only collects names: what has become of them is for a scan to find out.

import Glibc
import OperatorRuntime
import Synchronization

/// What has happened since the last look.
struct FolderChanges: Sendable, Hashable {
  /// Names were lost: everything may have changed.
  var everything = false
  /// Paths that something happened to.
  var paths: Set<String> = []
}

/// Why a folder cannot be watched.
enum WatchFailure: Error, Sendable, Hashable {
  /// It is not there, or must not be looked at.
  case folder(SystemFailure)
  /// The system has no more watches for this user.
  case limit(SystemFailure)
}

/// Watches any number of folders.
final class FolderEvents: Sendable {
  private struct Watch {
    var path: String
    /// The names of interest; all if `nil`.
    var names: Set<String>?
  }

  private struct State {
    var watches: [Int32: Watch] = [:]
    var byPath: [String: Int32] = [:]
    var changes = FolderChanges()
    /// Files that somebody writes to and has not closed.
    var written: Set<String> = []
    var isClosed = false
  }

  /// Raised when there are changes.
  let arrived = Signal()

  private let events: Int32
  private let stop: Int32
  private let mostWatches: Int
  private let state = Mutex(State())

  /// Starts to listen.
  /// - Parameters:
  ///   - mostWatches: A limit beside the system's.
  ///   - followsMounts: Whether a change of what is mounted anywhere counts as a change.
  /// - Throws: When the system has no more listeners for this user.
  init(mostWatches: Int = .max, followsMounts: Bool = false) throws(WatchFailure) {
    let events = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    guard events >= 0 else { throw .limit(.last) }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      defer { Glibc.close(events) }
      throw .limit(.last)
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    self.events = events
    stop = ends[1]
    self.mostWatches = mostWatches
    guard FolderEventsThread.start(for: self, events: events, stop: ends[0], followsMounts: followsMounts) else {
      Glibc.close(ends[0])
      throw .limit(SystemFailure(code: EAGAIN))
    }
  }

  deinit {
    Glibc.close(stop)
    Glibc.close(events)
  }

  /// Ends the thread.
  func close() {
    state.withLock { state in
      guard !state.isClosed else { return }
      state.isClosed = true
      _ = write(stop, "x", 1)
    }
  }

  /// What has changed since the last call.
  func take() -> FolderChanges {
    state.withLock { state in
      arrived.lower()
      defer { state.changes = FolderChanges() }
      return state.changes
    }
  }

  /// Files that are being written to just now.
  var beingWritten: Set<String> { state.withLock { $0.written } }

  /// Watches a folder from now on.
  /// - Parameter names: What is of interest in it; everything by default.
  func watch(_ path: String, names: Set<String>? = nil) throws(WatchFailure) {
    let failure: WatchFailure? = state.withLock { state in
      guard !state.isClosed else { return nil }
      if state.byPath[path] == nil, state.byPath.count >= mostWatches { return .limit(SystemFailure(code: ENOSPC)) }
      let number = inotify_add_watch(events, path, Self.interesting)
      guard number >= 0 else {
        let failure = SystemFailure.last
        return failure.code == ENOSPC || failure.code == ENOMEM ? .limit(failure) : .folder(failure)
      }
      // Another folder may be at this path by now.
      if let old = state.byPath[path], old != number { Self.remove(old, from: events, &state) }
      // A folder that is watched for everything stays so, whatever else is asked of it.
      let isWatchedWhole = state.watches[number].map { $0.names == nil } ?? false
      state.byPath[path] = number
      if names == nil || !isWatchedWhole { state.watches[number] = Watch(path: path, names: names) }
      return nil
    }
    if let failure { throw failure }
  }

  /// Stops watching all folders but these.
  func keep(only paths: Set<String>) {
    state.withLock { state in
      let kept = Set(paths.compactMap { state.byPath[$0] })
      for (path, number) in state.byPath where !paths.contains(path) {
        state.byPath[path] = nil
        if !kept.contains(number) { Self.remove(number, from: events, &state) }
      }
    }
  }

  private static func remove(_ number: Int32, from events: Int32, _ state: inout State) {
    state.watches[number] = nil
    _ = inotify_rm_watch(events, number)
  }

  private static let interesting = UInt32(
    IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF
      | IN_MOVE_SELF | IN_ONLYDIR)

  // MARK: What the thread calls

  fileprivate func mountsChanged() {
    note { state in
      state.changes.paths.insert("")
      return true
    }
  }

  /// Takes up events as the kernel writes them: `struct inotify_event`, each with its name behind it.
  func take(_ bytes: UnsafeRawBufferPointer) {
    let size = MemoryLayout<inotify_event>.size
    var at = 0
    while at + size <= bytes.count {
      let event = bytes.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
      let end = min(bytes.count, at + size + Int(event.len))
      let name = String(decoding: bytes[(at + size)..<end].prefix { $0 != 0 }, as: UTF8.self)
      at = end
      take(event, name)
    }
  }

  private func take(_ event: inotify_event, _ name: String) {
    func has(_ flags: Int32...) -> Bool { flags.contains { event.mask & UInt32($0) != 0 } }
    if has(IN_Q_OVERFLOW) {
      return note { state in
        state.changes.everything = true
        state.written = []
        return true
      }
    }
    note { state in
      guard let watch = state.watches[event.wd] else { return false }
      if has(IN_IGNORED) { state.watches[event.wd] = nil }
      if let names = watch.names, !name.isEmpty, !names.contains(name) { return false }
      let path = name.isEmpty ? watch.path : "\(watch.path)/\(name)"
      if has(IN_MODIFY) {
        state.written.insert(path)
        return false
      }
      if has(IN_CLOSE_WRITE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO) { state.written.remove(path) }
      if name.isEmpty, has(IN_IGNORED, IN_UNMOUNT, IN_DELETE_SELF, IN_MOVE_SELF) {
        state.written = state.written.filter { !$0.hasPrefix(watch.path + "/") }
      }
      state.changes.paths.insert(path)
      return true
    }
  }

  private func note(_ body: (inout State) -> Bool) {
    state.withLock { if body(&$0) { arrived.raise() } }
  }
}

/// The thread that waits for the kernel until it is told to stop.
private final class FolderEventsThread: Sendable {
  private let events: Int32
  private let stop: Int32
  private let followsMounts: Bool
  /// The end of the one who listens ends the thread, too: its pipe is closed.
  private let listener: WeakListener

  private init(events: Int32, stop: Int32, followsMounts: Bool, listener: WeakListener) {
    self.events = events
    self.followsMounts = followsMounts
    self.stop = stop
    self.listener = listener
  }

  static func start(for listener: FolderEvents, events: Int32, stop: Int32, followsMounts: Bool) -> Bool {
    let thread = FolderEventsThread(
      events: events, stop: stop, followsMounts: followsMounts, listener: WeakListener(listener))
    let raw = Unmanaged.passRetained(thread).toOpaque()
    var id = pthread_t()
    let status = pthread_create(
      &id, nil,
      { raw in
        guard let raw else { return nil }
        Unmanaged<FolderEventsThread>.fromOpaque(raw).takeRetainedValue().listen()
        return nil
      }, raw)
    guard status == 0 else {
      Unmanaged<FolderEventsThread>.fromOpaque(raw).release()
      return false
    }
    pthread_detach(id)
    return true
  }

  private func listen() {
    let mounts = followsMounts ? open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC) : -1
    defer {
      close(stop)
      if mounts >= 0 { close(mounts) }
    }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      var waits = [
        pollfd(fd: stop, events: Int16(POLLIN), revents: 0), pollfd(fd: events, events: Int16(POLLIN), revents: 0),
        // A mount table that has changed is an "error" until it is looked at again.
        pollfd(fd: mounts, events: Int16(POLLPRI), revents: 0),
      ]
      guard poll(&waits, nfds_t(mounts >= 0 ? 3 : 2), -1) > 0 || errno == EINTR else { return }
      guard waits[0].revents == 0, let listener = listener.value else { return }
      if waits[2].revents != 0 { listener.mountsChanged() }
      guard waits[1].revents & Int16(POLLIN) != 0 else { continue }
      let count = read(events, &buffer, buffer.count)
      if count > 0 { buffer.withUnsafeBytes { listener.take(UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
    }
  }
}

private final class WeakListener: Sendable {
  private let listener: Mutex<Weak>
  private struct Weak { weak var value: FolderEvents? }
  init(_ listener: FolderEvents) { self.listener = Mutex(Weak(value: listener)) }
  var value: FolderEvents? { listener.withLock { $0.value } }
}
