// Threads that do not come back.

import Glibc
import KubernetesModel
import LuaSandbox
import Synchronization
import TestSupport
import Testing

@Suite("Threads of scripts")
struct HookThreadsTests {
  /// Keeps threads busy in C, where nobody can reach them, until it is opened.
  private final class Gate: Sendable {
    private let isOpen = Atomic(false)
    private let inside = Atomic(0)

    var threadsInside: Int { inside.load(ordering: .sequentiallyConsistent) }
    func open() { isOpen.store(true, ordering: .sequentiallyConsistent) }

    func pass() {
      inside.add(1, ordering: .sequentiallyConsistent)
      while !isOpen.load(ordering: .sequentiallyConsistent) { usleep(1000) }
      inside.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  @Test("a call gets the answer of its thread")
  func answer() async throws {
    let threads = HookThreads(time: ManualTime())
    #expect(try await threads.run(patience: .seconds(1)) { 6 * 7 } == 42)
    #expect(threads.stuckThreads == 0)
  }

  @Test("a thread that does not come back is given up, its place goes to others, and its late answer is dropped")
  func stuck() async throws {
    let time = ManualTime()
    let threads = HookThreads(time: time, limit: 1)
    let gate = Gate()
    let first = Task { try await threads.run(patience: .seconds(3)) { gate.pass() } }
    try await eventually { gate.threadsInside == 1 }
    let second = Task { try await threads.run(patience: .seconds(3)) { "second" } }
    try await time.untilSleeping(for: .seconds(3))
    time.advance(by: .seconds(3))
    await #expect(throws: HookThreadError.stuck) { try await first.value }
    #expect(try await second.value == "second")
    #expect(threads.stuckThreads == 1)
    gate.open()
    try await eventually { threads.stuckThreads == 0 }
    #expect(try await threads.run(patience: .seconds(3)) { "third" } == "third")
  }

  @Test("with too many of them calls fail at once, those that wait too; when they come back, all is well again")
  func tooManyStuck() async throws {
    let time = ManualTime()
    let threads = HookThreads(time: time, limit: 2, stuckLimit: 2)
    let gate = Gate()
    let first = Task { try await threads.run(patience: .seconds(3)) { gate.pass() } }
    let second = Task { try await threads.run(patience: .seconds(3)) { gate.pass() } }
    try await eventually { gate.threadsInside == 2 }
    try await time.untilSleepers(atLeast: 2)
    time.advance(by: .seconds(3))
    await #expect(throws: HookThreadError.stuck) { try await first.value }
    await #expect(throws: HookThreadError.stuck) { try await second.value }
    await #expect(throws: HookThreadError.tooManyStuck) { try await threads.run(patience: .seconds(3)) { 1 } }
    gate.open()
    try await eventually { threads.stuckThreads == 0 }
    #expect(try await threads.run(patience: .seconds(3)) { 1 } == 1)
  }

  @Test("whoever is cancelled does not wait for a thread that does not come back")
  func cancelled() async throws {
    let threads = HookThreads(time: ManualTime())
    let gate = Gate()
    let call = Task { try await threads.run(patience: .seconds(3)) { gate.pass() } }
    try await eventually { gate.threadsInside == 1 }
    call.cancel()
    await #expect(throws: HookThreadError.stuck) { try await call.value }
    gate.open()
    try await eventually { threads.stuckThreads == 0 }
  }

  @Test("a thread has stack enough for the deepest recursion that scripts get to")
  func recursion() async throws {
    let source = """
      return { api = 1, build_job = function(ctx, job)
        local function dive(depth) return (("x"):gsub("x", function() return dive(depth + 1) end)) end
        dive(1)
      end }
      """
    let answer = try await HookThreads(time: SystemTime()).run(patience: .seconds(60)) {
      LuaSandbox(limits: LuaLimits()).call(.buildJob, of: LuaScript(name: "dive.lua", source: source), with: [])
    }
    guard case .failure(let failure) = answer.result else {
      Issue.record("it came back")
      return
    }
    #expect(failure.reason == .runtime)
    #expect(failure.message.contains("stack overflow"))
  }
}
