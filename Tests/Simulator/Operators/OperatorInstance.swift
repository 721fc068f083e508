// One life of one operator process: the real OperatorAssembly, wired as `homelab-helper` wires it, on simulated clocks,
// a simulated network and a simulated executor.

import BucketLock
import BucketSyncCore
import BucketSyncOperator
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import RcloneJob

/// An operator process.
final class OperatorInstance {
  let name: String
  let executor: SimulatedExecutor
  let connection: SimulatedConnection
  let time: VirtualTime
  private let shutdown = Signal()
  private var task: Task<Void, Never>?

  init(name: String, world: World) {
    self.name = name
    executor = SimulatedExecutor(pool: world.jobs)
    connection = SimulatedConnection(world: world, process: name)
    time = VirtualTime(world.agenda)
  }

  /// Starts the process; `onEnd` is told how it ended, unless it was killed.
  func start(_ scenario: Scenario, seed: UInt64, log: LogHandlerFactory?, onEnd: @escaping (String) -> Void) {
    let dice = Dice(seed: seed)
    let logger = Logger(label: name) { label in log.map { $0.handler(label) } ?? SwiftLogNoOpLogHandler() }
    let end = EndReport(report: onEnd)
    do {
      let assembly = try OperatorAssembly(
        OperatorSettings(
          namespace: World.namespace, healthAddress: "0", metricsAddress: "0", concurrency: 4, core: scenario.settings),
        transport: connection, host: "simulated",
        lease: scenario.replicas > 1 ? ObjectKey(namespace: World.namespace, name: "bucket-sync") : nil,
        plugins: [BucketLock(), RcloneJob(image: "rclone", imagePullPolicy: nil)] + scenario.plugins(),
        instance: name, time: time, random: RandomSource { dice.draw($0) }, logger: logger)
      let shutdown = shutdown
      task = Task(executorPreference: executor) {
        do {
          try await assembly.run(until: shutdown)
          end.report("ended in good order")
        } catch {
          end.report("\(error)")
        }
      }
    } catch {
      onEnd("cannot start: \(error)")
    }
  }

  /// SIGTERM.
  func terminate() { shutdown.raise() }

  /// SIGKILL: nothing of it has any effect from now on.
  func kill() {
    connection.die()
    task?.cancel()
    executor.drain()
  }
}

/// What makes log handlers that write into a timeline.
struct LogHandlerFactory: Sendable {
  let handler: @Sendable (String) -> any LogHandler
}

/// The chance that one process draws. Only ever touched by the thread of its world.
private final class Dice: @unchecked Sendable {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  func draw(_ range: ClosedRange<Double>) -> Double { random.number(in: range) }
}

/// Only ever called by the thread of its world.
private struct EndReport: @unchecked Sendable {
  let report: (String) -> Void
}
