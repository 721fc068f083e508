// Which files of the folder are scripts, and which of them can be used.

import LuaHooks
import LuaSandbox
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("The folder of the scripts")
struct FolderTests {
  private static let good = "return { api = 1, pre_lock = function() end }"
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func check(only: [String]? = nil, limits: LuaLimits = LuaLimits()) -> HookCheck {
    LuaHooks(folder: folder.path, limits: limits, only: only).check()
  }

  @Test("scripts come in the order of their names; what does not end in .lua, folders and hidden files are left alone")
  func names() throws {
    for name in ["20-b.lua", "10-a.lua", ".hidden.lua", "notes.txt", "a.lua.bak", "A.LUA", ".lua"] {
      try folder.write(name, name.hasSuffix("a.lua") || name.hasSuffix("b.lua") ? Self.good : "no script")
    }
    try folder.makeFolder("folder.lua")
    #expect(check().problems == [])
    #expect(check().scripts.map(\.description) == ["10-a.lua (pre_lock)", "20-b.lua (pre_lock)"])
  }

  @Test("a byte order mark and a first line for the shell do no harm")
  func starts() throws {
    try folder.write("mark.lua", bytes: [0xEF, 0xBB, 0xBF] + Array(Self.good.utf8))
    try folder.write("shell.lua", "-- -*- lua -*-\r\n" + Self.good)
    #expect(check().problems == [])
    #expect(check().scripts.count == 2)
  }

  @Test("every file that cannot be used is told, each with its name, and none of the others is lost")
  func problems() throws {
    try folder.write("bytecode.lua", bytes: [0x1B, 0x4C, 0x75, 0x61, 0x54, 0xFF])
    try folder.write("latin.lua", bytes: Array("-- caf".utf8) + [0xE9])
    try folder.write("syntax.lua", "return {\n  api = 1,\n  build_job = function( end\n}")
    try folder.write("empty.lua", "")
    try folder.write("key.lua", "return { api = 1, build_jobs = function() end }")
    try folder.write("old.lua", "return { api = 2, build_job = function() end }")
    try folder.write("none.lua", "return { api = 1 }")
    try folder.write("large.lua", String(repeating: "-", count: 300 << 10))
    try folder.write("endless.lua", "while true do end")
    try folder.write("good.lua", Self.good)
    #expect(mkfifo("\(folder.path)/pipe.lua", 0o600) == 0)
    #expect(symlink("nowhere", "\(folder.path)/dangling.lua") == 0)
    let check = check(limits: LuaLimits(time: .milliseconds(50)))
    #expect(check.scripts.map(\.script.name) == ["good.lua"])
    #expect(
      check.problems.map { $0.prefix { $0 != " " } } == [
        "bytecode.lua:", "dangling.lua:", "empty.lua:", "endless.lua:1:", "key.lua:1:", "large.lua:", "latin.lua:",
        "none.lua:", "old.lua:", "pipe.lua:", "syntax.lua:3:",
      ])
    let told = check.problems.joined(separator: "\n")
    for words in [
      "is bytecode", "No such file", "this one returns nothing", "used up its limit", "unknown key \"build_jobs\"",
      "has 307200 bytes; the limit is 262144", "is not valid UTF-8", "no function is given", "api = 2 is unknown",
      "is no file", "expected near 'end'",
    ] { #expect(told.contains(words), "\(words)\n\(told)") }
  }

  @Test("a folder that is not there is a problem, an empty one is none")
  func noFolder() throws {
    #expect(check().problems == [])
    #expect(
      LuaHooks(folder: "\(folder.path)/missing").check().problems == [
        "the folder \(folder.path)/missing of the scripts cannot be read: No such file or directory"
      ])
  }

  @Test("single scripts can be picked, and are missed when they are not there")
  func picked() throws {
    try folder.write("a.lua", Self.good)
    try folder.write("b.lua", "broken")
    #expect(check(only: ["a.lua"]).scripts.map(\.script.name) == ["a.lua"])
    #expect(check(only: ["a.lua"]).problems == [])
    #expect(check(only: ["c.lua"]).problems == ["c.lua: there is no such script in \(folder.path)"])
  }

  @Test("an operator does not start with scripts that cannot be used, and names them all")
  func start() throws {
    try folder.write("a.lua", "return {")
    try folder.write("b.lua", "return 1")
    do {
      _ = try ScriptedOperator(folder.path)
      Issue.record("it started")
    } catch {
      #expect("\(error)".contains("2 problems with the scripts:\n  a.lua:1: unexpected symbol near <eof>\n  b.lua: "))
    }
  }
}
