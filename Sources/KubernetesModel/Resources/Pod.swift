// Pods of Jobs, reduced to what tells whether they still run and why they ended.

/// `v1 Pod`: its metadata and status.
public struct Pod: KubernetesObject, Hashable {
  public static let resource = ResourceType(group: "", version: "v1", kind: "Pod", plural: "pods")

  /// `v1 PodStatus`.
  public struct Status: Sendable, Hashable, Codable {
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    public var phase: String?
    /// Why the pod is in this state: `Evicted`, `DeadlineExceeded`, `NodeLost` …
    public var reason: String?
    public var message: String?
    public var startTime: Timestamp?
    public var conditions: [Condition]?
    public var initContainerStatuses: [ContainerStatus]?
    public var containerStatuses: [ContainerStatus]?
  }

  /// `v1 PodCondition`; `PodScheduled` tells why a pod waits for a node.
  public struct Condition: Sendable, Hashable, Codable {
    public var type: String
    public var status: String
    public var reason: String?
    public var message: String?
  }

  /// `v1 ContainerStatus`.
  public struct ContainerStatus: Sendable, Hashable, Codable {
    public var name: String
    public var image: String?
    public var state: ContainerState?
  }

  /// `v1 ContainerState`: exactly one of the three is set.
  public struct ContainerState: Sendable, Hashable, Codable {
    public var waiting: Waiting?
    public var running: Running?
    public var terminated: Terminated?
  }

  /// Why a container does not run yet: `ImagePullBackOff`, `CreateContainerConfigError` …
  public struct Waiting: Sendable, Hashable, Codable {
    public var reason: String?
    public var message: String?
  }

  /// A container that runs.
  public struct Running: Sendable, Hashable, Codable {
    public var startedAt: Timestamp?
  }

  /// How a container ended.
  public struct Terminated: Sendable, Hashable, Codable {
    public var exitCode: Int
    public var signal: Int?
    /// `Completed`, `Error`, `OOMKilled` …
    public var reason: String?
    /// The termination message: with `FallbackToLogsOnError` the last lines of the log.
    public var message: String?
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?
  }

  public var metadata: ObjectMeta
  public var status: Status?

  /// A pod as seen in the API.
  public init(metadata: ObjectMeta, status: Status? = nil) {
    self.metadata = metadata
    self.status = status
  }

  /// A pod that may run: nothing says that it has stopped.
  public static func remains(_ metadata: ObjectMeta) -> Pod? { Pod(metadata: metadata) }
}
