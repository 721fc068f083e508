// Settings of the local runner.

/// How Jobs are run on this machine.
package struct LocalJobsSettings: Sendable, Hashable {
  /// The folder that records, locks and logs are kept in; on a local disk.
  package var folder: String
  /// The name of this machine, as pods have it in `spec.nodeName`.
  package var nodeName: String
  /// What supervisors are started as: this executable with its hidden subcommand.
  package var supervisor: SupervisorProgram
  /// How many pods may run at the same time.
  package var maximumRunning: Int
  /// Variables that programs get unless their container sets them: `PATH`, `HOME`.
  package var environment: [String: String]
  package var log: LogLimits
  package var keptLogs: KeptLogs
  /// How many pods are looked after at the same time; does not limit how many run.
  package var concurrency: Int

  package init(
    folder: String, nodeName: String, supervisor: SupervisorProgram, maximumRunning: Int = 4,
    environment: [String: String], log: LogLimits = LogLimits(), keptLogs: KeptLogs = KeptLogs(), concurrency: Int = 4
  ) {
    self.folder = folder
    self.nodeName = nodeName
    self.supervisor = supervisor
    self.maximumRunning = maximumRunning
    self.environment = environment
    self.log = log
    self.keptLogs = keptLogs
    self.concurrency = concurrency
  }
}

/// Which logs are kept of pods that are over. Their objects may be gone long before.
package struct KeptLogs: Sendable, Hashable {
  /// Pods whose label of this name has the same value are one group, a policy's for example; pods without it form one
  /// group per Job.
  package var groupLabel: String?
  /// Pods of one group, the youngest.
  package var perGroup: Int
  /// Bytes of all logs together; the oldest go first.
  package var bytes: Int64
  /// How long after a pod is gone the old logs go, all at once.
  package var delay: Duration

  package init(
    groupLabel: String? = nil, perGroup: Int = 10, bytes: Int64 = 1 << 30, delay: Duration = .seconds(30)
  ) {
    self.groupLabel = groupLabel
    self.perGroup = perGroup
    self.bytes = bytes
    self.delay = delay
  }
}
