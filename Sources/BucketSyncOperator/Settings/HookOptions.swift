// The flags of site scripts.

internal import ArgumentParser
internal import LuaHooks
internal import LuaSandbox

/// Where scripts are, and what they may use.
struct HookOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder with Lua scripts that change runs; see docs/hooks.md. (env: HOOKS_DIR; default: none)",
      valueName: "folder"))
  var hooksDir: String?

  @Option(
    help: ArgumentHelp(
      "What a run does when a script fails: fail (it waits until the script is repaired) or ignore. (env: HOOKS_ON_ERROR; default: fail)",
      valueName: "policy"))
  var hooksOnError: String?

  @Option(
    help: ArgumentHelp("Memory that a call of a script may use. (env: HOOKS_MEMORY; default: 16Mi)", valueName: "size"))
  var hooksMemory: String?

  @Option(
    help: ArgumentHelp(
      "Computing time that a call of a script may use. (env: HOOKS_TIME; default: 250ms)", valueName: "duration"))
  var hooksTime: String?

  @Option(
    help: ArgumentHelp("The largest script. (env: HOOKS_SOURCE_LIMIT; default: 256Ki)", valueName: "size"))
  var hooksSourceLimit: String?

  @Option(
    help: ArgumentHelp(
      "The largest result of a script. (env: HOOKS_RESULT_LIMIT; default: 1Mi)", valueName: "size"))
  var hooksResultLimit: String?

  /// The plugin that runs the scripts.
  /// - Throws: `ValidationError` naming the flag at fault.
  func plugin(_ source: SettingSource) throws -> LuaHooks {
    let policy = source.value(hooksOnError, "HOOKS_ON_ERROR") ?? LuaHooks.OnError.fail.rawValue
    guard let onError = LuaHooks.OnError(rawValue: policy) else {
      throw ValidationError("--hooks-on-error (HOOKS_ON_ERROR) \"\(policy)\" is unknown: use fail or ignore")
    }
    return LuaHooks(folder: source.value(hooksDir, "HOOKS_DIR"), onError: onError, limits: try limits(source))
  }

  private func limits(_ source: SettingSource) throws -> LuaLimits {
    var limits = LuaLimits()
    limits.memory = try source.size(
      hooksMemory, "hooks-memory", "HOOKS_MEMORY", in: 1 << 20...1 << 30, default: limits.memory)
    limits.source = try source.size(
      hooksSourceLimit, "hooks-source-limit", "HOOKS_SOURCE_LIMIT", in: 1...8 << 20, default: limits.source)
    limits.result = try source.size(
      hooksResultLimit, "hooks-result-limit", "HOOKS_RESULT_LIMIT", in: 1...8 << 20, default: limits.result)
    limits.time = try source.duration(hooksTime, "hooks-time", "HOOKS_TIME", default: limits.time)
    guard limits.time >= .milliseconds(1), limits.time <= .seconds(60) else {
      throw ValidationError("--hooks-time (HOOKS_TIME) must be between 1ms and 1m")
    }
    return limits
  }
}

extension SettingSource {
  /// A size such as `16Mi`.
  fileprivate func size(
    _ flag: String?, _ name: String, _ variable: String, in range: ClosedRange<Int>, default fallback: Int
  ) throws -> Int {
    guard let text = value(flag, variable) else { return fallback }
    guard let size = ByteSize.parse(text), range.contains(size) else {
      throw ValidationError(
        "--\(name) (\(variable)) \"\(text)\" must be a size such as 16Mi, between \(ByteSize.text(range.lowerBound)) and \(ByteSize.text(range.upperBound))"
      )
    }
    return size
  }
}
