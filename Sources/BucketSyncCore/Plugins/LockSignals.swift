// LockSignals: how a lock provider tells the core that something about a lock changed, so that nobody has to poll.

internal import Synchronization

/// Reports changes of locks to the core.
public final class LockSignals: Sendable {
  /// What happened to a lock.
  package enum Signal: Sendable, Hashable {
    case changed(name: String)
    case released(bucket: String, by: String?)
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

  package func onSignal(_ handler: @escaping @Sendable (Signal) -> Void) { handlers.withLock { $0.append(handler) } }

  private func send(_ signal: Signal) {
    for handler in handlers.withLock({ $0 }) { handler(signal) }
  }
}
