// Attempts to get at something that is not the script's: the outside world, bytecode, metatables, finalizers.

import KubernetesModel
import LuaSandbox

extension HookCase {
  /// Attempts to get out.
  package static let escapes: [HookCase] =
    missingGlobals + [
      HookCase(name: "bytecode", source: "\u{1B}Lua\u{54}\0", isWhole: true, fate: .fails(.load, "binary chunk")),
      HookCase(
        name: "bytecode by string.dump", source: "return string.dump(function() end)", fate: .fails(.runtime, "'dump'")),
      HookCase(name: "string.pack", source: "return string.pack('i4', 1)", fate: .fails(.runtime, "'pack'")),
      HookCase(name: "table.move", source: "return table.move({}, 1, 1e9, 1)", fate: .fails(.runtime, "'move'")),
      HookCase(name: "math.random", source: "return math.random()", fate: .fails(.runtime, "'random'")),
      HookCase(
        name: "the global table by name", source: "return _G.load('return 1')",
        fate: .fails(.runtime, "there is no \"_G\"")),
      HookCase(
        name: "_ENV has no more", source: "return { value = _ENV.type(_ENV) }", fate: .returns(["value": "table"])),
      HookCase(name: "_ENV.os", source: "return _ENV.os.exit(1)", fate: .fails(.runtime, "there is no \"os\"")),
      HookCase(
        name: "an _ENV of one's own", source: "local _ENV = { log = log }\nreturn os", fate: .returns(.none)),
      HookCase(
        name: "a constant _ENV (CVE-2022-28805)",
        source: "local _ENV <const> = nil\nlocal function f() return x end\nreturn f()",
        fate: .fails(.runtime, "attempt to index a nil value")),
      HookCase(
        name: "metatable of strings by index", source: "return { a = (''):__index() }",
        fate: .fails(.runtime, "'__index'")),
      HookCase(
        name: "arithmetic by the metatable of strings", source: "return { a = '10' + 1 }",
        fate: .fails(.runtime, "arithmetic on a string value")),
      HookCase(
        name: "an array's metatable", source: "local a = array{}\na.__index = 1\nreturn { a = a }",
        fate: .fails(.invalidResult, "job.a is an array, but has a name")),
      HookCase(
        name: "a finalizer",
        source: "local t = array{}\nt.__gc = function() while true do end end\nt = nil\nreturn { ok = true }",
        fate: .returns(["ok": true])),
      HookCase(
        name: "a to-be-closed variable", source: "local t <close> = {}\nreturn job",
        fate: .fails(.runtime, "non-closable")),
      HookCase(
        name: "replaced library functions stay the script's own",
        source: "string.format = nil\ntable.insert = nil\nrclone.flag(job, 'fast-list', true)\n"
          + "return { args = rclone.container(job).args }",
        fate: .returns(["args": ["sync", "source:data", "destination:backup", "--fast-list"]])),
      HookCase(
        name: "addresses by tostring", source: "return { a = tostring({}) .. tostring(print_ or type) }",
        fate: .fails(.runtime, "print_")),
      HookCase(
        name: "addresses of functions", source: "return { a = tostring(type) }", fate: .returns(["a": "function"])),
      HookCase(name: "addresses by %p", source: "return { a = string.format('%p', {}) }", fate: .fails(.runtime, "%p")),
      HookCase(name: "addresses by %s", source: "return { a = ('%s'):format({}) }", fate: .returns(["a": "table"])),
      HookCase(name: "null has no members", source: "return null.x", fate: .fails(.runtime, "attempt to index")),
      HookCase(name: "calling null", source: "return null()", fate: .fails(.runtime, "attempt to call")),
      HookCase(
        name: "the iterator of pairs on no table", source: "local f = pairs({ 1 })\nreturn f(5)",
        fate: .fails(.runtime, "table expected")),
      HookCase(
        name: "the iterator of pairs without anything", source: "local f = pairs({ 1 })\nreturn f()",
        fate: .fails(.runtime, "table expected")),
      HookCase(
        name: "next with a foreign key", source: "return next({}, 'x')", fate: .fails(.runtime, "invalid key to 'next'")
      ),
      HookCase(
        name: "an error that is a table", source: "error({ code = 1 })",
        fate: .fails(.runtime, "case.lua:2: error(...) was given table")),
      HookCase(name: "an error that is nil", source: "error(nil)", fate: .fails(.runtime, "was given nil")),
      HookCase(
        name: "an error that is a function", source: "error(function() end)",
        fate: .fails(.runtime, "was given function")),
      HookCase(
        name: "an error without a text", source: "error('', 1000)",
        fate: .fails(.runtime, "case.lua:2: error(...) was given an empty one")),
      HookCase(name: "an error far up", source: "error('far', 1000000)", fate: .fails(.runtime, "far")),
      HookCase(name: "goto a label that is not there", source: "goto nowhere", fate: .fails(.load, "no visible label")),
      HookCase(
        name: "a script that loads nothing", source: "return", isWhole: true, fate: .fails(.load, "returns nothing")),
      HookCase(
        name: "a script that is no table", source: "return 5", isWhole: true, fate: .fails(.load, "returns number")),
      HookCase(
        name: "an unknown key", source: "return { api = 1,\nbuild_jobs = function() end }",
        isWhole: true, fate: .fails(.load, "case.lua:2: unknown key \"build_jobs\"")),
      HookCase(
        name: "a key that is no name", source: "return { api = 1, [1] = function() end }",
        isWhole: true, fate: .fails(.load, "unknown key of type number")),
      HookCase(
        name: "no api", source: "return { build_job = function() end }", isWhole: true, fate: .fails(.load, "api = 1")),
      HookCase(
        name: "another api", source: "return { api = 2, build_job = function() end }",
        isWhole: true, fate: .fails(.load, "api = 2 is unknown")),
      HookCase(
        name: "an api that is a text", source: "return { api = '1', build_job = function() end }",
        isWhole: true, fate: .fails(.load, "api must be the number 1")),
      HookCase(
        name: "no function at all", source: "return { api = 1 }", isWhole: true,
        fate: .fails(.load, "no function is given")),
      HookCase(
        name: "a point that is no function", source: "return { api = 1, build_job = 'x' }",
        isWhole: true, fate: .fails(.load, "build_job must be a function")),
      HookCase(
        name: "a point that is a library's function works as such", source: "return { api = 1, build_job = tostring }",
        isWhole: true, fate: .returns("table")),
      HookCase(
        name: "an error while loading", source: "error('not today')\nreturn { api = 1 }",
        isWhole: true, fate: .fails(.load, "case.lua:1: not today")),
    ]

  /// Globals that must not be there.
  private static let missingGlobals = [
    "load", "loadstring", "loadfile", "dofile", "require", "package", "io", "os", "debug", "coroutine", "setmetatable",
    "getmetatable", "rawset", "rawget", "rawequal", "rawlen", "xpcall", "collectgarbage", "print", "warn", "_G",
    "_VERSION",
  ].map {
    HookCase(name: "global \($0)", source: "return \($0)", fate: .fails(.runtime, "case.lua:2: there is no \"\($0)\""))
  }
}
