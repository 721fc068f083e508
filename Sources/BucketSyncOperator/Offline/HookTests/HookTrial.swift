// HookTrial: runs one test case through the very steps that the operator takes, and compares.

internal import BucketSyncCore
internal import FoundationEssentials
internal import KubernetesModel
internal import Logging
internal import LuaHooks
internal import OperatorRuntime

/// One case being tried.
struct HookTrial {
  private let fixture: HookFixture
  private let folder: String
  private let plugins: [any Plugin]
  private let isVerbose: Bool

  init(_ fixture: HookFixture, folder: String, plugins: [any Plugin], isVerbose: Bool) {
    self.fixture = fixture
    self.folder = folder
    self.plugins = plugins
    self.isVerbose = isVerbose
  }

  /// What is not as it is wanted; empty if the case passes.
  func complaints() async throws -> [String] {
    let complaints: [String]
    do {
      complaints = try await compare(with: try registry())
    } catch {
      let text = "\(error)"
      guard let wanted = fixture.want.error else { return ["it failed: \(text)"] }
      return text.contains(wanted) ? [] : ["- error: \(wanted)\n+ error: \(text)"]
    }
    return fixture.want.error.map { ["- error: \($0)\n+ no error"] } ?? complaints
  }

  private func registry() throws -> PluginRegistry {
    let time = StoppedTime(at: fixture.now)
    var logger = Logger(label: "hooks") { _ in SwiftLogNoOpLogHandler() }
    if isVerbose {
      logger = LogSettings().logger(label: "hooks", time: time)
      logger.logLevel = .debug
    }
    let plugins = try plugins.withScripts(in: folder, only: fixture.scripts)
    return try PluginRegistry(plugins, environment: .offline(time: time, logger: logger))
  }

  private func compare(with registry: PluginRegistry) async throws -> [String] {
    let want = fixture.want
    var complaints: [String] = []
    // A case that wants an error gets it from whatever step it comes from.
    let wantsAny = want.error != nil
    if wantsAny || want.preLock != nil {
      let decision = describe(try await fixture.preview.preLock(registry))
      complaints += want.preLock.map { JSONFragment.differences($0, decision, "preLock") } ?? []
    }
    if wantsAny || want.job != nil || want.name != nil || !want.flags.isEmpty {
      let plan = try await fixture.preview.plan(registry)
      complaints += want.name.map { JSONFragment.differences(.string($0), .string(plan.name), "name") } ?? []
      complaints += want.job.map { JSONFragment.differences($0, plan.manifest.json, "job") } ?? []
      complaints += flagDifferences(plan.manifest)
    }
    if wantsAny || want.postSync != nil {
      let report = try await fixture.preview.postSync(fixture.outcome, registry)
      if let failure = report.notes.first(where: { $0.key.hasSuffix(".lua.error") }) {
        throw CommandFailure(failure.value)
      }
      complaints += want.postSync.map { JSONFragment.differences($0, describe(report), "postSync") } ?? []
    }
    return complaints
  }

  private func flagDifferences(_ job: JobManifest) -> [String] {
    let arguments = (job.podSpec["containers"][0]["args"].array ?? []).compactMap(\.string)
    return fixture.want.flags.sorted { $0.key < $1.key }.flatMap { name, wanted in
      let values = arguments.compactMap { argument -> JSONValue? in
        if argument == "--\(name)" { return true }
        return argument.hasPrefix("--\(name)=") ? .string(String(argument.dropFirst(name.count + 3))) : nil
      }
      let got: JSONValue = values.count > 1 ? .array(values) : values.first ?? .null
      return JSONFragment.differences(wanted.asFlagValue, got, "flags.\(name)")
    }
  }

  private func describe(_ decision: PreLockResult) -> JSONValue {
    switch decision {
    case .proceed: "proceed"
    case .wait(let reason, let delay): ["wait": .string(reason), "after": .string(DurationText.format(delay))]
    case .skip(let reason): ["skip": .string(reason)]
    case .reject(let reason): ["reject": .string(reason)]
    }
  }

  private func describe(_ report: PostSyncReport) -> JSONValue {
    [
      "notes": JSONValue(report.notes), "annotations": JSONValue(report.policyAnnotations),
      "events": .array(
        report.events.map {
          ["reason": .string($0.reason), "message": .string($0.message), "warning": .bool($0.isWarning)]
        }),
    ]
  }
}

extension JSONValue {
  /// As a flag has it on the command line, where all but switches are texts.
  fileprivate var asFlagValue: JSONValue {
    switch self {
    case .integer(let number): .string("\(number)")
    case .number(let number): .string("\(number)")
    case .array(let elements): .array(elements.map(\.asFlagValue))
    default: self
    }
  }
}
