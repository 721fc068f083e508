// A simulated world: one scenario, one seed, one plan of faults. Start reading the simulator here.
//
//     World           time, chance, processes; lets everything happen and returns the Outcome
//     Time/           agenda of virtual time, executor with a seeded order, clocks
//     Cluster/        the model of Kubernetes: API server, garbage collector, Job controller, scheduler, kubelet
//     Network/        requests and watches that take time, and the faults that strike them
//     Operators/      processes: the real operator, unchanged
//     Scenarios/      what people do, and what pods do
//     Invariants/     S1–S4, L1–L3 of design.md section 7, checked at each change and at the end
//     Traces/         what happens at the API server, and whether a real one says the same
//     Campaigns/      each fault at each request, pairs of crashes, random worlds, mutants
//
// A world lives on one thread. Nothing in it is shared with another one, so worlds run side by side.

import BucketSyncAPI
import BucketSyncCore
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import TestSupport

/// One world, which lives once.
final class World {
  /// Where locks are.
  static let namespace = "bucket-sync-system"

  let scenario: Scenario
  let seed: UInt64
  let agenda: Agenda
  let jobs: JobPool
  let timeline: Timeline
  let time: VirtualTime
  let server: ModelServer
  let containers = Containers()
  let cluster: ModelCluster
  let monitor: Monitor
  let plan: FaultPlan
  /// Chance of everything that has no chance of its own.
  var chance: SeededRandom
  private(set) lazy var user = User(world: self)
  private(set) var processes: [String: OperatorInstance] = [:]
  /// Requests that faults can strike, so far.
  private(set) var calls = 0
  private var callsAtLastWrite = 0
  /// When a process last started, or went on.
  private var lastAwakening: Duration = .zero
  private let isRecording: Bool

  /// - Parameter isRecording: Whether the timeline is kept for people to read.
  init(_ scenario: Scenario, seed: UInt64, plan: FaultPlan = .none, isRecording: Bool = false) {
    self.scenario = scenario
    self.seed = seed
    self.plan = plan
    self.isRecording = isRecording
    chance = SeededRandom(seed: seed)
    agenda = Agenda(seed: chance.next())
    jobs = JobPool(seed: chance.next())
    timeline = Timeline(agenda, isRecording: isRecording)
    time = VirtualTime(agenda)
    server = ModelServer(time: time)
    cluster = ModelCluster(server: server, agenda: agenda, time: time, containers: containers, seed: chance.next())
    monitor = Monitor(agenda: agenda, server: server, containers: containers, time: time)
    server.observe { [unowned self] change, actor in
      timeline.note("\(actor) \(change.summary)\(change.note)")
      for process in processes.sorted(by: { $0.key < $1.key }) {
        for feed in process.value.connection.feeds { feed.tell(change) }
      }
      user.look()
    }
    containers.onStart = { [unowned self] container, others in
      timeline.note("container of \(container.pod) starts on \(container.buckets.sorted().joined(separator: ", "))")
      monitor.starts(container, besides: others)
    }
    containers.onEnd = { [unowned self] container in timeline.note("container of \(container.pod) has ended") }
  }

  /// Lets the world go from its beginning to its end.
  func live() -> Outcome {
    cluster.waitsForTerminatingPods = chance.once(in: 2)
    if !plan.faults.isEmpty { monitor.isUndisturbed = false }
    for number in 0..<scenario.replicas {
      let delay = number == 0 ? .zero : chance.duration(in: .zero...(.seconds(2)))
      agenda.after(delay) { [unowned self] in start("operator-\(number)") }
    }
    scheduleBookmarks()
    scenario.script(user)
    pass(scenario.duration)
    let busyCalls = calls
    settle()
    let violations = monitor.violations + (monitor.violations.isEmpty ? Promises(self).broken() : [])
    shutDown()
    return Outcome(
      violations: violations, calls: max(busyCalls, callsAtLastWrite), events: jobs.ran, simulated: agenda.now,
      fingerprint: timeline.fingerprint, timeline: timeline.lines)
  }

  /// Counts a request, and tells what goes wrong at it.
  func count(_ request: APIRequest, from connection: SimulatedConnection) -> (number: Int, faults: [Fault]) {
    let isLease = request.label.resource == Lease.resource.plural
    guard !isLease || scenario.strikesLeases else { return (-1, []) }
    let number = calls
    calls += 1
    monitor.requests(connection.process)
    if request.method != .get, request.label.resource != Event.resource.plural { callsAtLastWrite = calls }
    let faults = plan.at(number)
    for fault in faults {
      timeline.note("FAULT \(fault) at #\(number) \(request.summaryLine) of \(connection.process)")
      strike(fault, connection)
    }
    return (number, faults)
  }

  /// Whether nothing stands still for longer than a minute: then what is due gets done in time.
  var isQuick: Bool {
    !plan.faults.contains { if case .freeze(let time) = $0.fault { time > .seconds(60) } else { false } }
  }

  // MARK: Processes

  func start(_ name: String) {
    let instance = OperatorInstance(name: name, world: self)
    instance.time.offset = time.offset
    processes[name] = instance
    lastAwakening = agenda.now
    timeline.note("\(name) starts")
    let timeline = isRecording ? timeline : nil
    instance.start(scenario, seed: chance.next(), log: timeline.map { LogHandlerFactory($0, process: name) }) {
      [weak self, weak instance] how in
      guard let self, let instance, processes[name] === instance else { return }
      self.timeline.note("\(name) has ended: \(how)")
      instance.connection.die()
      processes[name] = nil
      monitor.isUndisturbed = false
      agenda.after(.seconds(1) + chance.duration(in: .zero...(.seconds(4)))) { [weak self] in self?.start(name) }
    }
  }

  /// Kills a process and starts it again a little later.
  func kill(_ name: String, downtime: Duration? = nil) {
    guard let instance = processes[name] else { return }
    timeline.note("\(name) is killed")
    processes[name] = nil
    monitor.isUndisturbed = false
    instance.connection.die()
    let downtime = downtime ?? chance.duration(in: .milliseconds(200)...(.seconds(6)))
    // Not now: it may be one of its own jobs that is running.
    agenda.after(.zero) { instance.kill() }
    agenda.after(downtime) { [unowned self] in start(name) }
  }

  private func freeze(_ name: String, for duration: Duration) {
    guard let instance = processes[name], !instance.executor.isFrozen else { return }
    agenda.after(.zero) { [unowned self] in
      timeline.note("\(name) stands still")
      instance.executor.freeze()
    }
    agenda.after(duration) { [unowned self] in
      timeline.note("\(name) goes on")
      lastAwakening = agenda.now
      instance.executor.thaw()
    }
  }

  private func strike(_ fault: Fault, _ connection: SimulatedConnection) {
    switch fault {
    case .watchLag(let time): connection.silentUntil = agenda.now + time
    case .dropEvent, .dropEventAndCut, .duplicateEvent, .reorderEvents: connection.nextEventFault = fault
    case .cutWatches: agenda.after(.zero) { connection.closeFeeds() }
    case .expire:
      server.compact()
      agenda.after(.zero) { connection.closeFeeds() }
    case .freeze(let time): freeze(connection.process, for: time)
    case .wipeLocks: agenda.after(.zero) { [unowned self] in user.wipeLocks() }
    case .clock(let jump): setClocks(by: jump)
    default: break
    }
  }

  /// Sets the wall clock of every machine.
  func setClocks(by jump: Duration) {
    time.offset += jump
    for process in processes.values { process.time.offset += jump }
    monitor.clockWasSet()
  }

  private func shutDown() {
    let last = processes.sorted { $0.key < $1.key }
    // Nobody starts again.
    processes = [:]
    for (_, instance) in last { instance.kill() }
    agenda.clear()
  }

  // MARK: Time

  /// Lets `duration` pass.
  func pass(_ duration: Duration) { run(until: agenda.now + duration) }

  private func run(until end: Duration) {
    var jobsAtOnce = 0
    while true {
      while jobs.runOne() {
        jobsAtOnce += 1
        if jobsAtOnce > 200_000 {
          return monitor.violate("L3", "the operators do not come to rest, and no time passes")
        }
      }
      let before = agenda.now
      guard agenda.step(until: end) else { return }
      if agenda.now > before { jobsAtOnce = 0 }
    }
  }

  private func scheduleBookmarks() {
    agenda.after(.seconds(60)) { [unowned self] in
      for process in processes.values { for feed in process.connection.feeds { feed.bookmark() } }
      scheduleBookmarks()
    }
  }

  private func restart() { for name in processes.keys.sorted() { kill(name) } }

  /// Waits until nothing has moved for longer than the longest pause of a retry, and than an orphaned lock is looked at,
  /// even if answers get lost.
  private func rest() {
    let patience = max(.seconds(300), scenario.settings.lockTimeout, scenario.settings.jobStartTimeout) + .seconds(120)
    let start = agenda.now
    let longest = start + .seconds(5 * 3600)
    repeat {
      pass(.seconds(60))
    } while agenda.now < longest
      && (agenda.now - max(start, monitor.lastWrite, cluster.busyUntil, lastAwakening) < patience
        || processes.values.contains { $0.executor.isFrozen })
    if agenda.now >= longest { monitor.violate("L3", "writes go on with no input: \(monitor.latestWrites)") }
  }

  /// No more input: policies are suspended, and everything that is under way may come to its end.
  private func settle() {
    timeline.note("no more input from here on")
    user.suspendEverything()
    if plan.faults.contains(where: { $0.fault == .dropEvent }) {
      // What a watch has swallowed without a trace only a new list can tell; and it may swallow something only now.
      pass(.seconds(60))
      restart()
      rest()
      restart()
    }
    rest()
    let writes = monitor.writes
    // Nor does an operator that starts anew find anything to write.
    let wasUndisturbed = monitor.isUndisturbed
    restart()
    pass(.seconds(400))
    monitor.isUndisturbed = wasUndisturbed
    if monitor.writes > writes {
      monitor.violate("L3", "written with no input: \(monitor.latestWrites.suffix(monitor.writes - writes))")
    }
  }
}

/// How a world has gone.
struct Outcome {
  /// Each begins with the invariant that was broken.
  var violations: [String]
  /// Requests that faults could have struck, until nothing was left to do.
  var calls: Int
  /// Jobs that the executor ran.
  var events: Int
  var simulated: Duration
  var fingerprint: UInt64
  var timeline: [String]
}

extension ServerChange {
  /// What a reader of the timeline wants to know of the change.
  fileprivate var note: String {
    guard path.plural == BucketSync.resource.plural || path.plural == "jobs" || path.plural == "pods" else { return "" }
    var parts: [String] = []
    let (new, before) = (object["status"], old?["status"] ?? .null)
    for field in ["phase", "result", "error", "job"] where new[field] != before[field] {
      if let value = new[field].string { parts.append("\(field) \(value)") }
    }
    for type in ["Complete", "Failed"] where object.has(condition: type) && old?.has(condition: type) != true {
      parts.append(type)
    }
    if object.isBeingDeleted, old?.isBeingDeleted == false { parts.append("to be deleted") }
    return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
  }
}
