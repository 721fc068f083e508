// Makes scripts and values at random.

import HookCases
import KubernetesModel
import LuaSandbox

/// Scripts and values from a random number generator.
struct ScriptGenerator {
  var random: SplitMix

  /// A script: statements of all sorts, or a case of the table with a few characters changed.
  mutating func script() -> String {
    if chance(4), let known = HookCase.all.randomElement(using: &random) { return mutated(known.script.source) }
    let body = (0..<Int.random(in: 1...12, using: &random)).map { _ in statement(depth: 0) }.joined(separator: "\n")
    let tail = chance(3) ? "return job" : "return \(expression(depth: 0))"
    return "return { api = 1, build_job = function(ctx, job)\nlocal a, b, c = 1, 'x', {}\n\(body)\n\(tail)\nend }"
  }

  /// A JSON value.
  mutating func value(depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 6 ? 5 : 8), using: &random) {
    case 0: return .null
    case 1: return .bool(chance(2))
    case 2:
      return .integer(
        [0, -1, .max, .min, 1 << 53, Int64(truncatingIfNeeded: random.next())].randomElement(using: &random) ?? 0)
    case 3: return .number([0.5, -0.1, 1e300, 1e-300, 123456.789, 2.0].randomElement(using: &random) ?? 0.5)
    case 4: return .string(text())
    case 5: return .array((0..<Int.random(in: 0...6, using: &random)).map { _ in value(depth: depth + 1) })
    default:
      let members = (0..<Int.random(in: 0...6, using: &random)).map { _ in (text(), value(depth: depth + 1)) }
      return .object(Dictionary(members) { $1 })
    }
  }

  private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

  private mutating func pick(_ texts: [String]) -> String { texts.randomElement(using: &random) ?? "nil" }

  private mutating func text() -> String {
    pick([
      "", "a", "name", "spec", "args", "日本語", "a b", "\"", "\u{0}", "🏔", String(repeating: "x", count: 300), "1",
      "--flag=1",
    ])
  }

  private mutating func mutated(_ source: String) -> String {
    var bytes = Array(source.utf8.prefix(4000))
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let at = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.remove(at: at)
      case 2: bytes.insert(contentsOf: Array(atom().utf8), at: at)
      default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 10)], at: at)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func statement(depth: Int) -> String {
    let inner = depth > 2 ? "" : statement(depth: depth + 1)
    switch Int.random(in: 0..<14, using: &random) {
    case 0: return "a = \(expression(depth: 0))"
    case 1: return "b = \(expression(depth: 0))"
    case 2: return "c[\(expression(depth: 1))] = \(expression(depth: 1))"
    case 3: return "for i = \(atom()), \(atom()), \(atom()) do \(inner) end"
    case 4: return "for k, v in pairs(\(table())) do \(inner) end"
    case 5: return "for m in (\(string())):gmatch(\(pattern())) do a = m \(inner) end"
    case 6: return "while \(expression(depth: 1)) do \(inner) end"
    case 7: return "pcall(function() \(inner) end)"
    case 8: return "if \(expression(depth: 1)) then \(inner) end"
    case 9: return "rclone.flag(job, \(pick(["'bwlimit'", "'--x'", "b", "'fast-list'"])), \(expression(depth: 1)))"
    case 10: return "rclone.env(job, \(pick(["'A'", "b", "'X_1'"])), \(expression(depth: 1)))"
    case 11: return "local function f(x) \(inner) return \(expression(depth: 1)) end a = f(\(atom()))"
    case 12: return "job[\(pick(["'spec'", "'x'", "a"]))] = \(expression(depth: 0))"
    default: return "log.info(\(expression(depth: 0)))"
    }
  }

  private mutating func expression(depth: Int) -> String {
    guard depth < 4 else { return atom() }
    let x = expression(depth: depth + 1)
    switch Int.random(in: 0..<16, using: &random) {
    case 0...3: return atom()
    case 4:
      return
        "\(x) \(pick(["+", "-", "*", "/", "//", "%", "^", "..", "==", "<", "<=", "and", "or", "&", "|", "<<", ">>", "~"])) \(atom())"
    case 5: return "(\(string())):\(pick(["find", "match", "gsub"]))(\(pattern()), \(x), \(atom()))"
    case 6:
      return
        "(\(string())):\(pick(["rep", "sub", "byte", "split", "replace", "contains", "starts_with", "ends_with", "format"]))(\(x), \(atom()))"
    case 7: return "string.\(pick(["lower", "upper", "len", "reverse", "trim", "char", "format", "rep"]))(\(x))"
    case 8: return "table.\(pick(["concat", "unpack", "remove", "pack"]))(\(table()), \(x), \(atom()))"
    case 9: return "table.insert(\(table()), \(x))"
    case 10:
      return
        "table.sort(\(table()), \(pick(["nil", "function(x, y) return x < y end", "function(x, y) return true end", "type"])))"
    case 11:
      return "math.\(pick(["abs", "floor", "max", "min", "fmod", "tointeger", "modf", "sqrt", "ult"]))(\(x), \(atom()))"
    case 12: return "utf8.\(pick(["char", "len", "codepoint", "offset"]))(\(x), \(atom()), \(atom()))"
    case 13:
      return
        "\(pick(["tostring", "tonumber", "type", "next", "array", "time.at", "select", "error", "assert", "pcall", "rclone.container"]))(\(x), \(atom()))"
    case 14: return "{ \(x), \(pick(["x", "y", "[1]", "[0]"])) = \(atom()), \(atom()) }"
    default: return "#\(table())"
    }
  }

  private mutating func table() -> String {
    pick([
      "c", "job", "ctx", "job.spec", "{}", "array{}", "{ 3, 1, 2 }", "{ 'a', 'b' }", "{ x = 1 }", "{ { } }", "string",
      "rclone.container(job).args",
    ])
  }

  private mutating func string() -> String {
    pick(["b", "'abc'", "('ab'):rep(200)", "''", "'(())'", "'x=1, y=2'", "tostring(a)", "'é日'", "'%d %s %q'"])
  }

  private mutating func pattern() -> String {
    let items = [
      "a", ".", "%a", "%d", "%w", "[^a]", "[a-c]", "[%w_]", "%b()", "%f[%w]", "%1", "(", ")", "()", "*", "+", "-", "?",
      "^", "$", "%", "]", "[",
    ]
    let body = (0..<Int.random(in: 0...8, using: &random)).map { _ in pick(items) }.joined()
    return "'\(body)'"
  }

  private mutating func atom() -> String {
    pick([
      "a", "b", "c", "ctx", "job", "nil", "true", "false", "0", "1", "-1", "2", "3.5", "1e308", "math.huge",
      "-math.huge",
      "math.maxinteger", "math.mininteger", "0/0", "''", "'x'", "'abc'", "'\\xff'", "null", "{}", "array{}", "type",
      "function() return 1 end", "job.spec", "ctx.params", "100", "1000", "'%s'", "' '", "','",
    ])
  }
}
