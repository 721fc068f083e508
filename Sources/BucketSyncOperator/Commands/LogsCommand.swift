// `homelab-helper bucket-sync logs`: what rclone says.

internal import ArgumentParser
internal import BucketSyncAPI
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import OperatorRuntime

/// Prints the log of a run.
struct LogsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Print what rclone wrote in a run.",
    discussion: """
      On a cluster a run's log goes with its Job when the run ends; what matters of it stays in the run's status. A \
      standalone operator keeps logs for a while.

      EXAMPLES
        homelab-helper bucket-sync logs photos-1772330400 --follow
        homelab-helper bucket-sync logs policy/photos --tail 20 --standalone ~/buckets
      """)

  @Argument(help: ArgumentHelp("A run, or policy/NAME for a policy's latest run.", valueName: "run")) var run: String
  @Flag(name: [.short, .long], help: "Wait for the log to begin, and go on until it ends.") var follow = false
  @Option(help: ArgumentHelp("Only so many of the last lines. (default: all)", valueName: "lines")) var tail: Int?
  @OptionGroup(title: "Where") var options: ConnectionOptions

  func validate() throws {
    guard tail ?? 0 >= 0 else { throw ValidationError("--tail \(tail ?? 0) must not be negative") }
  }

  func run() async throws {
    let site = try options.connect()
    let target = try site.split(run, default: .runs, among: [.runs, .policies])
    let output = Terminal.output([:])
    let logs = RunLogs(
      site: site, tailLines: tail, write: { output.write(String(decoding: $0, as: UTF8.self)) },
      warn: { StandardError.write($0 + "\n") })
    switch target.kind {
    case .policies:
      let policy = try await site.policy(target.name)
      guard let latest = try await site.runs(of: policy).first else {
        throw CommandFailure(
          "policy \(target.name) has no run yet; make one: homelab-helper bucket-sync trigger \(target.name)")
      }
      StandardError.write("run \(latest.metadata.name)\n")
      follow ? try await logs.follow(latest) : try await logs.show(latest)
    default:
      let run = try await site.run(target.name)
      follow ? try await logs.follow(run) : try await logs.show(run)
    }
  }
}
