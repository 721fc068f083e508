import BucketSyncAPI
import CronSchedule
import KubernetesModel
import TestSupport
import Testing

@testable import BucketSyncCore

/// Hourly schedules around 2024-01-15T02:00:00Z.
@Suite("Which tick is due")
struct DueTickTests {
  static let two = Timestamp(unixSeconds: 1_705_284_000)
  static func at(_ seconds: Int64) -> Timestamp { Timestamp(unixSeconds: two.unixSeconds + seconds) }
  static let hour: Int64 = 3600

  /// A policy made at 01:30, whose status promises `next`.
  private func policy(
    promising next: Timestamp?, observed: Int64? = 1, generation: Int64 = 1, created: Timestamp = at(-1800)
  ) -> BucketSyncPolicy {
    var metadata = ObjectMeta(name: "p", namespace: "default")
    metadata.creationTimestamp = created
    metadata.generation = generation
    var status = BucketSyncPolicy.Status()
    status.observedGeneration = observed
    status.nextSyncTime = next
    let spec = BucketSyncPolicy.Spec(source: "a", destination: "b", schedule: "@hourly")
    return BucketSyncPolicy(metadata: metadata, spec: spec, status: observed == nil ? nil : status)
  }

  private func due(
    _ policy: BucketSyncPolicy, last: Timestamp? = nil, now: Timestamp, schedule: String = "@hourly"
  ) throws -> DueTick {
    DueTick(try CronSchedule(schedule), policy: policy, lastTick: last, now: now)
  }

  @Test("a new policy waits for its first tick")
  func new() throws {
    let tick = try due(policy(promising: nil, observed: nil), now: Self.at(-10))
    #expect(tick.due == nil)
    #expect(tick.next == Self.two)
  }

  @Test("a policy that was made at the very tick waits for the next one")
  func newAtTick() throws {
    let tick = try due(policy(promising: nil, observed: nil, created: Self.two), now: Self.two)
    #expect(tick.due == nil)
    #expect(tick.next == Self.at(Self.hour))
  }

  @Test("a tick is due from its very second on", arguments: [0, 1, 3599] as [Int64])
  func punctual(late: Int64) throws {
    let tick = try due(policy(promising: Self.two), now: Self.at(late))
    #expect(tick.due == Self.two)
    #expect(tick.next == Self.at(Self.hour))
  }

  @Test("a second before its time no tick is due")
  func early() throws {
    let tick = try due(policy(promising: Self.two), now: Self.at(-1))
    #expect(tick.due == nil)
    #expect(tick.next == Self.two)
  }

  @Test("missed ticks collapse into the latest one")
  func missed() throws {
    let tick = try due(policy(promising: Self.two), last: Self.at(-Self.hour), now: Self.at(5 * Self.hour + 7))
    #expect(tick.due == Self.at(5 * Self.hour))
    #expect(tick.next == Self.at(6 * Self.hour))
  }

  @Test("a tick whose run was made before the status was written is not made up for again")
  func crashAfterCreation() throws {
    let tick = try due(policy(promising: Self.two), last: Self.two, now: Self.at(20))
    #expect(tick.due == nil)
    #expect(tick.next == Self.at(Self.hour))
  }

  @Test("ticks missed after such a crash are made up for")
  func missedAfterCrash() throws {
    let tick = try due(policy(promising: Self.two), last: Self.two, now: Self.at(3 * Self.hour + 5))
    #expect(tick.due == Self.at(3 * Self.hour))
    #expect(tick.next == Self.at(4 * Self.hour))
  }

  @Test("a policy whose status was lost goes on from its last run")
  func lostStatus() throws {
    let lost = policy(promising: nil, observed: nil)
    #expect(try due(lost, last: Self.two, now: Self.at(10)).due == nil)
    #expect(try due(lost, last: Self.two, now: Self.at(Self.hour)).due == Self.at(Self.hour))
    #expect(try due(lost, last: Self.two, now: Self.at(4 * Self.hour)).due == Self.at(4 * Self.hour))
  }

  @Test("a policy that is resumed waits for the next tick")
  func resumed() throws {
    let tick = try due(
      policy(promising: nil, observed: 1, generation: 2), last: Self.two, now: Self.at(10 * Self.hour + 1))
    #expect(tick.due == nil)
    #expect(tick.next == Self.at(11 * Self.hour))
  }

  @Test("an edited schedule counts from the edit")
  func edited() throws {
    let edited = policy(promising: Self.two, observed: 1, generation: 2)
    let tick = try due(edited, last: Self.at(-Self.hour), now: Self.at(-600), schedule: "30 * * * *")
    #expect(tick.due == nil)
    #expect(tick.next == Self.at(1800))
  }

  @Test("a promise that came due before the edit was seen is kept, once")
  func editedLate() throws {
    let edited = policy(promising: Self.two, observed: 1, generation: 2)
    #expect(try due(edited, last: nil, now: Self.at(5), schedule: "30 * * * *").due == Self.two)
    #expect(try due(edited, last: Self.two, now: Self.at(5), schedule: "30 * * * *").due == nil)
  }

  @Test("a clock that goes back makes no tick due twice", arguments: [1, 600, 23 * 3600] as [Int64])
  func clockBack(by seconds: Int64) throws {
    let tick = try due(policy(promising: Self.at(Self.hour)), last: Self.two, now: Self.at(-seconds))
    #expect(tick.due == nil)
    #expect(tick.next == Self.at(Self.hour))
  }

  @Test("a clock that was years ahead does not silence a policy")
  func clockWayBack() throws {
    let year: Int64 = 366 * 24 * 3600
    let tick = try due(policy(promising: Self.at(year)), last: Self.at(year - Self.hour), now: Self.at(10))
    #expect(tick.due == nil)
    #expect(tick.next == Self.at(Self.hour))
  }

  @Test("a clock that goes forward makes one tick due, the latest", arguments: [1, 600, 366 * 24 * 3600] as [Int64])
  func clockForward(by seconds: Int64) throws {
    let now = Self.at(seconds)
    let tick = try due(policy(promising: Self.two), last: Self.at(-Self.hour), now: now)
    #expect(tick.due == Timestamp(unixSeconds: now.unixSeconds - now.unixSeconds % Self.hour))
  }

  @Test("intervals count from the policy's creation")
  func intervals() throws {
    let new = policy(promising: nil, observed: nil)
    #expect(try due(new, now: Self.at(-1800), schedule: "@every 90m").next == Self.at(Self.hour))
    let tick = try due(
      policy(promising: Self.at(Self.hour)), now: Self.at(Self.hour + 5400 + 1), schedule: "@every 90m")
    #expect(tick.due == Self.at(Self.hour + 5400))
    #expect(tick.next == Self.at(Self.hour + 2 * 5400))
  }

  @Test("a schedule without a future has no next tick, and nothing due")
  func never() throws {
    let tick = try due(policy(promising: nil, observed: 1), now: Self.two)
    #expect(tick.due == nil)
    #expect(DueTick.never.next == nil)
  }
}
