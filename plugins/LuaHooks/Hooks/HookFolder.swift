// The folder with the scripts: every NAME.lua in it that is a file (or a link to one) and does not start with a dot.
// A mounted ConfigMap is such a folder.

internal import FoundationEssentials
internal import Glibc
internal import LuaSandbox

/// Reads and checks scripts.
struct HookFolder: Sendable {
  let path: String
  let limits: LuaLimits
  let only: [String]?

  /// Reads and checks everything; compiles, so it wants the stack of a hook thread.
  func load() -> HookCheck {
    var check = HookCheck()
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      check.problems.append("the folder \(path) of the scripts cannot be read: \(Self.reason())")
      return check
    }
    let sandbox = LuaSandbox(limits: limits)
    for name in names.sorted() where isScript(name) {
      do throws(LuaFailure) {
        let script = try read(name)
        check.scripts.append(CheckedScript(script: script, points: try sandbox.check(script)))
      } catch {
        check.problems.append(error.message)
      }
    }
    for name in (only ?? []).sorted() where !names.contains(name) {
      check.problems.append("\(name): there is no such script in \(path)")
    }
    return check
  }

  /// The same from a thread that may have little stack.
  func loadBlocking() -> HookCheck {
    do throws(HookThreadError) {
      return try HookThreads.blocking { load() }
    } catch {
      return HookCheck(problems: ["no thread could be started to check the scripts"])
    }
  }

  private func isScript(_ name: String) -> Bool {
    guard name.hasSuffix(".lua"), !name.hasPrefix("."), name.utf8.count > 4, only?.contains(name) ?? true else {
      return false
    }
    var status = stat()
    // What cannot be looked at is read all the same, so that it is reported.
    guard stat("\(path)/\(name)", &status) == 0 else { return true }
    return status.st_mode & S_IFMT != S_IFDIR
  }

  private func read(_ name: String) throws(LuaFailure) -> LuaScript {
    func failure(_ problem: String) -> LuaFailure {
      LuaFailure(.load, script: name, message: "\(name): \(problem)")
    }
    let file = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure("cannot be read: \(Self.reason())") }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw failure("is no file") }
    guard status.st_size <= limits.source else {
      throw failure("the script has \(status.st_size) bytes; the limit is \(limits.source)")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress.map { $0 + count }, $0.count - count) }
      if got < 0 { throw failure("cannot be read: \(Self.reason())") }
      if got == 0 { break }
      count += got
    }
    guard let source = String(validating: bytes.prefix(count), as: UTF8.self) else {
      throw failure(bytes.first == 0x1B ? "is bytecode; scripts are text" : "is not valid UTF-8")
    }
    return LuaScript(
      name: name, source: source.hasPrefix("\u{FEFF}") ? String(source.unicodeScalars.dropFirst()) : source)
  }

  /// The system's word for the last error.
  private static func reason() -> String { String(cString: strerror(errno)) }
}
