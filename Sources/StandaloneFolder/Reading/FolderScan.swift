// Which manifests there are below a folder, by looking at names and times only.
//
//     *.yaml *.yml *.json    below the folder, however deep
//     .git  .x.yaml  #x.yaml#  ~x.yaml  x.yaml~      hidden things and editors' backups are left out
//     x.yaml → elsewhere     links to files are followed, links to folders are not, as with `kubectl apply -R -f`
//
// A mounted ConfigMap is no special case: its files are links into ..data, which is hidden.

import Glibc

/// What was found in a folder.
struct FolderScan: Sendable {
  /// Nothing that people make is deeper.
  private static let deepest = 64
  private static let suffixes = [".yaml", ".yml", ".json"]

  /// The manifests by path relative to the folder.
  private(set) var files: [String: FileIdentity] = [:]
  /// The folders by relative path; the folder itself is at `""`.
  private(set) var folders: [String: FolderIdentity] = [:]
  /// Files and folders that cannot be looked at, by relative path.
  private(set) var unreadable: [String: SystemFailure] = [:]
  /// What has a manifest's name and is none.
  private(set) var notices: [String: String] = [:]
  /// Folders elsewhere that hold files which links lead to, and those files' names.
  private(set) var linked: [String: Set<String>] = [:]

  /// Looks through the folder at `root`.
  /// - Parameter visit: Called with each folder's path before it is read, to watch it from then on.
  /// - Throws: Why `root` cannot be looked at.
  init(_ root: String, visit: (String) -> Void = { _ in }) throws(SystemFailure) {
    var info = stat()
    visit(root)
    guard stat(root, &info) == 0 else { throw .last }
    guard info.isFolder else { throw SystemFailure(code: ENOTDIR) }
    folders[""] = FolderIdentity(info)
    let names = try Self.names(in: root)
    look(at: names, in: "", of: root, depth: 0, visit: visit)
  }

  private mutating func look(
    at names: [String], in folder: String, of root: String, depth: Int, visit: (String) -> Void
  ) {
    for name in names where !Self.isLeftOut(name) {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      let absolute = "\(root)/\(path)"
      let isManifest = Self.suffixes.contains { name.hasSuffix($0) }
      var info = stat()
      guard lstat(absolute, &info) == 0 else {
        if errno != ENOENT { unreadable[path] = .last }
        continue
      }
      let isLink = info.st_mode & S_IFMT == S_IFLNK
      guard !isLink || isManifest else { continue }
      if isLink {
        note(linkAt: absolute)
        guard stat(absolute, &info) == 0 else {
          unreadable[path] = .last
          continue
        }
      }
      if info.isFolder {
        guard !isLink else {
          notices[path] = "is a link to a folder, which is not followed"
          continue
        }
        guard depth < Self.deepest else {
          unreadable[path] = SystemFailure(code: ELOOP)
          continue
        }
        folders[path] = FolderIdentity(info)
        visit(absolute)
        do {
          look(at: try Self.names(in: absolute), in: path, of: root, depth: depth + 1, visit: visit)
        } catch {
          unreadable[path] = error
        }
      } else if isManifest {
        if info.st_mode & S_IFMT == S_IFREG {
          files[path] = FileIdentity(info)
        } else {
          notices[path] = "is no regular file"
        }
      }
    }
  }

  /// Notes where a link ends: what happens there is not seen by watching the folder.
  private mutating func note(linkAt path: String) {
    guard let resolved = realpath(path, nil) else { return }
    defer { free(resolved) }
    let target = String(cString: resolved)
    guard let slash = target.lastIndex(of: "/"), slash != target.startIndex else { return }
    linked[String(target[..<slash]), default: []].insert(String(target[target.index(after: slash)...]))
  }

  private static func isLeftOut(_ name: String) -> Bool {
    guard let first = name.first else { return true }
    return first == "." || first == "#" || first == "~"
  }

  private static func names(in folder: String) throws(SystemFailure) -> [String] {
    guard let listing = opendir(folder) else { throw .last }
    defer { closedir(listing) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(listing) else {
        guard errno == 0 else { throw .last }
        return names.sorted()
      }
      // Names that are no text cannot be told to anybody, and no manifest is called so.
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let name, name != ".", name != ".." { names.append(name) }
    }
  }
}

extension stat {
  fileprivate var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
}
