// `homelab-helper bucket-sync trigger`: make a policy run now, and watch it if wanted.

internal import ArgumentParser
internal import BucketSyncAPI
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import OperatorRuntime
internal import UnixSignals

/// Asks for a run.
struct TriggerCommand: AsyncParsableCommand {
  /// How long the operator may take to name the run. One that is there does so at once.
  private static let patience = Duration.seconds(10)

  static let configuration = CommandConfiguration(
    commandName: "trigger", abstract: "Make a policy run now.",
    discussion: """
      With --wait it shows how the run gets on until it has ended: on a terminal in one line, elsewhere as lines. \
      Interrupting it leaves the run going.

      EXIT CODES
        0    without --wait: the run was asked for; with --wait: it ended as Succeeded or Skipped
        1    it Failed, was rejected or was Cancelled; or the command itself could not do its work
        64   wrong use
        124  --timeout is over; the run goes on
        130  interrupted; the run goes on

      EXAMPLES
        homelab-helper bucket-sync trigger photos
        homelab-helper bucket-sync trigger photos --wait --timeout 1h --standalone ~/buckets
      """)

  @Argument(help: ArgumentHelp("The policy.", valueName: "policy")) var policy: String
  @Flag(help: "Show how the run gets on until it has ended.") var wait = false

  @Option(help: ArgumentHelp("How long to wait at most, as 90s, 30m or 1h. (default: for ever)", valueName: "duration"))
  var timeout: String?

  @OptionGroup(title: "Where") var options: ConnectionOptions

  func validate() throws {
    guard timeout == nil || wait else { throw ValidationError("--timeout is for --wait only") }
  }

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let limit = try SettingSource(environment: [:]).duration(timeout, "timeout", "", default: .zero)
    let site = try options.connect()
    let name = try site.split(policy, default: .policies, among: [.policies]).name
    let trigger = SyncNowTrigger(try await site.policy(name), site: site)
    let terminal = Terminal.output(environment)
    try await trigger.pull()
    let interruption = Interruption()
    var rivals: [@Sendable () async throws -> RunEnd] = [
      interruption.run, { try await follow(trigger, site, terminal, interruption) },
    ]
    if limit > .zero {
      rivals.append {
        try await site.time.sleep(for: limit)
        return .timedOut
      }
    }
    let end = try await Self.first(rivals)
    switch end {
    case .interrupted, .timedOut:
      StandardError.write((end == .timedOut ? "timed out" : "interrupted") + "; " + interruption.advice(site) + "\n")
    default: break
    }
    if end != .succeeded { throw ExitCode(end.rawValue) }
  }

  private func follow(
    _ trigger: SyncNowTrigger, _ site: ObjectSite, _ terminal: Terminal, _ interruption: Interruption
  ) async throws -> RunEnd {
    let policy = trigger.policy.metadata.name
    let slow = Task {
      try await site.time.sleep(for: Self.patience)
      StandardError.write(
        "policy \(policy) is triggered, but "
          + (trigger.isSecond
            ? "an earlier trigger is still being answered: the next run is made when that one has finished\n"
            : "the operator does not answer: the run is made as soon as it does\n"))
    }
    defer { slow.cancel() }
    let name: String?
    if wait || !trigger.isSecond {
      var rivals: [@Sendable () async throws -> String?] = [{ try await trigger.runName() }]
      if !wait {
        rivals.append {
          try await site.time.sleep(for: Self.patience + .seconds(1))
          return nil
        }
      }
      name = try await Self.first(rivals)
    } else {
      name = nil
      StandardError.write(
        "policy \(policy) is triggered; the run is made when the one of the trigger before it has finished\n")
    }
    slow.cancel()
    guard let name else { return .succeeded }
    interruption.run(is: name)
    terminal.write("policy \(policy) triggered: run \(name)\n")
    guard wait else { return .succeeded }
    return try await RunWait(site: site, name: name, terminal: terminal).untilEnd()
  }

  /// The answer of whoever has one first.
  private static func first<Answer: Sendable>(
    _ rivals: [@Sendable () async throws -> Answer]
  ) async throws -> Answer {
    try await withThrowingTaskGroup(of: Answer.self) { group in
      defer { group.cancelAll() }
      for rival in rivals { group.addTask { try await rival() } }
      guard let answer = try await group.next() else { throw CancellationError() }
      return answer
    }
  }
}

/// Waits for Ctrl-C, and knows what to say then.
private final class Interruption: Sendable {
  private let name = FirstValue<String>()

  func run(is name: String) { self.name.set(name) }

  @Sendable func run() async throws -> RunEnd {
    for await _ in await UnixSignalsSequence(trapping: .sigint) { return .interrupted }
    throw CancellationError()
  }

  func advice(_ site: ObjectSite) -> String {
    guard let run = name.present else { return "the trigger stays, and the run is made" }
    let command = "homelab-helper bucket-sync"
    return "run \(run) goes on. Follow it: \(command) logs \(run) --follow -n \(site.namespace); "
      + "cancel it: \(command) cancel \(run) -n \(site.namespace)"
  }
}
