// LuaFailure: why a script could not be used, with the script's name and line in front.

internal import CLuaSandbox

/// A script that failed.
public struct LuaFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of failure it was; the value of the metrics' label `reason`.
  public enum Reason: String, Sendable, Hashable, CaseIterable {
    case load
    case runtime
    case deadline
    case memory
    case invalidResult = "invalid_result"
  }

  public var reason: Reason
  /// The script's file name.
  public var script: String
  /// `bwlimit.lua:12: …`
  public var message: String

  /// A failure with a message that names the place already.
  public init(_ reason: Reason, script: String, message: String) {
    self.reason = reason
    self.script = script
    self.message = message
  }

  /// A failure at a line of a script.
  public init(_ reason: Reason, _ script: LuaScript, line: Int?, _ problem: String) {
    let place = line.map { "\(script.name):\($0)" } ?? script.name
    self.init(reason, script: script.name, message: "\(place): \(problem)")
  }

  public var description: String { message }
}

extension LuaFailure {
  /// The failure in a result, if it is one.
  init?(_ result: lua_sandbox_result, _ script: LuaScript, _ point: HookPoint? = nil) {
    let reason: Reason
    switch result.status {
    case LUA_SANDBOX_OK: return nil
    case LUA_SANDBOX_LOAD: reason = .load
    case LUA_SANDBOX_DEADLINE: reason = .deadline
    case LUA_SANDBOX_MEMORY: reason = .memory
    case LUA_SANDBOX_INVALID_RESULT: reason = .invalidResult
    default: reason = .runtime
    }
    let bytes = UnsafeRawBufferPointer(start: result.message, count: result.message_length)
    let text = String(decoding: bytes, as: UTF8.self)
    if reason == .invalidResult {
      self.init(reason, script, line: Int(result.line), "what \(point?.name ?? "the function") returned: \(text)")
    } else {
      self.init(reason, script: script.name, message: text)
    }
  }
}
