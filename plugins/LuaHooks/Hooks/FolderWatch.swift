// FolderWatch: is told by the kernel (inotify) when something in a folder changes.
//
// A mounted ConfigMap changes by exchanging the link ..data, a folder edited by hand by files that are written, moved
// or removed: each of them is an event of the folder itself.

internal import Glibc
internal import Synchronization

/// Watches one folder.
struct FolderWatch: ~Copyable {
  /// The end of a watch: the folder was removed or moved away.
  struct Gone: Error {}

  private static let interesting = UInt32(
    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
      | IN_ONLYDIR)

  /// Yields whenever something has changed; ends when the folder is gone.
  let changes: AsyncStream<Void>
  private let stop: Int32

  /// Starts to watch; `nil` if the folder cannot be watched.
  init?(_ path: String) {
    let events = inotify_init1(Int32(IN_CLOEXEC))
    guard events >= 0 else { return nil }
    var ends: [Int32] = [-1, -1]
    guard inotify_add_watch(events, path, Self.interesting) >= 0, pipe(&ends) == 0 else {
      close(events)
      return nil
    }
    ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
    let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    guard FolderWatchThread.start(events: events, stop: ends[0], continuation: continuation) else {
      close(events)
      ends.forEach { _ = close($0) }
      return nil
    }
    self.changes = changes
    stop = ends[1]
  }

  /// The thread sees the other end of its pipe closed, and ends.
  deinit { close(stop) }
}

/// The thread that waits for the kernel, until the other end of `stop` is closed.
private final class FolderWatchThread: Sendable {
  private let events: Int32
  private let stop: Int32
  private let continuation: AsyncStream<Void>.Continuation

  private init(events: Int32, stop: Int32, continuation: AsyncStream<Void>.Continuation) {
    self.events = events
    self.stop = stop
    self.continuation = continuation
  }

  static func start(events: Int32, stop: Int32, continuation: AsyncStream<Void>.Continuation) -> Bool {
    let watcher = FolderWatchThread(events: events, stop: stop, continuation: continuation)
    let raw = Unmanaged.passRetained(watcher).toOpaque()
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        Unmanaged<FolderWatchThread>.fromOpaque(raw).takeRetainedValue().watch()
        return nil
      }, raw)
    guard status == 0 else {
      Unmanaged<FolderWatchThread>.fromOpaque(raw).release()
      return false
    }
    pthread_detach(thread)
    return true
  }

  private func watch() {
    defer {
      continuation.finish()
      close(events)
      close(stop)
    }
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      var waits = [
        pollfd(fd: events, events: Int16(POLLIN), revents: 0), pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&waits, 2, -1) > 0 || errno == EINTR, waits[1].revents == 0 else { return }
      guard waits[0].revents != 0 else { continue }
      let count = read(events, &buffer, buffer.count)
      guard count > 0 else { return }
      continuation.yield()
      if isGone(buffer[..<count]) { return }
    }
  }

  /// Whether one of the events says that there is nothing to watch any more.
  private func isGone(_ events: ArraySlice<UInt8>) -> Bool {
    events.withUnsafeBytes { bytes in
      var at = 0
      while at + MemoryLayout<inotify_event>.size <= bytes.count {
        let event = bytes.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
        if event.mask & UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF) != 0 { return true }
        at += MemoryLayout<inotify_event>.size + Int(event.len)
      }
      return false
    }
  }
}
