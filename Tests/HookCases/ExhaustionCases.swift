// Attempts to use up time, memory or stack, and to survive the limit.

import KubernetesModel
import LuaSandbox

extension HookCase {
  /// Attempts to exhaust something.
  package static let exhaustion: [HookCase] = [
    HookCase(name: "an endless loop", source: "while true do end", fate: .fails(.deadline, "case.lua:2")),
    HookCase(
      name: "an endless loop while loading", source: "while true do end\nreturn { api = 1 }",
      isWhole: true, fate: .fails(.deadline, "case.lua:1")),
    HookCase(name: "an endless goto", source: "::again:: goto again", fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "an endless tail call", source: "local function f() return f() end\nreturn f()",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a loop of pcalls", source: "while true do pcall(function() while true do end end) end",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "nested pcalls",
      source:
        "local function f(n) pcall(function() if n > 0 then f(n - 1) end while true do end end) while true do end end\nf(20)",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a pcall that hides the end of time",
      source: "pcall(function() while true do end end)\nreturn { survived = true }",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a pcall that hides the end of memory",
      source: "pcall(function() local t = {} for i = 1, 1e9 do t[i] = { i } end end)\nreturn { survived = true }",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "a comparator that never ends",
      source: "table.sort({ 3, 2, 1 }, function() while true do end end)", fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a comparator that contradicts itself",
      source:
        "local t = {}\nfor i = 1, 100 do t[i] = i end\ntable.sort(t, function() return true end)\nreturn { ok = #t }",
      fate: .fails(.runtime, "invalid order function")),
    HookCase(
      name: "a comparator that empties the table",
      source: "local t = {}\nfor i = 1, 100 do t[i] = i % 7 end\n"
        + "table.sort(t, function(a, b) for i = 1, 100 do t[i] = nil end return a < b end)\nreturn { ok = true }",
      fate: .fails(.runtime, "attempt to compare")),
    HookCase(
      name: "a comparator in C", source: "table.sort({ 'a', 'b', 'c' }, string.contains)",
      fate: .fails(.runtime, "function of the script")),
    HookCase(
      name: "sorting things that do not compare", source: "table.sort({ 1, 'a', {} })",
      fate: .fails(.runtime, "attempt to compare")),
    HookCase(
      name: "sorting long equal strings",
      source:
        "local t, s = {}, ('x'):rep(1e6)\nfor i = 1, 2000 do t[i] = s .. (i % 2) end\ntable.sort(t)\nreturn { ok = true }",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "sorting two long strings again and again",
      source: "local a, b, t = ('x'):rep(1e6) .. 'a', ('x'):rep(1e6) .. 'b', {}\n"
        + "for i = 1, 60000 do t[i] = i % 2 == 0 and a or b end\ntable.sort(t)\nreturn { ok = true }",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "string.rep of a billion", source: "return { s = ('x'):rep(1e9) }", fate: .fails(.runtime, "longer than")),
    HookCase(
      name: "string.rep of nothing, a billion times", source: "return { s = (''):rep(1e9) }", fate: .returns(["s": ""])),
    HookCase(
      name: "string.rep that overflows", source: "return { s = ('xx'):rep(math.maxinteger) }",
      fate: .fails(.runtime, "longer than")),
    HookCase(
      name: "string.rep of separators", source: "return { s = (''):rep(1e9, ',') }",
      fate: .fails(.runtime, "longer than")),
    HookCase(
      name: "string.rep less than no times", source: "return { s = ('x'):rep(math.mininteger) }",
      fate: .returns(["s": ""])),
    HookCase(
      name: "strings that double", source: "local s = 'x'\nwhile true do s = s .. s end",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "upper in a loop", source: "local s = ('x'):rep(1e6)\nwhile true do s:upper() end",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "garbage at the edge of memory",
      source:
        "local t, n = {}, 0\nlocal ok = pcall(function() while true do local s = ('x'):rep(1000) .. n n = n + 1 if n < 14000 then t[n] = s end end end)",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a table that grows for ever", source: "local t = {}\nfor i = 1, 1e12 do t[i] = i end",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "a list of lists that grows for ever", source: "local t = {}\nwhile true do t = { t } end",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "deep recursion", source: "local function f(n) return 1 + f(n + 1) end\nreturn f(1)",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "deep recursion through pcall", source: "local function f() return pcall(f) end\nreturn { ok = f() }",
      fate: .returns(["ok": true])),
    HookCase(
      name: "deep recursion through gsub",
      source: "local function f(s) return (s:gsub('.', f)) end\nreturn { s = f('x') }",
      fate: .fails(.runtime, "C stack overflow")),
    HookCase(
      name: "deep recursion through sort",
      source: "local function f(a, b) table.sort({ 2, 1 }, f) return a < b end\ntable.sort({ 2, 1 }, f)",
      fate: .fails(.runtime, "C stack overflow")),
    HookCase(
      name: "parentheses nested too deeply",
      source: "return " + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000),
      fate: .fails(.load, "overflow")),
    HookCase(
      name: "tables nested too deeply",
      source: "return " + String(repeating: "{", count: 1000) + String(repeating: "}", count: 1000),
      fate: .fails(.load, "overflow")),
    HookCase(
      name: "too many local variables",
      source: (0..<300).map { "local v\($0)" }.joined(separator: " "), fate: .fails(.load, "too many local variables")),
    HookCase(
      name: "an endless concatenation of constants",
      source: "return " + String(repeating: "'x' .. ", count: 3000) + "'x'", fate: .fails(.load, "overflow")),
    HookCase(
      name: "a pattern of many optionals",
      source: "return ('a'):rep(40):match(('a?'):rep(40) .. ('a'):rep(40) .. 'b')",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a pattern of many stars", source: "return ('a'):rep(4000):match(('.*'):rep(20) .. 'b')",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a pattern of lazy stars", source: "return ('a'):rep(4000):match(('.-'):rep(20) .. 'b')",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a pattern bomb inside pcall",
      source: "while true do pcall(string.match, ('a'):rep(4000), ('.*'):rep(20) .. 'b') end",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a pattern bomb in gmatch", source: "for _ in ('a'):rep(4000):gmatch(('.*'):rep(20) .. 'b') do end",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a pattern that recurses deeply", source: "return ('a'):rep(1000):match(('a?'):rep(500))",
      fate: .fails(.runtime, "too complex")),
    HookCase(
      name: "a set of a million characters",
      source: "local set = '[' .. ('ab'):rep(400000) .. ']*c'\nreturn ('b'):rep(100000):match(set)",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "balanced texts without end", source: "return ('('):rep(200000):gsub('%b()', '')",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "back references without end", source: "return ('a'):rep(100000):match('(a*)b*%1%1%1c')",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "too many captures", source: "return ('a'):match(('()'):rep(40))",
      fate: .fails(.runtime, "too many captures")),
    HookCase(
      name: "a pattern that ends early", source: "return ('a'):match('%')", fate: .fails(.runtime, "malformed pattern")),
    HookCase(
      name: "a set that ends early", source: "return ('a'):match('[a%')", fate: .fails(.runtime, "malformed pattern")),
    HookCase(
      name: "a set that ends after a caret", source: "return ('a'):match('[^')",
      fate: .fails(.runtime, "malformed pattern")),
    HookCase(
      name: "a frontier of nothing", source: "return ('a'):match('%f')", fate: .fails(.runtime, "malformed pattern")),
    HookCase(
      name: "a balance of nothing", source: "return ('a'):match('%b')", fate: .fails(.runtime, "malformed pattern")),
    HookCase(
      name: "a capture that is not there", source: "return ('a'):match('%1')",
      fate: .fails(.runtime, "malformed pattern")),
    HookCase(
      name: "a capture within itself", source: "return ('a'):match('(a%1)')",
      fate: .fails(.runtime, "malformed pattern")),
    HookCase(
      name: "a capture left open", source: "return ('a'):match('(a')", fate: .fails(.runtime, "malformed pattern")),
    HookCase(
      name: "a capture never opened", source: "return ('a'):match('a)')", fate: .fails(.runtime, "malformed pattern")),
    HookCase(
      name: "a replacement that grows", source: "local s = ('x'):rep(1e6)\nreturn { s = s:gsub('x', s) }",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "a replacement that doubles", source: "local s = 'x'\nwhile true do s = s:gsub('x', 'xx') end",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "plain replacing that grows", source: "local s = ('x'):rep(1e6)\nreturn { s = s:replace('x', s) }",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "table.concat that grows",
      source: "local t, s = {}, ('x'):rep(1e5)\nfor i = 1, 1e5 do t[i] = s end\nreturn { s = table.concat(t) }",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "table.concat of nothing for ever",
      source: "return { s = table.concat({}, '', math.mininteger, math.maxinteger) }",
      fate: .fails(.runtime, "out of bounds")),
    HookCase(
      name: "table.concat of a table", source: "return { s = table.concat({ {} }) }",
      fate: .fails(.runtime, "is a table")),
    HookCase(
      name: "table.unpack of everything", source: "return table.unpack({}, 1, 1e8)",
      fate: .fails(.runtime, "more than 4096")),
    HookCase(
      name: "table.unpack that overflows", source: "return table.unpack({}, math.mininteger, math.maxinteger)",
      fate: .fails(.runtime, "more than 4096")),
    HookCase(
      name: "table.insert at the front for ever",
      source: "local t = {}\nwhile true do table.insert(t, 1, #t) end", fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "table.insert far away", source: "table.insert({}, math.maxinteger, 1)",
      fate: .fails(.runtime, "out of bounds")),
    HookCase(
      name: "table.remove far away", source: "table.remove({}, math.mininteger)",
      fate: .fails(.runtime, "out of bounds")),
    HookCase(
      name: "string.byte of everything", source: "return { n = select('#', ('x'):rep(1e6):byte(1, -1)) }",
      fate: .fails(.runtime, "string slice too long")),
    HookCase(
      name: "string.format of wide fields", source: "return { s = ('%999d'):format(1) }",
      fate: .fails(.runtime, "invalid")),
    HookCase(
      name: "string.format with a long text for a number", source: "return { s = ('%d'):format(('1'):rep(1e6)) }",
      fate: .fails(.runtime, "number expected")),
    HookCase(
      name: "a long text for a number", source: "return { n = math.max(('1'):rep(1e6), 1) }",
      fate: .fails(.runtime, "number expected")),
    HookCase(
      name: "tonumber of a long text", source: "return { n = tonumber(('1'):rep(1e6)) == nil }",
      fate: .returns(["n": true])),
    HookCase(
      name: "tonumber with a base", source: "return { n = tonumber('zz', 36), e = tonumber('10', 2) }",
      fate: .returns(["n": 1295, "e": 2])),
    HookCase(
      name: "splitting into too much", source: "return { a = ('x,'):rep(500000):split(',') }",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "pairs over too much", source: "local t = {}\nfor i = 1, 60000 do t[i] = i end\nfor _ in pairs(t) do end",
      fate: .fails(.memory, "memory")),
    HookCase(
      name: "pairs in a loop",
      source: "local t = {}\nfor i = 1, 5000 do t['k' .. i] = i end\nwhile true do pairs(t) end",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "a log without end", source: "while true do log.info(('x'):rep(1000)) end",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "flags without end",
      source: "local t = {}\nfor i = 1, 50000 do t[i] = i end\nwhile true do rclone.flag(job, 'exclude', t) end",
      fate: .fails(.deadline, "used up its limit")),
    HookCase(
      name: "integer division by zero", source: "return { n = 1 // 0 }", fate: .fails(.runtime, "divide by zero")),
    HookCase(name: "integer remainder by zero", source: "return { n = 1 % 0 }", fate: .fails(.runtime, "'n%0'")),
    HookCase(
      name: "integer overflow wraps",
      source: "return { n = math.maxinteger + 1 == math.mininteger, m = math.mininteger // -1 == math.mininteger }",
      fate: .returns(["n": true, "m": true])),
    HookCase(
      name: "integers at the edge", source: "return { a = math.maxinteger, b = math.mininteger }",
      fate: .returns(["a": .integer(.max), "b": .integer(.min)])),
    HookCase(
      name: "a loop at the edge of integers",
      source: "local n = 0\nfor i = math.maxinteger - 1, math.maxinteger do n = n + 1 end\nreturn { n = n }",
      fate: .returns(["n": 2])),
    HookCase(
      name: "a loop with step 0", source: "for i = 1, 2, 0 do end", fate: .fails(.runtime, "'for' step is zero")),
    HookCase(
      name: "a float that is no integer", source: "return { s = ('x'):rep(1.5) }",
      fate: .fails(.runtime, "no integer representation")),
  ]
}
