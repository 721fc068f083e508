// The pod that is made of a Job's template.

internal import FoundationEssentials
internal import KubernetesModel

/// Writes pods.
struct PodManifest: Sendable {
  let nodeName: String

  /// The pod of a Job's attempt, under a name that follows from both: made twice, it is the same one.
  func pod(of job: LocalJob, attempt: Int) -> JSONValue {
    let template = job.template
    let uid = job.metadata.uid ?? ""
    var labels = template["metadata"]["labels"].object ?? [:]
    for prefix in ["", "batch.kubernetes.io/"] {
      labels["\(prefix)job-name"] = .string(job.metadata.name)
      labels["\(prefix)controller-uid"] = .string(uid)
    }
    var annotations = template["metadata"]["annotations"].object ?? [:]
    annotations[LocalPod.attemptAnnotation] = .string("\(attempt)")
    var spec = template["spec"]
    spec["nodeName"] = .string(nodeName)
    return [
      "apiVersion": "v1", "kind": "Pod",
      "metadata": [
        "name": .string(Self.name(job: job.metadata.name, uid: uid, attempt: attempt)),
        "namespace": job.metadata.namespace.map { .string($0) } ?? nil,
        "labels": .object(labels), "annotations": .object(annotations), "finalizers": [.string(LocalPod.finalizer)],
        "ownerReferences": [
          [
            "apiVersion": .string(LocalJob.resource.apiVersion), "kind": .string(LocalJob.resource.kind),
            "name": .string(job.metadata.name), "uid": .string(uid), "controller": true, "blockOwnerDeletion": true,
          ]
        ],
      ],
      "spec": spec,
    ]
  }

  /// `<job>-<5 characters>`, as Kubernetes names pods.
  static func name(job: String, uid: String, attempt: Int) -> String {
    let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
    // FNV-1a, which is the same on every machine and in every process.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(uid)/\(attempt)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var suffix = ""
    for _ in 0..<5 {
      suffix.append(alphabet[Int(hash % UInt64(alphabet.count))])
      hash /= UInt64(alphabet.count)
    }
    return "\(job.prefix(57))-\(suffix)"
  }
}
