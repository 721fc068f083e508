// jobs-lab: processes that tests start in order to kill them. Not shipped.
//
//     jobs-lab supervisor NAMESPACE/POD        the supervisor of one pod, as the hidden subcommand of the real executable
//     jobs-lab operator FOLDER PLACES PROGRAM…  the local runner; its API is at the other end of standard input and output,
//                                              its supervisors are PROGRAM…

import Glibc
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import StandaloneJobs

@main
enum JobsLab {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "supervisor": exit(JobSupervisor.main(Array(arguments.dropFirst())))
    case "operator" where arguments.count > 3:
      // Not on the main thread, which does nothing but stay.
      Task.detached {
        await runOperator(arguments[1], places: Int(arguments[2]) ?? 1, supervisor: Array(arguments[3...]))
      }
      while true { pause() }
    default:
      print("usage: jobs-lab supervisor NAMESPACE/POD | operator FOLDER PLACES PROGRAM…")
      exit(64)
    }
  }

  private static func runOperator(_ folder: String, places: Int, supervisor: [String]) async {
    let time = SystemTime()
    let metrics = MetricsRegistry()
    let logger = Logger(label: "lab") { _ in SwiftLogNoOpLogHandler() }
    let client = KubernetesClient(transport: PipedAPI(), time: time)
    let events = EventDelivery(
      client: client, controller: "lab", instance: "lab", time: time, random: .system, logger: logger, metrics: metrics)
    do {
      let jobs = try LocalJobs(
        client: client,
        settings: LocalJobsSettings(
          folder: folder, nodeName: "lab",
          supervisor: SupervisorProgram(path: supervisor[0], arguments: supervisor), maximumRunning: places,
          environment: ["PATH": "/usr/bin:/bin"]),
        events: events.recorder, time: time, random: .system, logger: logger, metrics: metrics)
      try await jobs.run(until: Signal())
    } catch {
      let text = "jobs-lab: \(error)\n"
      _ = write(2, text, text.utf8.count)
      exit(1)
    }
  }
}
