// simulator: the real operator in worlds where everything goes wrong, the same way for the same seed. Not shipped.

import ArgumentParser
import Glibc
import KubernetesModel

@main
struct Simulator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulator",
    abstract: "Runs the real operator in simulated clusters and checks what it promises.",
    subcommands: [
      Prove.self, Replay.self, Faults.self, Pairs.self, Worlds.self, Hunt.self, PrintTrace.self, CompareWithReal.self,
    ])

  /// Sets and dictionaries have another order in each process unless they are told not to, and a world must go the same
  /// way in every process.
  static func main() async {
    if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
      setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
      let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
      execv("/proc/self/exe", arguments)
    }
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      exit(withError: error)
    }
  }
}
