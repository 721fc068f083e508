// LockSignals: how plugins tell the core that something changed that runs wait for, so that nobody has to poll.

internal import Synchronization

/// Reports changes of locks, and of hooks, to the core.
public final class LockSignals: Sendable {
  /// What happened to a lock.
  package enum Signal: Sendable, Hashable {
    case changed(name: String)
    case released(bucket: String, by: String?)
    case hooksChanged
  }

  private let handlers = Mutex<[@Sendable (Signal) -> Void]>([])

  package init() {}

  /// The lock `name` was created or its record changed: its holder may need to be checked.
  public func lockChanged(_ name: String) { send(.changed(name: name)) }

  /// Nobody holds the lock `name` on `bucket` any more: whoever is first in line may try, unless that is `holder`, the
  /// run (by UID) that had the lock. Who takes one of its locks and gives it back because another is not to be had
  /// would otherwise wake itself to do the same again, and again.
  public func lockReleased(_ name: String, bucket: String, by holder: String?) {
    send(.changed(name: name))
    send(.released(bucket: bucket, by: holder))
  }

  /// A plugin may now answer otherwise than before, because its rules were changed or repaired: runs that it held back
  /// or that its failure keeps waiting are looked at again at once.
  public func hooksChanged() { send(.hooksChanged) }

  package func onSignal(_ handler: @escaping @Sendable (Signal) -> Void) { handlers.withLock { $0.append(handler) } }

  private func send(_ signal: Signal) {
    for handler in handlers.withLock({ $0 }) { handler(signal) }
  }
}
