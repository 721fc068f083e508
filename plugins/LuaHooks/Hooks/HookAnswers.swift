// HookAnswers: what scripts return, turned into what the core understands. Whatever is not just right is refused with
// the name of the field: a rule that is misspelled must not be a rule that does nothing.

internal import BucketSyncAPI
internal import BucketSyncCore
internal import KubernetesModel

/// A part of an answer that cannot be used.
struct BadAnswer: Error {
  let problem: String

  init(_ problem: String) { self.problem = problem }
}

enum HookAnswers {
  // MARK: pre_lock

  static func preLock(_ answer: JSONValue?) throws(BadAnswer) -> PreLockResult {
    guard let answer else { return .proceed }
    guard let members = answer.object else {
      throw BadAnswer("must be nothing, or a table with one of wait, skip and reject; it is \(kind(answer))")
    }
    try check(members, known: ["wait", "after", "skip", "reject"])
    let decisions = ["wait", "skip", "reject"].filter { members[$0] != nil }
    guard decisions.count == 1, let decision = decisions.first else {
      throw BadAnswer(
        decisions.isEmpty
          ? "has none of wait, skip and reject; return nothing to let the run go on"
          : "has \(decisions.joined(separator: " and ")); it can only have one of them")
    }
    let reason = try text(members, decision)
    if decision != "wait", members["after"] != nil { throw BadAnswer("after: only goes with wait") }
    switch decision {
    case "skip": return .skip(reason: reason)
    case "reject": return .reject(reason: reason)
    default: return .wait(reason: reason, after: try delay(answer["after"]))
    }
  }

  private static func delay(_ value: JSONValue) throws(BadAnswer) -> Duration {
    let delay: Duration
    switch value {
    case .integer(let seconds): delay = .seconds(max(0, min(seconds, 1 << 32)))
    case .number(let seconds): delay = .milliseconds(Int64(max(0, min(seconds, 1e9)) * 1000))
    case .string(let text):
      do throws(DurationError) { delay = try DurationText.parse(text) } catch { throw BadAnswer("after: \(error)") }
    case .null: throw BadAnswer("after: is missing; write after = \"10m\", or a number of seconds")
    default: throw BadAnswer("after: must be a duration such as \"10m\", or a number of seconds")
    }
    guard delay >= .seconds(1), delay <= .seconds(7 * 86400) else {
      throw BadAnswer("after: must be between a second and a week")
    }
    return delay
  }

  // MARK: job_name

  static func jobName(_ answer: JSONValue?, proposed: String) throws(BadAnswer) -> String {
    guard let answer else { return proposed }
    guard let name = answer.string else { throw BadAnswer("must be a name, not \(kind(answer))") }
    do throws(JobProblem) { try JobProblem.check(name: name) } catch { throw BadAnswer(error.description) }
    return name
  }

  // MARK: build_job

  static func job(_ answer: JSONValue?) throws(BadAnswer) -> JobManifest {
    guard let answer else { throw BadAnswer("is nothing; end the function with: return job") }
    guard answer.object != nil else { throw BadAnswer("must be the job, not \(kind(answer))") }
    let job = JobManifest(answer)
    do throws(JobProblem) { try JobProblem.check(job) } catch { throw BadAnswer(error.description) }
    try checkLists(job)
    return job
  }

  /// Lua's {} is an empty object; where Kubernetes wants a list it would be refused, and the run with it.
  private static func checkLists(_ job: JobManifest) throws(BadAnswer) {
    let path = "job.spec.template.spec"
    try checkLists(
      job.podSpec, path,
      [
        "containers", "initContainers", "volumes", "tolerations", "imagePullSecrets", "hostAliases", "readinessGates",
        "topologySpreadConstraints", "schedulingGates", "resourceClaims",
      ])
    for field in ["containers", "initContainers"] {
      for (index, container) in (job.podSpec[field].array ?? []).enumerated() {
        try checkLists(
          container, "\(path).\(field)[\(index + 1)]",
          ["args", "command", "env", "envFrom", "ports", "volumeMounts", "volumeDevices", "resizePolicy"])
      }
    }
  }

  private static func checkLists(_ value: JSONValue, _ path: String, _ fields: [String]) throws(BadAnswer) {
    for field in fields where !value[field].isNull && value[field].array == nil {
      let isEmptyTable = value[field].object?.isEmpty == true
      throw BadAnswer("\(path).\(field) must be a list\(isEmptyTable ? "; write array{} for an empty one" : "")")
    }
  }

  // MARK: post_sync

  static func report(_ answer: JSONValue?) throws(BadAnswer) -> PostSyncReport {
    guard let answer else { return PostSyncReport() }
    guard let members = answer.object else {
      throw BadAnswer("must be nothing, or a table with notes, annotations and events; it is \(kind(answer))")
    }
    try check(members, known: ["notes", "annotations", "events"])
    let annotations = try texts(answer["annotations"], "annotations")
    if let reserved = annotations.keys.first(where: { $0.hasPrefix("\(BucketSyncNames.group)/") }) {
      throw BadAnswer("annotations: \(reserved) belongs to the controller; use a domain of your own")
    }
    return PostSyncReport(
      notes: try texts(answer["notes"], "notes"), events: try events(answer["events"]), policyAnnotations: annotations)
  }

  private static func texts(_ value: JSONValue, _ field: String) throws(BadAnswer) -> [String: String] {
    if value.isNull { return [:] }
    guard let members = value.object else { throw BadAnswer("\(field): must be a table of texts, not \(kind(value))") }
    var texts: [String: String] = [:]
    for (key, value) in members {
      switch value {
      case .string(let text): texts[key] = text
      case .integer(let number): texts[key] = "\(number)"
      case .number(let number): texts[key] = "\(number)"
      case .bool(let bool): texts[key] = "\(bool)"
      default: throw BadAnswer("\(field).\(key): must be a text, not \(kind(value))")
      }
    }
    return texts
  }

  private static func events(_ value: JSONValue) throws(BadAnswer) -> [PostSyncReport.Event] {
    if value.isNull || value.object?.isEmpty == true { return [] }
    guard let elements = value.array else { throw BadAnswer("events: must be a list of tables, not \(kind(value))") }
    guard elements.count <= 10 else { throw BadAnswer("events: \(elements.count) are too many; at most 10 are taken") }
    var events: [PostSyncReport.Event] = []
    for (index, element) in elements.enumerated() {
      let field = "events[\(index + 1)]"
      guard let members = element.object else { throw BadAnswer("\(field): must be a table, not \(kind(element))") }
      do {
        try check(members, known: ["reason", "message", "warning"])
        let reason = try text(members, "reason")
        guard reason.utf8.count <= 128, reason.wholeMatch(of: #/[A-Z][A-Za-z0-9]*/#) != nil else {
          throw BadAnswer("reason: must be a word LikeThis of at most 128 letters")
        }
        guard element["warning"].isNull || element["warning"].bool != nil else {
          throw BadAnswer("warning: must be true or false")
        }
        let message = String(try text(members, "message").prefix(1000))
        events.append(.init(isWarning: element["warning"].bool ?? false, reason: reason, message: message))
      } catch let bad as BadAnswer {
        throw BadAnswer("\(field).\(bad.problem)")
      } catch {
        throw BadAnswer("\(field): \(error)")
      }
    }
    return events
  }

  // MARK: Fields

  private static func check(_ members: [String: JSONValue], known: [String]) throws(BadAnswer) {
    if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
      throw BadAnswer("\(unknown): is unknown; known are \(known.joined(separator: ", "))")
    }
  }

  private static func text(_ members: [String: JSONValue], _ field: String) throws(BadAnswer) -> String {
    guard let text = members[field]?.string, !text.isEmpty else {
      throw BadAnswer("\(field): must be a text that says why\(members[field] == nil ? ", and is missing" : "")")
    }
    return text
  }

  private static func kind(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .number: "a number"
    case .string: "a text"
    case .array: "a list"
    case .object: "a table"
    }
  }
}
