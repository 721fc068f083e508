// Fields of a Job that have no meaning on one machine without containers. They are named, not obeyed: a Job that asks for
// a node or for memory runs all the same, but nobody should believe that it gets them.
//
// Fields that ordinary Jobs always have, and defaults that API servers fill in, are passed over in silence.

internal import KubernetesModel

enum IgnoredFields {
  /// The paths of what a Job says in vain, in order.
  static func paths(in job: LocalJob) -> [String] {
    let spec = job.spec ?? .null
    let pod = spec["template"]["spec"]
    var paths = names(in: spec, except: jobFields).map { "spec.\($0)" }
    for field in ["parallelism", "completions"] where (spec[field].integer ?? 1) != 1 { paths.append("spec.\(field)") }
    if let mode = spec["completionMode"].string, mode != "NonIndexed" { paths.append("spec.completionMode") }
    let template = "spec.template.spec"
    paths += names(in: pod, except: podFields).map { "\(template).\($0)" }
    if pod["restartPolicy"].string == "OnFailure" {
      paths.append("\(template).restartPolicy (each attempt is a new pod)")
    }
    if hasForeignAffinity(pod["affinity"]) { paths.append("\(template).affinity") }
    let volumes = pod["volumes"].array ?? []
    for volume in volumes where volume["emptyDir"].isNull {
      paths.append("\(template).volumes[\(volume["name"].string ?? "")]")
    }
    let containers = pod["containers"].array ?? []
    for container in containers.dropFirst() {
      paths.append("\(template).containers[\(container["name"].string ?? "")]")
    }
    if let container = containers.first {
      let path = "\(template).containers[\(container["name"].string ?? "")]"
      paths += names(in: container, except: containerFields).map { "\(path).\($0)" }
      if hasForeignMount(container, volumes) { paths.append("\(path).volumeMounts") }
    }
    return paths
  }

  private static let jobFields: Set<String> = [
    "activeDeadlineSeconds", "backoffLimit", "completionMode", "completions", "manualSelector", "parallelism",
    "podReplacementPolicy", "selector", "suspend", "template", "ttlSecondsAfterFinished", "managedBy",
  ]

  private static let podFields: Set<String> = [
    "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "containers", "enableServiceLinks",
    "restartPolicy", "securityContext", "terminationGracePeriodSeconds", "volumes",
  ]

  private static let containerFields: Set<String> = [
    "name", "image", "imagePullPolicy", "command", "args", "env", "envFrom", "workingDir", "securityContext",
    "terminationMessagePath", "terminationMessagePolicy", "volumeMounts",
  ]

  /// What API servers write into Jobs that do not say otherwise.
  private static let defaults: [String: JSONValue] = [
    "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "preemptionPolicy": "PreemptLowerPriority",
    "priority": 0, "serviceAccountName": "default", "serviceAccount": "default",
  ]

  /// The members that say something.
  private static func names(in object: JSONValue, except known: Set<String>) -> [String] {
    (object.object ?? [:]).filter { name, value in
      !known.contains(name) && !isEmpty(value) && defaults[name] != value
    }.keys.sorted()
  }

  private static func isEmpty(_ value: JSONValue) -> Bool {
    switch value {
    case .null, .bool(false): true
    case .array(let elements): elements.isEmpty
    case .object(let members): members.values.allSatisfy(isEmpty)
    case .string(let text): text.isEmpty
    default: false
    }
  }

  /// Whether there is more than the term that keeps pods of one run apart, which the runner does anyway.
  private static func hasForeignAffinity(_ affinity: JSONValue) -> Bool {
    let required = "requiredDuringSchedulingIgnoredDuringExecution"
    var rest = affinity
    let terms = affinity["podAntiAffinity"][required].array ?? []
    rest["podAntiAffinity"][required] = .array(terms.filter { $0["topologyKey"].string != "kubernetes.io/os" })
    return !isEmpty(rest)
  }

  /// Whether something is mounted where a local program would look for it in vain.
  private static func hasForeignMount(_ container: JSONValue, _ volumes: [JSONValue]) -> Bool {
    let empty = Set(volumes.filter { !$0["emptyDir"].isNull }.compactMap { $0["name"].string })
    return (container["volumeMounts"].array ?? []).contains { mount in
      empty.contains(mount["name"].string ?? "") && mount["mountPath"].string != "/tmp"
    }
  }
}
