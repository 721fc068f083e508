// `homelab-helper bucket-sync cancel`: stop runs.

internal import ArgumentParser
internal import KubernetesClient
internal import OperatorRuntime

/// Deletes runs.
struct CancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Stop runs.",
    discussion: """
      A run is cancelled by deleting it: rclone is stopped, the locks are released, and then the run is gone. What was \
      copied already stays. A run that has finished is left alone, unless --force is given.

      EXAMPLES
        homelab-helper bucket-sync cancel photos-1772330400
        homelab-helper bucket-sync cancel photos-1772330400 music-1772330400 --no-wait
      """)

  @Argument(help: ArgumentHelp("The runs.", valueName: "run")) var runs: [String]

  @Flag(inversion: .prefixedNo, help: "Wait until rclone has stopped and the run is gone.") var wait = true
  @Flag(help: "Delete runs that have finished, too.") var force = false
  @OptionGroup(title: "Where") var options: ConnectionOptions

  func validate() throws {
    guard !runs.isEmpty else { throw ValidationError("name the runs to be cancelled") }
  }

  func run() async throws {
    let output = Terminal.output([:])
    let cancel = CancelRuns(
      site: try options.connect(), isForced: force, waits: wait, print: { output.write($0 + "\n") },
      warn: { StandardError.write($0 + "\n") })
    guard try await cancel.cancel(runs) else { throw ExitCode.failure }
  }
}
