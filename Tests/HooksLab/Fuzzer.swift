// Scripts made at random: from pieces of Lua and calls of everything that the sandbox offers, from mutations of the
// table of escapes, and results of random shape. A script may fail in any way, but it must come back in good time,
// within its memory, and AddressSanitizer must have nothing to say; a result must survive the way to Swift and back.

import HookCases
import KubernetesModel
import LuaSandbox

enum Fuzzer {
  private static let limits = LuaLimits(
    memory: 2 << 20, time: .milliseconds(20), result: 64 << 10, instructions: 200_000)

  static func run(seconds: Int, seed: UInt64) async -> Bool {
    print("fuzzing for \(seconds) s, seed \(seed)")
    let end = ContinuousClock.now + .seconds(seconds)
    let findings = await withTaskGroup { group in
      for worker in 0..<2 {
        group.addTask { await work(until: end, random: SplitMix(state: seed &+ UInt64(worker))) }
      }
      var calls = 0
      var counts: [String: Int] = [:]
      var findings: [String] = []
      for await result in group {
        calls += result.calls
        counts.merge(result.counts) { $0 + $1 }
        findings += result.findings
      }
      print(
        "\(calls) calls: " + counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
      return findings
    }
    findings.forEach { print("FOUND: \($0)") }
    print("\(findings.count) findings")
    return findings.isEmpty
  }

  private struct Work {
    var calls = 0
    var counts: [String: Int] = [:]
    var findings: [String] = []
  }

  private static func work(until end: ContinuousClock.Instant, random: SplitMix) async -> Work {
    var random = random
    var work = Work()
    let sandbox = LuaSandbox(limits: limits)
    let threads = HookThreads(time: SystemTime(), limit: 1)
    while ContinuousClock.now < end, work.findings.count < 10 {
      var generator = ScriptGenerator(random: random)
      let source = generator.script()
      random = generator.random
      let value = generator.value(depth: 0)
      let script = LuaScript(name: "fuzz.lua", source: source)
      work.calls += 1
      do {
        let began = ContinuousClock.now
        let answer = try await threads.run(patience: .seconds(20)) {
          sandbox.call(.buildJob, of: script, with: [.table(["params": .json(["a": "b"])]), .json(value)])
        }
        let took = ContinuousClock.now - began
        if took > .seconds(5) { work.findings.append("took \(took):\n\(source)") }
        switch answer.result {
        case .success: work.counts["returned", default: 0] += 1
        case .failure(let failure):
          work.counts[failure.reason.rawValue, default: 0] += 1
          if failure.message.isEmpty { work.findings.append("an empty message:\n\(source)") }
        }
        try await checkRoundTrip(value, sandbox, threads, &work)
      } catch {
        work.findings.append("\(error):\n\(source)")
      }
    }
    return work
  }

  private static let echo = LuaScript(
    name: "echo.lua", source: "return { api = 1, build_job = function(ctx, job) return job end }")

  /// What goes through Lua untouched must come back as it was.
  private static func checkRoundTrip(
    _ value: JSONValue, _ sandbox: LuaSandbox, _ threads: HookThreads, _ work: inout Work
  ) async throws {
    let answer = try await threads.run(patience: .seconds(20)) {
      sandbox.call(.buildJob, of: echo, with: [.table([:]), .json(value)])
    }
    guard case .success(let back) = answer.result, back == value else {
      work.findings.append("\(value) came back as \(answer.result)")
      return
    }
  }
}

/// A small generator with a seed, so that findings can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
