// How many tests run at a time: the machine has two cores, and each test has a controller and pods of its own.

/// Lets a bounded number of tasks in, in order of arrival.
actor Slots {
  /// What all tests share.
  static let worlds = Slots(6)

  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(_ count: Int) { free = count }

  /// Runs `body` once there is room for it.
  func enter<Result: Sendable>(_ body: @Sendable () async throws -> Result) async rethrows -> Result {
    await take()
    defer { give() }
    return try await body()
  }

  private func take() async {
    guard free == 0 else {
      free -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func give() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}
