// The columns of the types of Kubernetes itself, as kube-apiserver prints them (pkg/printers/internalversion).

import KubernetesModel

extension TableColumn {
  /// `nil` for types that have no columns of their own.
  static func builtIn(_ definition: ResourceDefinition) -> [TableColumn]? {
    switch definition.storageName {
    case ResourceDefinition.pods.storageName: pods
    case ResourceDefinition.jobs.storageName: jobs
    case ResourceDefinition.coreEvents.storageName: events
    case ResourceDefinition.configMaps.storageName:
      [
        name,
        TableColumn("Data") { object, _ in .integer(count(object["data"]) + count(object["binaryData"])) }, age,
      ]
    case ResourceDefinition.secrets.storageName:
      [
        name, TableColumn("Type") { object, _ in object["type"] },
        TableColumn("Data") { object, _ in .integer(count(object["data"])) }, age,
      ]
    case ResourceDefinition.namespaces.storageName:
      [name, TableColumn("Status") { object, _ in object["status"]["phase"] }, age]
    case ResourceDefinition.leases.storageName:
      [name, TableColumn("Holder") { object, _ in .string(object["spec"]["holderIdentity"].string ?? "") }, age]
    case ResourceDefinition.customResourceDefinitions.storageName:
      [name, TableColumn("Created At", format: "date") { object, _ in object["metadata"]["creationTimestamp"] }]
    default: nil
    }
  }

  private static func count(_ members: JSONValue) -> Int64 { Int64(members.object?.count ?? 0) }

  private static let pods = [
    name,
    TableColumn("Ready") { pod, now in
      .string("\(PodSummary(pod, now).ready)/\(pod["spec"]["containers"].array?.count ?? 0)")
    },
    TableColumn("Status") { pod, now in .string(PodSummary(pod, now).reason) },
    TableColumn("Restarts") { pod, now in .string(PodSummary(pod, now).restarts) },
    age,
    TableColumn("IP", priority: 1) { pod, _ in .string(pod["status"]["podIP"].string ?? "<none>") },
    TableColumn("Node", priority: 1) { pod, _ in .string(pod["spec"]["nodeName"].string ?? "<none>") },
    TableColumn("Nominated Node", priority: 1) { _, _ in "<none>" },
    TableColumn("Readiness Gates", priority: 1) { _, _ in "<none>" },
  ]

  private static let jobs = [
    name,
    TableColumn("Status") { job, _ in .string(jobStatus(job)) },
    TableColumn("Completions") { job, _ in
      let succeeded = job["status"]["succeeded"].integer ?? 0
      if let completions = job["spec"]["completions"].integer { return .string("\(succeeded)/\(completions)") }
      let parallelism = job["spec"]["parallelism"].integer ?? 0
      return .string(parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1")
    },
    TableColumn("Duration") { job, now in
      guard let start = job["status"]["startTime"].string.flatMap({ Timestamp($0) }) else { return "" }
      let end = job["status"]["completionTime"].string.flatMap { Timestamp($0) } ?? now
      return .string(AgeText(from: start, to: end).description)
    },
    age,
    TableColumn("Containers", priority: 1) { job, _ in .string(containers(job, "name")) },
    TableColumn("Images", priority: 1) { job, _ in .string(containers(job, "image")) },
    TableColumn("Selector", priority: 1) { job, _ in
      let labels = job["spec"]["selector"]["matchLabels"].object ?? [:]
      return .string(labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.plain)" }.joined(separator: ","))
    },
  ]

  private static func containers(_ job: JSONValue, _ field: String) -> String {
    (job["spec"]["template"]["spec"]["containers"].array ?? []).compactMap { $0[field].string }.joined(separator: ",")
  }

  private static func jobStatus(_ job: JSONValue) -> String {
    let conditions = (job["status"]["conditions"].array ?? []).filter { $0["status"] == "True" }
    for type in ["Complete", "Failed"] where conditions.contains(where: { $0["type"] == .string(type) }) { return type }
    if job.isBeingDeleted { return "Terminating" }
    for type in ["Suspended", "FailureTarget", "SuccessCriteriaMet"]
    where conditions.contains(where: { $0["type"] == .string(type) }) {
      return type
    }
    return "Running"
  }

  private static let events = [
    TableColumn("Last Seen") { event, now in .string(lastSeen(event, now)) },
    TableColumn("Type") { event, _ in event["type"] },
    TableColumn("Reason") { event, _ in event["reason"] },
    TableColumn("Object") { event, _ in
      let object = event["involvedObject"]
      let parts = [object["kind"].string?.lowercased(), object["name"].string].compactMap(\.self)
      return .string(parts.filter { !$0.isEmpty }.joined(separator: "/"))
    },
    TableColumn("Subobject", priority: 1) { event, _ in .string(event["involvedObject"]["fieldPath"].string ?? "") },
    TableColumn("Source", priority: 1) { event, _ in
      let parts = [
        event["source"]["component"].string ?? event["reportingComponent"].string,
        event["source"]["host"].string ?? event["reportingInstance"].string,
      ].compactMap(\.self)
      return .string(parts.filter { !$0.isEmpty }.joined(separator: ", "))
    },
    TableColumn("Message") { event, _ in .string(trimmed(event["message"].string ?? "")) },
    TableColumn("First Seen", priority: 1) { event, now in .string(firstSeen(event, now)) },
    TableColumn("Count", "integer", priority: 1) { event, _ in
      .integer(event["series"]["count"].integer ?? max(1, event["count"].integer ?? 1))
    },
    TableColumn("Name", format: "name", priority: 1) { event, _ in event["metadata"]["name"] },
  ]

  private static func firstSeen(_ event: JSONValue, _ now: Timestamp) -> String {
    since(event["firstTimestamp"].isNull ? event["eventTime"] : event["firstTimestamp"], now)
  }

  private static func lastSeen(_ event: JSONValue, _ now: Timestamp) -> String {
    let observed = event["series"]["lastObservedTime"]
    if !observed.isNull { return since(observed, now) }
    return event["lastTimestamp"].isNull ? firstSeen(event, now) : since(event["lastTimestamp"], now)
  }

  private static func trimmed(_ text: String) -> String {
    guard let first = text.firstIndex(where: { !$0.isWhitespace }),
      let last = text.lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(text[first...last])
  }
}
