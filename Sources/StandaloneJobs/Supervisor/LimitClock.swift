// The clock that time limits go by: it cannot be set, and counts while the machine is suspended.

internal import CLocalProcess
internal import Glibc

struct LimitClock {
  /// Time since the machine started.
  var now: Duration {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// A descriptor that becomes readable at a point in time.
  func timer() throws(SystemFailure) -> Int32 {
    let timer = local_process_timer()
    guard timer >= 0 else { throw SystemFailure("timerfd_create", code: -timer) }
    return timer
  }

  /// Sets the timer; `nil` is never. A point in the past is at once.
  func set(_ timer: Int32, to end: Duration?) throws(SystemFailure) {
    let (seconds, attoseconds) = (end.map { max($0, .nanoseconds(1)) } ?? .zero).components
    let status = local_process_set_timer(timer, seconds, attoseconds / 1_000_000_000)
    guard status == 0 else { throw SystemFailure("timerfd_settime", code: -status) }
  }
}
