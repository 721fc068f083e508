// HookFixture: one test case of scripts, as it is written beside them.
//
//     name: nights are without a limit
//     at: 2024-01-15T02:00:00Z
//     policy:
//       spec: {parameters: {limit: 10M}}
//     want:
//       flags: {bwlimit: null}

internal import BucketSyncAPI
internal import BucketSyncCore
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel

/// A test case.
struct HookFixture: Sendable {
  /// `bwlimit.test.yaml: nights are without a limit`
  var title: String
  /// The scripts that take part.
  var scripts: [String]
  var preview: RunPreview
  /// The time by the clock.
  var now: Timestamp
  /// How the run ended, for post_sync.
  var outcome: RunOutcome
  var want: Want

  /// What the case wants; only what is given is looked at.
  struct Want: Sendable {
    /// A part of the Job.
    var job: JSONValue?
    /// The name of the Job.
    var name: String?
    /// Flags of rclone and their values; `null` for one that must not be there.
    var flags: [String: JSONValue] = [:]
    /// The decision of pre_lock: `proceed`, or a table with wait and after, skip or reject.
    var preLock: JSONValue?
    /// A part of the report of post_sync.
    var postSync: JSONValue?
    /// A part of an error's text.
    var error: String?
  }

  private static let suffix = ".test.yaml"
  private static let defaultTime = Timestamp(unixSeconds: 1_705_284_000)

  /// The cases of all files in a folder.
  /// - Throws: ``CommandFailure``.
  static func all(in folder: String) throws(CommandFailure) -> [HookFixture] {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
      throw CommandFailure("\(folder): is no folder that can be read")
    }
    var fixtures: [HookFixture] = []
    for name in names.sorted() where name.hasSuffix(suffix) {
      let documents = try Manifest.documents(in: InputFile.text("\(folder)/\(name)"), source: name)
      for (index, document) in documents.enumerated() {
        fixtures.append(try HookFixture(document, file: name, number: index + 1))
      }
    }
    return fixtures
  }

  private init(_ document: JSONValue, file: String, number: Int) throws(CommandFailure) {
    title = "\(file): \(document["name"].string ?? "case \(number)")"
    let script = String(file.dropLast(Self.suffix.count)) + ".lua"
    let reader = FixtureReader(title: title)
    try reader.check(document, known: ["name", "scripts", "at", "now", "policy", "run", "outcome", "want"])
    scripts = (document["scripts"].array ?? [.string(script)]).compactMap(\.string)
    let at = try reader.time(document["at"], "at") ?? Self.defaultTime
    now = try reader.time(document["now"], "now") ?? at
    outcome = try reader.outcome(document["outcome"])
    want = try reader.want(document["want"])
    do {
      preview = try Self.manifest(document).preview(at: at, now: now)
    } catch {
      throw CommandFailure("\(title): \(error)")
    }
  }

  /// The policy or run of a case, with everything that the case need not say.
  private static func manifest(_ document: JSONValue) throws -> Manifest {
    var metadata: JSONValue = ["namespace": "default"]
    var spec: JSONValue = ["source": "data", "destination": "backup"]
    if document["run"].object != nil {
      metadata["name"] = "manual"
      return .run(try Manifest.read(merged(document["run"], metadata, spec), as: BucketSync.self))
    }
    metadata["name"] = "nightly"
    spec["schedule"] = "0 2 * * *"
    return .policy(try Manifest.read(merged(document["policy"], metadata, spec), as: BucketSyncPolicy.self))
  }

  private static func merged(_ given: JSONValue, _ metadata: JSONValue, _ spec: JSONValue) -> JSONValue {
    var whole = given
    whole["metadata"] = .object((metadata.object ?? [:]).merging(given["metadata"].object ?? [:]) { $1 })
    whole["spec"] = .object((spec.object ?? [:]).merging(given["spec"].object ?? [:]) { $1 })
    return whole
  }
}

/// Reads the parts of a case, and refuses what it does not know.
private struct FixtureReader {
  let title: String

  func check(_ value: JSONValue, known: [String]) throws(CommandFailure) {
    guard let members = value.object else { throw CommandFailure("\(title): a case is a mapping") }
    if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
      throw CommandFailure("\(title): \(unknown) is unknown; known are \(known.joined(separator: ", "))")
    }
  }

  func time(_ value: JSONValue, _ field: String) throws(CommandFailure) -> Timestamp? {
    if value.isNull { return nil }
    guard let time = value.string.flatMap({ Timestamp($0) }) else {
      throw CommandFailure("\(title): \(field) must be a time like 2024-01-15T02:00:00Z")
    }
    return time
  }

  func outcome(_ value: JSONValue) throws(CommandFailure) -> RunOutcome {
    if value.isNull { return .succeeded }
    try check(value, known: ["result", "reason", "message"])
    let message = value["message"].string ?? ""
    switch value["result"].string {
    case "Succeeded": return .succeeded
    case "Failed": return .failed(reason: value["reason"].string ?? "RcloneFailed", message: message)
    case "Skipped": return .skipped(message: message)
    case "Cancelled": return .cancelled(message: message)
    default: throw CommandFailure("\(title): outcome.result must be Succeeded, Failed, Skipped or Cancelled")
    }
  }

  func want(_ value: JSONValue) throws(CommandFailure) -> HookFixture.Want {
    try check(value, known: ["job", "name", "flags", "preLock", "postSync", "error"])
    guard value.object?.isEmpty == false else { throw CommandFailure("\(title): want is empty, so nothing is tested") }
    var want = HookFixture.Want()
    want.job = value.object?["job"]
    want.name = value["name"].string
    want.flags = value["flags"].object ?? [:]
    want.preLock = value.object?["preLock"]
    want.postSync = value.object?["postSync"]
    want.error = value["error"].string
    return want
  }
}
