// The hidden subcommand by which the standalone operator starts itself as the supervisor of a program.

internal import StandaloneJobs

enum SupervisorCommand {
  /// `argv` without what the operator adds; `ps` shows it in front of the pod's name.
  private static let command = ["homelab-helper", "bucket-sync", "supervise-job"]

  static let program = SupervisorProgram(arguments: command)

  /// What the operator has added, if `argv` is that of a supervisor.
  static func arguments(in argv: [String]) -> [String]? {
    Array(argv.prefix(command.count)) == command ? Array(argv.dropFirst(command.count)) : nil
  }
}
