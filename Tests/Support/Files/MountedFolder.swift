// A folder as the kubelet mounts a ConfigMap: the files are links into ..data, which is itself a link that is exchanged
// when the ConfigMap changes. So all files change at one stroke, and none of them is ever written to.

import FoundationEssentials
import Glibc

/// A mounted ConfigMap.
package struct MountedFolder: Sendable {
  package let path: String

  /// Makes the folder, which is empty.
  package init(at path: String) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Makes the files these and no others.
  package func publish(_ content: [String: String]) throws {
    let files = FileManager.default
    let version = "..version-\(UInt64.random(in: 0...(.max)))"
    try files.createDirectory(atPath: "\(path)/\(version)", withIntermediateDirectories: false)
    for (name, text) in content {
      try text.write(toFile: "\(path)/\(version)/\(name)", atomically: false, encoding: .utf8)
    }
    try files.createSymbolicLink(atPath: "\(path)/..data_tmp", withDestinationPath: version)
    let old = try? files.destinationOfSymbolicLink(atPath: "\(path)/..data")
    guard rename("\(path)/..data_tmp", "\(path)/..data") == 0 else {
      throw CocoaError(.fileWriteUnknown)
    }
    let present = try files.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix("..") }
    for name in present where content[name] == nil { try files.removeItem(atPath: "\(path)/\(name)") }
    for name in content.keys where !present.contains(name) {
      try files.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: "..data/\(name)")
    }
    if let old { try files.removeItem(atPath: "\(path)/\(old)") }
  }
}
