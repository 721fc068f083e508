// HookThreads: where scripts run.
//
// Scripts compute and block, and their deep recursion needs more stack than Swift's own threads have; so each call gets
// a thread of its own, a few at a time. A call that does not come back, however that may be, is given up after a while:
// its thread stays behind (a thread cannot be killed), its place goes to others, and its late answer is dropped. Should
// too many stay behind, further calls fail at once rather than eat the machine.

internal import Glibc
public import KubernetesModel
internal import Synchronization

/// Why a call got no answer.
public enum HookThreadError: Error, Sendable, Hashable {
  /// It did not come back in time.
  case stuck
  /// Too many calls are stuck already.
  case tooManyStuck
  /// The machine gives no more threads.
  case noThread
}

/// Threads for calls of scripts.
public final class HookThreads: Sendable {
  private struct State {
    var running = 0
    var stuck = 0
    var waiters: [CheckedContinuation<Bool, Never>] = []
  }

  private static let stackSize = 2 << 20

  private let state = Mutex(State())
  private let limit: Int
  private let stuckLimit: Int
  private let time: any TimeSource

  /// - Parameters:
  ///   - limit: How many calls run at the same time; others wait.
  ///   - stuckLimit: How many stuck threads are put up with.
  public init(time: any TimeSource, limit: Int = 4, stuckLimit: Int = 4) {
    self.time = time
    self.limit = limit
    self.stuckLimit = stuckLimit
  }

  /// The number of threads that do not come back.
  public var stuckThreads: Int { state.withLock { $0.stuck } }

  /// Runs `body` on a thread of its own and gives its answer, but waits no longer than `patience` for it, and no longer
  /// at all once the task is cancelled.
  public func run<Value: Sendable>(
    patience: Duration, _ body: @escaping @Sendable () -> Value
  ) async throws(HookThreadError) -> Value {
    guard await takePlace() else { throw .tooManyStuck }
    let call = PendingCall<Value>()
    let thread = Self.start {
      let inTime = call.end(with: .success(body()))
      self.leavePlace(stuck: !inTime)
    }
    guard let thread else {
      leavePlace(stuck: false)
      throw .noThread
    }
    pthread_detach(thread)
    async let _: Void = giveUp(call, after: patience)
    let outcome = await call.outcome()
    return try outcome.get()
  }

  /// Runs `body` on a thread of its own, and blocks until it is done: for start-up, where nothing can wait otherwise.
  public static func blocking<Value: Sendable>(
    _ body: @escaping @Sendable () -> Value
  ) throws(HookThreadError) -> Value {
    let answer = Mutex<Value?>(nil)
    guard let thread = start({ answer.withLock { $0 = body() } }) else { throw .noThread }
    pthread_join(thread, nil)
    guard let value = answer.withLock({ $0 }) else { throw .noThread }
    return value
  }

  /// Gives a call up, unless it has ended, once `patience` is over or nobody wants its answer any more.
  private func giveUp<Value: Sendable>(_ call: PendingCall<Value>, after patience: Duration) async {
    try? await time.sleep(for: patience)
    if call.end(with: .failure(.stuck)) { giveUpPlace() }
  }

  // MARK: Places

  /// Waits for a place; `false` when there will be none.
  private func takePlace() async -> Bool {
    await withCheckedContinuation { continuation in
      let answer: Bool? = state.withLock { state in
        if state.stuck >= stuckLimit { return false }
        if state.running < limit {
          state.running += 1
          return true
        }
        state.waiters.append(continuation)
        return nil
      }
      if let answer { continuation.resume(returning: answer) }
    }
  }

  private func leavePlace(stuck: Bool) {
    if stuck {
      state.withLock { $0.stuck -= 1 }
      return
    }
    passOnPlace { _ in }
  }

  private func giveUpPlace() { passOnPlace { $0.stuck += 1 } }

  /// Hands the place of a running call to whoever waits; all are sent away once too many are stuck.
  private func passOnPlace(_ change: (inout State) -> Void) {
    let (next, sentAway) = state.withLock {
      state -> (CheckedContinuation<Bool, Never>?, [CheckedContinuation<Bool, Never>]) in
      change(&state)
      if state.stuck >= stuckLimit {
        state.running -= 1
        defer { state.waiters = [] }
        return (nil, state.waiters)
      }
      guard !state.waiters.isEmpty else {
        state.running -= 1
        return (nil, [])
      }
      return (state.waiters.removeFirst(), [])
    }
    next?.resume(returning: true)
    for waiter in sentAway { waiter.resume(returning: false) }
  }

  // MARK: Threads

  private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts a thread, which is then to be joined or detached.
  private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return nil }
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackSize)
    let raw = Unmanaged.passRetained(Body(body)).toOpaque()
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { raw in
        guard let raw else { return nil }
        Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
        return nil
      }, raw)
    guard status == 0 else {
      Unmanaged<Body>.fromOpaque(raw).release()
      return nil
    }
    return thread
  }
}
