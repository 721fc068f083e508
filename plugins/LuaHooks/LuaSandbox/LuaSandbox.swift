// LuaSandbox: runs functions of site scripts, one call at a time, each in a Lua state of its own. Start here.
//
//     let sandbox = LuaSandbox(limits: LuaLimits())
//     let points = try sandbox.check(script)                                    // compiles it and looks at its table
//     let answer = sandbox.call(.buildJob, of: script, with: [context, .json(job)])
//
// Both block, for as long as the limits allow, and want 500 KiB of stack: call them on a HookThreads thread. Nothing is
// kept between calls, so no call sees what another one left, and no reload meets an older script's function.
//
// The work is done in C (CLuaSandbox); what passes between is a flat buffer (WireWriter, WireReader).

internal import CLuaSandbox
public import KubernetesModel

/// A script as it was read.
public struct LuaScript: Sendable, Hashable {
  /// The file's name, `bwlimit.lua`.
  public var name: String
  public var source: String

  /// A script.
  public init(name: String, source: String) {
    self.name = name
    self.source = source
  }
}

/// What a call may use.
public struct LuaLimits: Sendable, Hashable {
  /// Bytes of memory of the Lua state.
  public var memory: Int
  /// Computing time.
  public var time: Duration
  /// Bytes of a script.
  public var source: Int
  /// Bytes of a result.
  public var result: Int
  /// Instructions of the Lua machine.
  public var instructions: UInt64

  /// Limits; the defaults are far above what a sane hook needs.
  public init(
    memory: Int = 16 << 20, time: Duration = .milliseconds(250), source: Int = 256 << 10, result: Int = 1 << 20,
    instructions: UInt64 = 10_000_000
  ) {
    self.memory = memory
    self.time = time
    self.source = source
    self.result = result
    self.instructions = instructions
  }

  /// The time by the clock after which a call cannot still be at work, unless it is stuck.
  public var patience: Duration { time * 10 + .seconds(2) }
}

/// What can be passed to a script.
public indirect enum LuaValue: Sendable, Hashable {
  case json(JSONValue)
  /// A table with `unix`, `rfc3339`, `hour` and so on.
  case time(Timestamp)
  case table([String: LuaValue])

  /// A text, or nothing at all.
  public static func text(_ text: String?) -> LuaValue? { text.map { .json(.string($0)) } }
}

/// The functions that a script may have.
public enum HookPoint: Int, Sendable, Hashable, CaseIterable {
  case preLock
  case jobName
  case buildJob
  case postSync

  /// The function's name in scripts.
  public var name: String {
    switch self {
    case .preLock: "pre_lock"
    case .jobName: "job_name"
    case .buildJob: "build_job"
    case .postSync: "post_sync"
    }
  }
}

/// One line that a script logged.
public struct LuaLogLine: Sendable, Hashable {
  /// How important it is.
  public enum Level: UInt8, Sendable, Hashable { case debug, info, warn, error }

  public var level: Level
  public var text: String
}

/// What became of a call.
public struct LuaAnswer: Sendable {
  /// What the function returned; `nil` stands for nothing at all.
  public var result: Result<JSONValue?, LuaFailure>
  /// What the script logged, also before it failed.
  public var log: [LuaLogLine] = []
  /// The line at which the function begins, for complaints about its result.
  public var line: Int?
}

/// Runs scripts within limits.
public struct LuaSandbox: Sendable {
  public let limits: LuaLimits

  /// A sandbox with these limits.
  public init(limits: LuaLimits) { self.limits = limits }

  /// Compiles a script and looks at the table it returns.
  /// - Returns: The functions it has.
  public func check(_ script: LuaScript) throws(LuaFailure) -> Set<HookPoint> {
    if let failure = sizeFailure(script) { throw failure }
    return try run(script, LUA_SANDBOX_LOAD_ONLY, []) { result throws(LuaFailure) in
      if let failure = LuaFailure(result, script) { throw failure }
      return Set(HookPoint.allCases.filter { result.points & (1 << UInt32($0.rawValue)) != 0 })
    }
  }

  /// Calls a function of a script; a script without it answers nothing.
  public func call(_ point: HookPoint, of script: LuaScript, with arguments: [LuaValue]) -> LuaAnswer {
    if let failure = sizeFailure(script) { return LuaAnswer(result: .failure(failure)) }
    var writer = WireWriter()
    writer.append(arguments: arguments)
    return run(script, lua_sandbox_point(rawValue: Int32(point.rawValue)), writer.bytes) { result in
      LuaAnswer(
        result: value(result, point, script),
        log: WireReader.log(UnsafeRawBufferPointer(start: result.log, count: result.log_length)),
        line: result.line > 0 ? Int(result.line) : nil)
    }
  }

  private func value(
    _ result: lua_sandbox_result, _ point: HookPoint, _ script: LuaScript
  ) -> Result<JSONValue?, LuaFailure> {
    if let failure = LuaFailure(result, script, point) { return .failure(failure) }
    var reader = WireReader(UnsafeRawBufferPointer(start: result.value, count: result.value_length))
    guard let value = reader.result() else {
      return .failure(LuaFailure(.invalidResult, script, line: nil, "the result cannot be read"))
    }
    return .success(value)
  }

  private func sizeFailure(_ script: LuaScript) -> LuaFailure? {
    let size = script.source.utf8.count
    guard size > limits.source else { return nil }
    return LuaFailure(.load, script, line: nil, "the script has \(size) bytes; the limit is \(limits.source)")
  }

  private func run<Value, Failure: Error>(
    _ script: LuaScript, _ point: lua_sandbox_point, _ arguments: [UInt8],
    _ read: (lua_sandbox_result) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    var limits = lua_sandbox_limits(
      memory: limits.memory, result: limits.result, nanoseconds: limits.time.nanoseconds,
      instructions: limits.instructions)
    var source = script.source
    var result = source.withUTF8 { source in
      source.withMemoryRebound(to: CChar.self) { source in
        lua_sandbox_run(&limits, script.name, source.baseAddress, source.count, point, arguments, arguments.count)
      }
    }
    defer { lua_sandbox_free(&result) }
    return try read(result)
  }
}

extension Duration {
  fileprivate var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
  }
}
