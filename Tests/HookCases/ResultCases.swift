// Results that cannot be a Job, or not any JSON at all.

import KubernetesModel
import LuaSandbox

extension HookCase {
  /// Results of all sorts.
  package static let results: [HookCase] = [
    HookCase(name: "nothing", source: "", fate: .returns(.none)),
    HookCase(
      name: "a job that contains itself", source: "job.self = job\nreturn job",
      fate: .fails(.invalidResult, "job.self contains itself")),
    HookCase(
      name: "a cycle further down", source: "job.spec.template.up = job.spec\nreturn job",
      fate: .fails(.invalidResult, "job.spec.template.up contains itself")),
    HookCase(
      name: "nested too deeply",
      source: "local t = {}\nlocal top = t\nfor i = 1, 100 do t.x = {} t = t.x end\nreturn top",
      fate: .fails(.invalidResult, "nested too deeply")),
    HookCase(
      name: "the same table many times is fine",
      source: "local t = { x = 1 }\nreturn { a = t, b = t }", fate: .returns(["a": ["x": 1], "b": ["x": 1]])),
    HookCase(
      name: "tables that multiply", source: "local t = {}\nfor i = 1, 40 do t = { t, t } end\nreturn { t = t }",
      fate: .fails(.invalidResult, "larger than the limit")),
    HookCase(
      name: "empty tables that multiply",
      source: "local e = {}\nfor i = 1, 30000 do e[i] = i end\nfor i = 1, 30000 do e[i] = nil end\n"
        + "local t = e\nfor i = 1, 40 do t = { t, t } end\nreturn { t = t }",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a string too long", source: "return { s = ('x'):rep(1e6) .. ('x'):rep(1e6) }",
      fate: .fails(.invalidResult, "job is larger than the limit")),
    HookCase(
      name: "invalid UTF-8", source: "job.metadata.labels.x = '\\xff'\nreturn job",
      fate: .fails(.invalidResult, "job.metadata.labels.x is a string that is not valid UTF-8")),
    HookCase(
      name: "half of a surrogate pair", source: "return { s = '\\xED\\xA0\\x80' }",
      fate: .fails(.invalidResult, "not valid UTF-8")),
    HookCase(
      name: "overlong UTF-8", source: "return { s = '\\xC0\\x80' }", fate: .fails(.invalidResult, "not valid UTF-8")),
    HookCase(
      name: "UTF-8 cut off", source: "return { s = ('é'):sub(1, 1) }", fate: .fails(.invalidResult, "not valid UTF-8")),
    HookCase(
      name: "UTF-8 beyond Unicode", source: "return { s = '\\u{110000}' }",
      fate: .fails(.invalidResult, "not valid UTF-8")),
    HookCase(
      name: "a key of invalid UTF-8", source: "return { ['\\xff'] = 1 }",
      fate: .fails(.invalidResult, "a key that is not valid UTF-8")),
    HookCase(name: "Unicode stays", source: "return { ['ключ'] = '日本語 🏔' }", fate: .returns(["ключ": "日本語 🏔"])),
    HookCase(name: "zero bytes stay", source: "return { s = 'a\\0b' }", fate: .returns(["s": "a\0b"])),
    HookCase(
      name: "not a number", source: "return { x = { 0/0 } }", fate: .fails(.invalidResult, "job.x[1] is not a number")),
    HookCase(
      name: "infinity", source: "return { x = math.huge }", fate: .fails(.invalidResult, "job.x is an infinite number")),
    HookCase(name: "negative infinity", source: "return { x = -1/0 }", fate: .fails(.invalidResult, "infinite")),
    HookCase(
      name: "a function", source: "job.spec.template.spec.containers[1].args[2] = type\nreturn job",
      fate: .fails(.invalidResult, "job.spec.template.spec.containers[1].args[2] is a function")),
    HookCase(
      name: "a hole", source: "return { a = { 1, nil, 3 } }",
      fate: .fails(.invalidResult, "job.a is an array with holes")),
    HookCase(
      name: "a hole in an array", source: "local c = rclone.container(job)\nc.args[1] = nil\nreturn job",
      fate: .fails(.invalidResult, "args is an array with holes: 2 elements up to position 3")),
    HookCase(
      name: "positions and names", source: "return { a = { 1, b = 2 } }",
      fate: .fails(.invalidResult, "positions and names")),
    HookCase(
      name: "position 0", source: "return { a = { [0] = 1 } }", fate: .fails(.invalidResult, "a key of type number")),
    HookCase(
      name: "a position too far", source: "return { a = { [math.maxinteger] = 1 } }",
      fate: .fails(.invalidResult, "holes")),
    HookCase(
      name: "a fractional position", source: "return { a = { [1.5] = 1 } }",
      fate: .fails(.invalidResult, "a key of type number")),
    HookCase(
      name: "a boolean key", source: "return { [true] = 1 }", fate: .fails(.invalidResult, "a key of type boolean")),
    HookCase(
      name: "a table as key", source: "return { [{}] = 1 }", fate: .fails(.invalidResult, "a key of type table")),
    HookCase(
      name: "null as key", source: "return { [null] = 1 }", fate: .fails(.invalidResult, "a key of type userdata")),
    HookCase(
      name: "a path with odd names", source: "return { ['a b'] = { ['c.d'] = type } }",
      fate: .fails(.invalidResult, "job[\"a b\"][\"c.d\"] is a function")),
    HookCase(name: "nothing is changed", source: "return job", fate: .returns(job)),
    HookCase(
      name: "empty ones and null stay apart",
      source:
        "return { a = array{}, o = {}, n = null, t = job.spec.template.spec.tolerations, v = job.spec.template.spec.volumes[1].emptyDir }",
      fate: .returns(["a": [], "o": [:], "n": nil, "t": [], "v": [:]])),
    HookCase(
      name: "an array that was emptied stays one",
      source:
        "local args = rclone.container(job).args\nwhile #args > 0 do table.remove(args) end\nreturn { args = args }",
      fate: .returns(["args": []])),
    HookCase(
      name: "integers stay integers and fractions fractions",
      source: "return { i = 9007199254740993, f = 1.5, d = 7 // 2, e = 6 / 2 }",
      fate: .returns(["i": 9_007_199_254_740_993, "f": 1.5, "d": 3, "e": .number(3)])),
    HookCase(
      name: "quantities stay texts", source: "return { m = '64Mi', c = '250m', n = '1e3' }",
      fate: .returns(["m": "64Mi", "c": "250m", "n": "1e3"])),
  ]

  /// All of them.
  package static let all = escapes + exhaustion + results
}
