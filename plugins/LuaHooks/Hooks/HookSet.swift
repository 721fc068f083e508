// HookSet: the scripts in use. A set is made of scripts that were all checked, and is exchanged as a whole.

public import LuaSandbox
internal import Synchronization

/// A script that was checked.
public struct CheckedScript: Sendable, Hashable {
  public var script: LuaScript
  /// The functions it has.
  public var points: Set<HookPoint>

  /// `bwlimit.lua (build_job)`
  public var description: String {
    let names = HookPoint.allCases.filter(points.contains).map(\.name).joined(separator: ", ")
    return "\(script.name) (\(names))"
  }
}

/// The outcome of reading a folder.
public struct HookCheck: Sendable {
  /// The good scripts, by name.
  public var scripts: [CheckedScript] = []
  /// What is wrong with the others, or with the folder.
  public var problems: [String] = []

  /// The scripts, if all of them are good.
  /// - Throws: ``HookProblems``.
  func usable() throws(HookProblems) -> [CheckedScript] {
    guard problems.isEmpty else { throw HookProblems(problems: problems) }
    return scripts
  }
}

/// Everything that is wrong with a folder of scripts.
public struct HookProblems: Error, Sendable, Hashable, CustomStringConvertible {
  public var problems: [String]

  /// One line for each problem.
  public var description: String {
    problems.count == 1
      ? problems.joined() : "\(problems.count) problems with the scripts:\n  " + problems.joined(separator: "\n  ")
  }
}

/// The set in use.
final class CurrentHooks: Sendable, CustomStringConvertible {
  private let state: Mutex<[CheckedScript]>

  init(_ scripts: [CheckedScript]) { state = Mutex(scripts) }

  /// The scripts in the order of their names.
  var scripts: [CheckedScript] {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }

  /// The scripts that have a function for `point`.
  func scripts(at point: HookPoint) -> [LuaScript] {
    scripts.filter { $0.points.contains(point) }.map(\.script)
  }

  var description: String {
    let scripts = scripts
    return scripts.isEmpty ? "none" : scripts.map(\.description).joined(separator: ", ")
  }
}
