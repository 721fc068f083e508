// hooks-lab: what a test run cannot do to the sandbox. Not shipped.
//
//     hooks-lab table [MILLISECONDS]          the table of escapes, once (for AddressSanitizer, which needs more time)
//     hooks-lab fuzz SECONDS [SEED]           scripts and results made of pieces, at random
//     hooks-lab bench [CALLS]                 what a call costs, and whether memory grows

import Glibc
import HookCases
import KubernetesModel
import LuaSandbox

@main
enum HooksLab {
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let passed =
      switch arguments.first {
      case "table": await Table.run(time: .milliseconds(arguments.dropFirst().first.flatMap { Int($0) } ?? 250))
      case "fuzz":
        await Fuzzer.run(
          seconds: arguments.dropFirst().first.flatMap { Int($0) } ?? 60,
          seed: arguments.dropFirst(2).first.flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max))
      case "bench": await Bench.run(calls: arguments.dropFirst().first.flatMap { Int($0) } ?? 100_000)
      default: usage()
      }
    // LeakSanitizer may end the process in a way that loses what was not written yet.
    fflush(nil)
    exit(passed ? 0 : 1)
  }

  private static func usage() -> Bool {
    print("usage: hooks-lab table [MILLISECONDS] | fuzz SECONDS [SEED] | bench [CALLS]")
    return false
  }
}

/// The table of escapes.
enum Table {
  static func run(time: Duration) async -> Bool {
    let sandbox = LuaSandbox(limits: LuaLimits(time: time))
    let threads = HookThreads(time: SystemTime(), limit: 2)
    var complaints: [String] = []
    for script in HookCase.all {
      guard let answer = try? await threads.run(patience: .seconds(120), { script.run(in: sandbox) }) else {
        complaints.append("\(script.name): did not come back")
        continue
      }
      if let complaint = script.complaint(about: answer) { complaints.append(complaint) }
    }
    complaints.forEach { print($0) }
    print("\(HookCase.all.count - complaints.count) passed, \(complaints.count) failed")
    return complaints.isEmpty
  }
}
