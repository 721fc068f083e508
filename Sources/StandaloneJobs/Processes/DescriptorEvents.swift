// DescriptorEvents: one thread that waits for many descriptors: processes that end, folders that change.

internal import CLocalProcess
internal import Glibc
internal import Synchronization

/// Tells when descriptors become readable.
final class DescriptorEvents: Sendable {
  private let core: Core

  /// Starts the thread, which ends with this value.
  /// - Throws: ``SystemFailure``.
  init() throws(SystemFailure) {
    core = try Core()
    try core.start()
  }

  deinit { core.stop() }

  /// Calls `handler` on the thread when `descriptor` is readable: once, or each time until ``forget(_:)``. It must be quick.
  func onReadable(
    _ descriptor: Descriptor, each: Bool = false, _ handler: @escaping @Sendable () -> Void
  ) throws(SystemFailure) {
    try core.add(descriptor, each: each, handler)
  }

  /// Calls no handler for `descriptor` any more.
  func forget(_ descriptor: Descriptor) { core.remove(descriptor.raw) }
}

extension DescriptorEvents {
  private struct Handler {
    let descriptor: Descriptor
    let each: Bool
    let call: @Sendable () -> Void
  }

  private final class Core: Sendable {
    private let set: Descriptor
    /// The thread ends when something can be read here.
    private let ending: Descriptor
    private let end: Descriptor
    private let handlers = Mutex<[Int32: Handler]>([:])

    init() throws(SystemFailure) {
      set = Descriptor(owning: try Self.checked(local_process_set(), "epoll_create1"))
      var ends: [Int32] = [-1, -1]
      _ = try Self.checked(local_process_pipe(&ends), "pipe2")
      ending = Descriptor(owning: ends[0])
      end = Descriptor(owning: ends[1])
      try watch(ending.raw)
    }

    private static func checked(_ result: Int32, _ what: String) throws(SystemFailure) -> Int32 {
      guard result >= 0 else { throw SystemFailure(what, code: -result) }
      return result
    }

    func start() throws(SystemFailure) {
      let raw = Unmanaged.passRetained(self).toOpaque()
      var thread = pthread_t()
      let status = pthread_create(
        &thread, nil,
        { raw in
          guard let raw else { return nil }
          Unmanaged<Core>.fromOpaque(raw).takeRetainedValue().run()
          return nil
        }, raw)
      guard status == 0 else {
        Unmanaged<Core>.fromOpaque(raw).release()
        throw SystemFailure("pthread_create", code: status)
      }
      pthread_detach(thread)
    }

    func stop() { try? end.write([0]) }

    func add(_ descriptor: Descriptor, each: Bool, _ call: @escaping @Sendable () -> Void) throws(SystemFailure) {
      handlers.withLock { $0[descriptor.raw] = Handler(descriptor: descriptor, each: each, call: call) }
      do throws(SystemFailure) {
        try watch(descriptor.raw)
      } catch {
        handlers.withLock { $0[descriptor.raw] = nil }
        throw error
      }
    }

    func remove(_ raw: Int32) {
      // The handler keeps its descriptor open until it is out of the set: a number is not used again before.
      let handler = handlers.withLock { $0.removeValue(forKey: raw) }
      withExtendedLifetime(handler) {
        if handler != nil { local_process_set_remove(set.raw, raw) }
      }
    }

    private func watch(_ raw: Int32) throws(SystemFailure) {
      _ = try Self.checked(local_process_set_add(set.raw, raw), "epoll_ctl")
    }

    private func run() {
      var ready = [Int32](repeating: -1, count: 32)
      while true {
        let count = local_process_set_wait(set.raw, &ready, Int32(ready.count))
        guard count >= 0 else { return }
        for raw in ready.prefix(Int(count)) {
          if raw == ending.raw { return }
          let handler = handlers.withLock { $0[raw] }
          if handler?.each == false { remove(raw) }
          handler?.call()
        }
      }
    }
  }
}
