// A folder of scripts as the kubelet mounts a ConfigMap: the files are links into ..data, which is a link that is
// exchanged when the ConfigMap changes.

import FoundationEssentials
import Glibc
import SystemPackage

/// Scripts for a controller under test.
struct MountedScripts: Sendable {
  let path: String

  /// Makes the folder.
  init(in world: World) throws {
    path = world.directory.appending("hooks").string
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// One of the example scripts, with pieces of its text replaced.
  static func example(_ name: String, _ replacements: (old: String, new: String)...) throws -> String {
    var text = try String(contentsOfFile: Testbed.package.appending("examples/hooks/\(name)").string, encoding: .utf8)
    for (old, new) in replacements {
      guard text.contains(old) else { throw Missing(description: "\(name) has no \"\(old)\"") }
      text = text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
    return text
  }

  /// Makes the scripts these and no others, at one stroke.
  func publish(_ scripts: [String: String]) throws {
    let files = FileManager.default
    let version = "..version-\(UInt64.random(in: 0...(.max)))"
    try files.createDirectory(atPath: "\(path)/\(version)", withIntermediateDirectories: false)
    for (name, text) in scripts {
      try text.write(toFile: "\(path)/\(version)/\(name)", atomically: false, encoding: .utf8)
    }
    try files.createSymbolicLink(atPath: "\(path)/..data_tmp", withDestinationPath: version)
    let old = try? files.destinationOfSymbolicLink(atPath: "\(path)/..data")
    guard rename("\(path)/..data_tmp", "\(path)/..data") == 0 else { throw Missing(description: "..data is stuck") }
    let present = try files.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix("..") }
    for name in present where scripts[name] == nil { try files.removeItem(atPath: "\(path)/\(name)") }
    for name in scripts.keys where !present.contains(name) {
      try files.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: "..data/\(name)")
    }
    if let old { try files.removeItem(atPath: "\(path)/\(old)") }
  }
}
