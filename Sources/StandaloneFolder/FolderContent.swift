// What is known of the folder's files: which were read, which objects they hold, and which objects must be left alone
// because it is not known whether they are still wanted.

import Glibc
import KubernetesClient
import KubernetesModel

/// The folder's files, kept up with scans.
struct FolderContent {
  private let root: String
  private let kinds: ManifestKinds
  /// The files by relative path, as they were last read.
  private(set) var files: [String: ManifestFile] = [:]
  private var scan: FolderScan?
  private var failure: SystemFailure?
  /// Each folder that had manifests, as it was then.
  private var homes: [String: FolderIdentity] = [:]
  /// Folders that are there but have turned into empty ones of another file system: something was unmounted.
  private var lost: Set<String> = []
  private var isUnsettled = false

  init(root: String, kinds: ManifestKinds) {
    self.root = root
    self.kinds = kinds
  }

  /// Takes up what a scan has found, and reads what may have changed.
  /// - Parameters:
  ///   - hasObjects: Whether objects are known that came from the folder.
  mutating func update(
    _ found: Result<FolderScan, SystemFailure>, changes: FolderChanges, beingWritten: Set<String>, hasObjects: Bool
  ) {
    switch found {
    case .failure(let reason): failure = reason
    case .success(let scan):
      failure = nil
      read(scan, changes, beingWritten)
      noteHomes(scan, hasObjects: hasObjects)
      self.scan = scan
    }
  }

  private mutating func read(_ scan: FolderScan, _ changes: FolderChanges, _ beingWritten: Set<String>) {
    isUnsettled = false
    for name in files.keys where scan.files[name] == nil && !isHidden(name, in: scan) { files[name] = nil }
    for (name, identity) in scan.files {
      let path = "\(root)/\(name)"
      // Whoever writes to it closes it, and then it is read.
      if beingWritten.contains(path) {
        isUnsettled = true
        continue
      }
      let known = files[name]
      if let known, known.identity == identity, !changes.everything, !changes.paths.contains(path) { continue }
      if let file = ManifestFile.read(path, name: name, identity: identity, unless: known?.digest, kinds: kinds) {
        files[name] = file
      } else {
        files[name]?.identity = identity
      }
    }
  }

  /// Whether a file may be there that the scan could not see.
  private func isHidden(_ name: String, in scan: FolderScan) -> Bool {
    scan.unreadable.keys.contains { name == $0 || name.hasPrefix($0 + "/") }
  }

  private mutating func noteHomes(_ scan: FolderScan, hasObjects: Bool) {
    var filled: Set<String> = []
    for name in scan.files.keys {
      for folder in Self.folders(of: name) where filled.insert(folder).inserted { continue }
    }
    for (folder, identity) in scan.folders {
      if filled.contains(folder) {
        homes[folder] = identity
        lost.remove(folder)
      } else if let home = homes[folder] {
        // The folder itself must be the very one; below it, tools may well make one anew.
        if folder.isEmpty ? home != identity : home.device != identity.device { lost.insert(folder) }
      } else if folder.isEmpty, hasObjects {
        lost.insert("")
      }
    }
    homes = homes.filter { scan.folders[$0.key] != nil }
    lost = lost.filter { scan.folders[$0] != nil }
  }

  /// All folders that a file is in, from its own to the root.
  private static func folders(of name: String) -> [String] {
    let parts = name.split(separator: "/").dropLast()
    return (0...parts.count).map { parts.prefix($0).joined(separator: "/") }
  }
}

extension FolderContent {
  /// The manifest that counts for each object, and what is wrong with others of the same object.
  /// - Parameter present: The file that an object was applied from last; it keeps the object.
  func wanted(present: (ManifestID) -> String?) -> (manifests: [ManifestID: Manifest], problems: [ManifestProblem]) {
    var candidates: [ManifestID: [Manifest]] = [:]
    for (_, file) in files.sorted(by: { $0.key < $1.key }) {
      for manifest in file.manifests { candidates[manifest.id, default: []].append(manifest) }
    }
    var problems: [ManifestProblem] = []
    let manifests = candidates.compactMapValues { (all: [Manifest]) -> Manifest? in
      guard all.count > 1, let first = all.first else { return all.first }
      let owner = present(first.id)
      let chosen = all.first { $0.file == owner } ?? first
      problems += all.filter { $0.location != chosen.location }.map {
        $0.problem("is in \(chosen.location) already, which counts; remove one of them")
      }
      return chosen
    }
    return (manifests, problems)
  }

  /// Why nothing may be deleted, of any file, just now.
  var isHeld: Bool { failure != nil || isUnsettled || scan == nil }

  /// Whether an object that came from `file` must be kept although no file is known to have it.
  /// - Parameter bad: Files with objects that were refused.
  func spares(_ id: ManifestID, from file: String, bad: Set<String>) -> Bool {
    guard !isHeld, let scan else { return true }
    if bad.contains(file) || files[file].map({ !$0.isGood }) ?? false || isHidden(file, in: scan) { return true }
    if lost.contains(where: { $0.isEmpty || file.hasPrefix($0 + "/") }) { return true }
    return files.values.contains { $0.remains?.contains(id.key.name) ?? false }
  }

  /// What is wrong with files and folders; while the folder is away, what was wrong before stays so.
  var problems: [ManifestProblem] { [failure.map(explain)].compactMap { $0 } + fileProblems }

  private func explain(_ failure: SystemFailure) -> ManifestProblem {
    let what =
      failure.code == ENOENT
      ? "the folder \(root) is not there (moved, unmounted?); nothing is deleted, and it is taken up when it is back"
      : "the folder \(root) cannot be read: \(failure); nothing is deleted"
    return ManifestProblem(what, file: "")
  }

  private var fileProblems: [ManifestProblem] {
    guard let scan else { return [] }
    var problems = files.values.flatMap(\.problems)
    problems += scan.unreadable.map { ManifestProblem("cannot be read: \($0.value)", file: $0.key) }
    problems += scan.notices.map { ManifestProblem($0.value, severity: .notice, file: $0.key) }
    problems += lost.map { folder in
      ManifestProblem(
        "the folder \(folder.isEmpty ? root : folder) is empty, and not known to be the one that objects came from "
          + "(unmounted?); they stay. If they are to go, put one manifest there, or delete them one by one",
        file: folder)
    }
    return problems
  }
}
