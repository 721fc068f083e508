// What becomes of a run's pods: written down per run by the scenario, so that chance has no part in it.

/// How the pods of a run behave.
struct PodBehaviour {
  /// What goes wrong with a pod besides its program.
  enum Accident {
    /// The kubelet evicts it so long after its start: it says `Failed` first and stops the container afterwards.
    case evicted(after: Duration)
    /// Its node is out of reach from so long after its start on, for so long; the container goes on meanwhile.
    case nodeLost(after: Duration, for: Duration)
    /// Its node dies: the container is gone, and nobody says so until the pod is taken off the node.
    case nodeDied(after: Duration)
    /// The kubelet does not take it: it fails without a container ever being there.
    case rejected
    /// Somebody deletes the pod.
    case deleted(after: Duration)
    /// The Job controller says that the Job has failed, and does not manage to delete the pod.
    case forgottenByJobController
    /// The Job controller forgets the Job's deadline (kubernetes#107226).
    case deadlineLost
    /// The Job controller makes a second pod, as if it had not seen the first.
    case doubled
  }

  /// From being bound to a node until the program runs.
  var startDelay: Duration = .seconds(1)
  /// How long rclone takes; `nil` is for ever.
  var duration: Duration? = .seconds(20)
  var exitCode: Int64 = 0
  /// How long the program takes to end once it is told to; after 30 s it is killed.
  var stopDelay: Duration = .milliseconds(200)
  /// Why the container never starts.
  var neverStarts: String?
  var accident: Accident?

  static let quick = PodBehaviour()
  static let endless = PodBehaviour(duration: nil)
  static let failing = PodBehaviour(exitCode: 3)
  /// Does not end when told to: killed after its grace period.
  static let stubborn = PodBehaviour(duration: nil, stopDelay: .seconds(3600))
}
