import BucketSyncCore
import KubernetesModel
import Testing

@testable import BucketLock

/// Locks and unlocks, cut off at every request and in every way, and then tried again.
@Suite("Locks survive crashes and lost answers")
struct CrashTests {
  /// Whether the same controller tries again, or the next one after a crash.
  enum Sequel: CaseIterable { case retry, restart }

  struct Case: CustomTestStringConvertible {
    var request: Int
    var fault: LockServer.Fault
    var sequel: Sequel
    var isWatchSlow: Bool

    static let all = (0..<4).flatMap { request in
      LockServer.Fault.allCases.flatMap { fault in
        Sequel.allCases.flatMap { sequel in
          [false, true].map { Case(request: request, fault: fault, sequel: sequel, isWatchSlow: $0) }
        }
      }
    }

    var testDescription: String {
      "request \(request): \(fault), then \(sequel)\(isWatchSlow ? ", the watch being slow" : "")"
    }
  }

  private let server = LockServer(namespace: lockNamespace)

  private func successor(of controller: Controller, _ test: Case) async throws -> Controller {
    test.sequel == .retry ? controller : try await Controller(on: server)
  }

  @Test("locking again after a failure gets both locks, once", arguments: Case.all)
  func lockAgain(_ test: Case) async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    if test.isWatchSlow { server.holdWatch() }
    server.fail(request: test.request, test.fault)
    _ = try? await controller.locks.lock(run)
    server.heal()
    let next = try await successor(of: controller, test)
    #expect(try await next.locks.lock(run) == .acquired)
    #expect(server.holders == ["a": "uid-of-run", "b": "uid-of-run"])
    server.deliver()
    #expect(next.locks.locks(heldBy: "uid-of-run").count == 2)
  }

  @Test("unlocking after a failed lock leaves nothing", arguments: Case.all)
  func lockThenUnlock(_ test: Case) async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    if test.isWatchSlow { server.holdWatch() }
    server.fail(request: test.request, test.fault)
    _ = try? await controller.locks.lock(run)
    server.heal()
    try await successor(of: controller, test).locks.unlock(run.reference)
    #expect(server.holders == [:])
  }

  @Test("unlocking again after a failure leaves nothing", arguments: Case.all)
  func unlockAgain(_ test: Case) async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    _ = try await controller.locks.lock(run)
    if test.isWatchSlow { server.holdWatch() }
    server.fail(request: test.request, test.fault)
    try? await controller.locks.unlock(run.reference)
    server.heal()
    let next = try await successor(of: controller, test)
    try await next.locks.unlock(run.reference)
    #expect(server.holders == [:])
    server.deliver()
    #expect(next.locks.locks(heldBy: "uid-of-run") == [])
  }

  @Test("a lock that a lost answer may have created keeps everybody else out", arguments: Case.all)
  func exclusive(_ test: Case) async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    server.fail(request: test.request, test.fault)
    let first = try? await controller.locks.lock(run)
    server.heal()
    let next = try await successor(of: controller, test)
    let second = try? await next.locks.lock(try makeRun("other", from: "b", to: "c"))
    #expect(first != .acquired || second != .acquired)
    if first == .acquired { #expect(server.holders["b"] == "uid-of-run") }
  }
}
