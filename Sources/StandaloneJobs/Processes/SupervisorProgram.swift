// The executable that supervisors are: this very one, called with a hidden subcommand.

internal import CLocalProcess
internal import FoundationEssentials
internal import Glibc

/// How a supervisor is started.
package struct SupervisorProgram: Sendable, Hashable {
  package var path: String
  /// `argv`, to which the pod's namespace and name are added.
  package var arguments: [String]

  /// By default the running executable, also after the file was replaced by another release.
  package init(path: String = "/proc/self/exe", arguments: [String]) {
    self.path = path
    self.arguments = arguments
  }

  /// Starts a supervisor, which from then on holds the lock.
  func start(_ identity: PodIdentity, lock: PodLock, order: Descriptor, log: Descriptor) throws -> pid_t {
    // What the dynamic linker needs to find the Swift libraries; nothing else of this process's environment.
    let environment = ["LD_LIBRARY_PATH", "PATH"].compactMap { (name: String) in
      getenv(name).map { "\(name)=\(String(cString: $0))" }
    }
    var pid: pid_t = 0
    let status = CStrings(strings: arguments + ["\(identity.key)"]).withPointers { arguments in
      CStrings(strings: environment).withPointers { environment in
        local_process_spawn_supervisor(
          path, arguments, environment, lock.descriptor.raw, order.raw, log.raw, &pid)
      }
    }
    guard status == 0 else { throw SystemFailure("cannot start \(path)", code: status) }
    return pid
  }
}

/// A process that is watched for its end, and can be signalled without the risk of meeting another one.
struct WatchedProcess: Sendable {
  let identity: ProcessIdentity
  private let descriptor: Descriptor

  /// `nil` if the process has ended.
  init?(_ identity: ProcessIdentity) {
    let raw = local_process_open(identity.pid)
    guard raw >= 0 else { return nil }
    descriptor = Descriptor(owning: raw)
    self.identity = identity
    // The number may have become another one's before it was opened, but not since.
    guard identity.isAlive else {
      local_process_reap(raw)
      return nil
    }
  }

  /// Calls `handler` once, when the process has ended.
  func onEnd(_ events: DescriptorEvents, _ handler: @escaping @Sendable () -> Void) throws(SystemFailure) {
    let descriptor = descriptor
    try events.onReadable(descriptor) {
      local_process_reap(descriptor.raw)
      handler()
    }
  }

  /// Watches no longer.
  func forget(_ events: DescriptorEvents) { events.forget(descriptor) }

  /// Sends a signal; `value` is what the handler gets with it.
  func send(_ signal: Int32, value: Int? = nil) {
    local_process_signal(descriptor.raw, signal, value.map { Int32(clamping: $0) } ?? -1)
  }
}
