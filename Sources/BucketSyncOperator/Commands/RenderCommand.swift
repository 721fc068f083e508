// `homelab-helper bucket-sync render`: print the Job that would run, without a cluster.

internal import ArgumentParser
internal import BucketSyncCore
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime

/// Prints the Jobs of policies and runs.
struct RenderCommand<Plugins: PluginSet>: AsyncParsableCommand {
  enum Output: String, ExpressibleByArgument, CaseIterable { case yaml, json, diff }

  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "render",
      abstract: "Print the Job that a policy or run would be carried out with, without a cluster.",
      discussion: """
        Goes through the same steps as the operator: naming, building, site scripts, the final checks. Secrets are not \
        looked up. What would keep the run from starting is told on standard error.

        EXAMPLES
          homelab-helper bucket-sync render -f policy.yaml
          homelab-helper bucket-sync render -f policy.yaml --hooks-dir hooks | kubectl apply --dry-run=server -f -
          homelab-helper bucket-sync render -f policy.yaml --hooks-dir hooks -o diff
        """)
  }

  @Option(
    name: [.customShort("f"), .customLong("filename")],
    help: ArgumentHelp("File with manifests, YAML or JSON; - for standard input.", valueName: "file"))
  var file: String

  @Option(name: [.short, .long], help: "yaml, json, or diff: what site scripts change.")
  var output: Output = .yaml

  @Option(
    help: ArgumentHelp(
      "The tick of the schedule to render for, as 2024-01-15T02:00:00Z. (default: the next one)", valueName: "time"))
  var at: String?

  @OptionGroup(title: "Plugin options") var plugins: Plugins

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let now = Timestamp(Date())
    let tick = try at.map { text in
      guard let tick = Timestamp(text) else {
        throw ValidationError("--at \"\(text)\" is no time like 2024-01-15T02:00:00Z")
      }
      return tick
    }
    let time = StoppedTime(at: tick ?? now)
    var logger = try LogSettings(environment: environment).logger(label: "bucket-sync", time: time)
    if environment["LOG_LEVEL"] == nil { logger.logLevel = .warning }
    let services = PluginEnvironment.offline(time: time, logger: logger)
    let plugins = try plugins.plugins(SettingSource(environment: environment))
    let registry = try PluginRegistry(plugins, environment: services)
    let plain =
      output == .diff ? try PluginRegistry(plugins.withScripts(in: nil), environment: services) : registry

    var failures = 0
    var count = 0
    for document in try Manifest.documents(in: InputFile.text(file), source: file) {
      let title = Manifest.title(document)
      do {
        guard let manifest = try Manifest(document) else {
          StandardError.write("\(title): skipped, it is no policy and no run\n")
          continue
        }
        count += 1
        let preview = try manifest.preview(at: tick, now: now)
        try await tellPreLock(preview, registry, title)
        let job = try await preview.plan(registry).manifest.json
        try await show(job, plain: { try await preview.plan(plain).manifest.json }, title)
      } catch {
        StandardError.write("\(title): \(error)\n")
        failures += 1
      }
    }
    if count + failures == 0 { StandardError.write("\(file): there is no policy and no run in it\n") }
    if failures > 0 || count == 0 { throw ExitCode.failure }
  }

  private func tellPreLock(_ preview: RunPreview, _ registry: PluginRegistry, _ title: String) async throws {
    switch try await preview.preLock(registry) {
    case .proceed: break
    case .wait(let reason, let delay):
      StandardError.write("\(title): would wait, and ask again after \(DurationText.format(delay)): \(reason)\n")
    case .skip(let reason): StandardError.write("\(title): would be skipped: \(reason)\n")
    case .reject(let reason): StandardError.write("\(title): would be rejected: \(reason)\n")
    }
  }

  private func show(_ job: JSONValue, plain: () async throws -> JSONValue, _ title: String) async throws {
    switch output {
    case .yaml: print("---\n\(YAML.text(of: job))", terminator: "")
    case .json: print(String(decoding: try JSON.encode(job, pretty: true), as: UTF8.self))
    case .diff:
      print("--- \(title) without scripts\n+++ \(title) with scripts")
      print(LineDiff.text(from: YAML.text(of: try await plain()), to: YAML.text(of: job)), terminator: "")
    }
  }
}
