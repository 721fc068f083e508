// FolderEvents: is told by the kernel (inotify) what happens in folders.

internal import Glibc
internal import Synchronization

/// Tells when something happens in folders.
final class FolderEvents: Sendable {
  /// Listens for as long as it lives.
  final class Listening: Sendable {
    private let cancel: @Sendable () -> Void
    init(_ cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }
    deinit { cancel() }
  }

  /// What can happen.
  enum Kind {
    /// A file was put in place, or the folder removed.
    case entries
    /// The same, and writing to files.
    case writing

    fileprivate var mask: UInt32 {
      let entries = UInt32(IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
      return self == .entries ? entries : entries | UInt32(IN_MODIFY)
    }
  }

  private final class Core: Sendable {
    let inotify: Descriptor
    let listeners = Mutex<[Int32: [Int: @Sendable () -> Void]]>([:])
    let next = Atomic(0)

    init() throws(SystemFailure) {
      let raw = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
      guard raw >= 0 else { throw SystemFailure("inotify_init1") }
      inotify = Descriptor(owning: raw)
    }

    /// Calls those who listen to what has happened.
    func tell() {
      guard let bytes = try? inotify.read(64 << 10) else { return }
      var folders: Set<Int32> = []
      bytes.withUnsafeBytes { bytes in
        var at = 0
        while at + MemoryLayout<inotify_event>.size <= bytes.count {
          let event = bytes.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
          folders.insert(event.wd)
          at += MemoryLayout<inotify_event>.size + Int(event.len)
        }
      }
      // A queue that has run over (-1) may have dropped anything.
      let handlers = listeners.withLock { listeners in
        folders.contains(-1) ? Array(listeners.values) : folders.compactMap { listeners[$0] }
      }
      for handler in handlers.flatMap(\.values) { handler() }
    }

    func remove(_ watch: Int32, _ number: Int) {
      listeners.withLock { listeners in
        listeners[watch]?[number] = nil
        guard listeners[watch]?.isEmpty == true else { return }
        listeners[watch] = nil
        inotify_rm_watch(inotify.raw, watch)
      }
    }
  }

  private let core: Core
  private let events: DescriptorEvents
  private let kind: Kind

  /// - Throws: ``SystemFailure``.
  init(_ kind: Kind, events: DescriptorEvents) throws(SystemFailure) {
    let core = try Core()
    self.core = core
    self.events = events
    self.kind = kind
    try events.onReadable(core.inotify, each: true) { [weak core] in core?.tell() }
  }

  deinit { events.forget(core.inotify) }

  /// Calls `handler`, which must be quick, when something happens in the folder, until what is returned is let go of.
  /// - Throws: ``SystemFailure``, when there is no such folder, say.
  func listen(_ folder: String, _ handler: @escaping @Sendable () -> Void) throws(SystemFailure) -> Listening {
    let core = core
    let number = core.next.add(1, ordering: .relaxed).newValue
    let watch = core.listeners.withLock { listeners -> Int32 in
      let watch = inotify_add_watch(core.inotify.raw, folder, kind.mask)
      if watch >= 0 { listeners[watch, default: [:]][number] = handler }
      return watch
    }
    guard watch >= 0 else { throw SystemFailure(folder) }
    return Listening { core.remove(watch, number) }
  }
}
