// `homelab-helper bucket-sync hooks check|test`: try site scripts without a cluster, on the operator's own engine.

internal import ArgumentParser
internal import BucketSyncCore
internal import FoundationEssentials
internal import LuaHooks
internal import LuaSandbox
internal import OperatorRuntime

/// The commands for site scripts.
struct HooksCommand<Plugins: PluginSet>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "hooks", abstract: "Check and test the Lua scripts of a site.",
      subcommands: [HooksCheckCommand<Plugins>.self, HooksTestCommand<Plugins>.self])
  }
}

/// Loads every script of a folder.
struct HooksCheckCommand<Plugins: PluginSet>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "check", abstract: "Load every script of a folder, and print what is wrong.")
  }

  @Argument(help: "Folder with the scripts.") var folder: String
  @OptionGroup(title: "Plugin options") var plugins: Plugins

  func run() throws {
    var hooks = try plugins.plugins(SettingSource(environment: ProcessInfo.processInfo.environment)).hooks()
    hooks.folder = folder
    let check = hooks.check()
    for script in check.scripts { print("ok: \(script.description)") }
    for problem in check.problems { StandardError.write("\(problem)\n") }
    if check.scripts.isEmpty, check.problems.isEmpty { StandardError.write("\(folder): there are no scripts\n") }
    if check.scripts.isEmpty || !check.problems.isEmpty { throw ExitCode.failure }
  }
}

/// Runs the fixtures beside the scripts.
struct HooksTestCommand<Plugins: PluginSet>: AsyncParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "test",
      abstract: "Run the test cases beside the scripts of a folder.",
      discussion: """
        NAME.test.yaml holds the cases of NAME.lua, one in each document: a policy or a run, and the Job, name, decision, \
        report or error that is wanted. docs/hooks.md describes them.
        """)
  }

  @Argument(help: "Folder with the scripts and their test cases.") var folder: String
  @Flag(help: "Print what the scripts log.") var verbose = false
  @OptionGroup(title: "Plugin options") var plugins: Plugins

  func run() async throws {
    let plugins = try plugins.plugins(SettingSource(environment: ProcessInfo.processInfo.environment))
    let check = try plugins.withScripts(in: folder).hooks().check()
    for problem in check.problems { StandardError.write("\(problem)\n") }
    let fixtures = try HookFixture.all(in: folder)
    var failed = 0
    for fixture in fixtures {
      let complaints = try await HookTrial(fixture, folder: folder, plugins: plugins, isVerbose: verbose).complaints()
      print("\(complaints.isEmpty ? "ok" : "FAILED"): \(fixture.title)")
      for complaint in complaints { print(complaint.indented) }
      if !complaints.isEmpty { failed += 1 }
    }
    let untested = check.scripts.map(\.script.name).filter { name in !fixtures.contains { $0.scripts.contains(name) } }
    if !untested.isEmpty { print("without a test: \(untested.joined(separator: ", "))") }
    if fixtures.isEmpty {
      StandardError.write("\(folder): there are no test cases; write NAME.test.yaml beside NAME.lua\n")
    }
    print("\(fixtures.count - failed) passed, \(failed) failed")
    if failed > 0 || fixtures.isEmpty || !check.problems.isEmpty { throw ExitCode.failure }
  }
}

extension String {
  /// Every line moved to the right.
  fileprivate var indented: String {
    split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }.joined(separator: "\n")
  }
}
