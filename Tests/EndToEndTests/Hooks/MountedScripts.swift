// The scripts of a controller under test, mounted as a ConfigMap.

import FoundationEssentials
import SystemPackage
import TestSupport

/// Scripts for a controller under test.
struct MountedScripts: Sendable {
  private let folder: MountedFolder
  var path: String { folder.path }

  /// Makes the folder.
  init(in world: World) throws { folder = try MountedFolder(at: world.directory.appending("hooks").string) }

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
  func publish(_ scripts: [String: String]) throws { try folder.publish(scripts) }
}
