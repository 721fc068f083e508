// The objects that the local runner reads, with as much of them as it needs: whole Jobs and pods, since any field may
// matter, and of Secrets and ConfigMaps no more than that they have changed.

internal import FoundationEssentials
internal import KubernetesModel
internal import OperatorRuntime

/// A Job with all of its specification.
struct LocalJob: KubernetesObject, Hashable {
  static let resource = Job.resource

  var metadata: ObjectMeta
  var spec: JSONValue?
  var status: JSONValue?

  /// The pod's template.
  var template: JSONValue { spec?["template"] ?? .null }

  var isSuspended: Bool { spec?["suspend"].bool ?? false }

  /// Failed pods that are put up with; Kubernetes' default is 6.
  var backoffLimit: Int { Int(spec?["backoffLimit"].integer ?? 6) }

  var activeDeadline: Duration? { spec?["activeDeadlineSeconds"].integer.map { .seconds($0) } }

  var startTime: Timestamp? { (status?["startTime"].string).flatMap { Timestamp($0) } }

  /// What is left of its time limit. A clock that was set back gives it no more than the whole.
  func remainingTime(at now: Date) -> Duration? {
    guard let limit = activeDeadline else { return nil }
    guard let start = startTime else { return limit }
    return min(max(.zero, limit - .seconds(now.timeIntervalSince(start.date))), limit)
  }

  /// Whether the condition `type` is true.
  func hasCondition(_ type: String) -> Bool {
    (status?["conditions"].array ?? []).contains { $0["type"].string == type && $0["status"].string == "True" }
  }

  /// Whether it has ended, and makes no more pods.
  var isFinished: Bool { hasCondition("Complete") || hasCondition("Failed") }

  /// Whether this runner is to run it: `spec.managedBy` can give a Job to another controller.
  var isOurs: Bool {
    let manager = spec?["managedBy"].string
    return manager == nil || manager == "kubernetes.io/job-controller"
  }
}

/// A pod with all of its specification and status.
struct LocalPod: KubernetesObject, Hashable {
  static let resource = Pod.resource

  /// What a pod's metadata has beyond that of other objects.
  struct Deletion: Sendable, Hashable, Codable {
    var deletionGracePeriodSeconds: Int64?
  }

  var metadata: ObjectMeta
  var deletion: Deletion
  var spec: JSONValue?
  var status: JSONValue?

  private enum Key: String, CodingKey { case metadata, spec, status }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    metadata = try container.decode(ObjectMeta.self, forKey: .metadata)
    deletion = try container.decode(Deletion.self, forKey: .metadata)
    spec = try container.decodeIfPresent(JSONValue.self, forKey: .spec)
    status = try container.decodeIfPresent(JSONValue.self, forKey: .status)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(metadata, forKey: .metadata)
    try container.encodeIfPresent(spec, forKey: .spec)
    try container.encodeIfPresent(status, forKey: .status)
  }
}

extension LocalPod {
  /// The annotation that numbers the pods of a Job, from 0: what makes counting them exact.
  static let attemptAnnotation = "standalone.homelab-helper.benfiola.com/attempt"

  /// Keeps the object until its process is gone and its end is counted, whatever anybody deletes by force.
  static let finalizer = "batch.kubernetes.io/job-tracking"

  var uid: String { metadata.uid ?? "" }

  /// The Job that it belongs to, if the local runner made it.
  var job: OwnerReference? {
    guard attempt != nil, let owner = metadata.controllerOwner, owner.kind == LocalJob.resource.kind else { return nil }
    return owner
  }

  /// Which of its Job's pods it is.
  var attempt: Int? { metadata.annotations?[Self.attemptAnnotation].flatMap { Int($0) } }

  var phase: String { status?["phase"].string ?? "Pending" }

  /// Whether its end is known: nothing of it runs any more.
  var hasEnded: Bool { phase == "Succeeded" || phase == "Failed" }

  var hasFinalizer: Bool { metadata.finalizers?.contains(Self.finalizer) == true }

  /// The only container that runs here.
  var container: JSONValue { spec?["containers"][0] ?? .null }

  var containerName: String { container["name"].string ?? "main" }

  /// How long the program may take to stop: what its deletion says, or its specification. A moment at least, as the
  /// kubelet gives it even to a pod that is deleted by force (`minimumGracePeriodInSeconds`).
  var gracePeriod: Int64 {
    max(2, (metadata.isBeingDeleted ? deletion.deletionGracePeriodSeconds : nil) ?? specifiedGracePeriod)
  }

  var specifiedGracePeriod: Int64 { spec?["terminationGracePeriodSeconds"].integer ?? 30 }
}

extension ObjectIndex where Object == LocalPod {
  /// By the UID of the Job.
  static var job: Self { Self("job") { [$0.job?.uid].compactMap(\.self) } }
}

/// A Secret whose content is not kept.
struct SecretNotice: KubernetesObject {
  static let resource = Secret.resource
  var metadata: ObjectMeta
}

/// A ConfigMap whose content is not kept.
struct ConfigMapNotice: KubernetesObject {
  static let resource = ConfigMap.resource
  var metadata: ObjectMeta
}

/// `v1 Secret`, read at the moment it is used and forgotten.
struct Secret: KubernetesObject {
  static let resource = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")
  var metadata: ObjectMeta
  /// Base64.
  var data: [String: String]?
}
