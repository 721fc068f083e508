// Looks through the folder whenever something in it has changed, and says when that is.
//
// Editors and tools make several changes where people see one (a temporary file, a rename), so a scan waits until it
// has been quiet for a moment. Where the kernel cannot tell of changes, the folder is looked through at intervals.

import Glibc
import KubernetesModel
import Logging
import OperatorRuntime

/// The folder as it is now, and when to look again.
struct FolderWatcher {
  /// How long it must have been quiet.
  static let quiet = Duration.milliseconds(100)
  /// How long changes may go on before they are looked at nevertheless.
  static let longestUnrest = Duration.seconds(2)
  /// How often the folder is looked through when nobody tells of changes.
  static let interval = Duration.seconds(30)

  private let root: String
  private let time: any TimeSource
  private let logger: Logger
  private let events: FolderEvents?
  /// Why the kernel does not tell of changes, if it does not.
  private var blindness: String?

  init(root: String, time: any TimeSource, logger: Logger, mostWatches: Int, followsMounts: Bool) {
    self.root = root
    self.time = time
    self.logger = logger
    do {
      events = try FolderEvents(mostWatches: mostWatches, followsMounts: followsMounts)
    } catch {
      events = nil
      note(blindness: Self.explain(error))
    }
  }

  func close() { events?.close() }

  /// Files that somebody writes to at this moment, by absolute path.
  var beingWritten: Set<String> { events?.beingWritten ?? [] }

  /// What happened since the last call, for ``scan()`` to follow.
  func takeChanges() -> FolderChanges { events?.take() ?? FolderChanges(everything: true) }

  /// Looks through the folder, and watches it as it is from then on.
  mutating func scan() throws(SystemFailure) -> FolderScan {
    var failure: WatchFailure?
    var watched: Set<String> = []
    func watch(_ path: String, names: Set<String>? = nil) {
      watched.insert(path)
      do {
        try events?.watch(path, names: names)
      } catch {
        if case .limit = error { failure = failure ?? error }
      }
    }
    defer {
      events?.keep(only: watched)
      if events != nil { note(blindness: failure.map(Self.explain) ?? Self.remote(root)) }
    }
    let (parent, name) = Self.nearestParent(of: root)
    watch(parent, names: [name])
    let scan = try FolderScan(root) { watch($0) }
    for (folder, names) in scan.linked { watch(folder, names: names) }
    return scan
  }

  /// Returns when the folder is to be looked through again: after a change, or after `limit`.
  func untilNext(within limit: Duration?) async throws {
    let limit = blindness == nil ? limit : min(limit ?? Self.interval, Self.interval)
    guard let events else { return try await time.sleep(for: limit ?? Self.interval) }
    try await time.sleep(for: limit, orUntil: events.arrived)
    guard events.arrived.isRaised else { return }
    let end = time.uptime + Self.longestUnrest
    while events.arrived.isRaised, time.uptime < end {
      events.arrived.lower()
      try await time.sleep(for: Self.quiet)
    }
  }

  private mutating func note(blindness reason: String?) {
    guard reason != blindness else { return }
    blindness = reason
    let interval = DurationText.format(Self.interval)
    if let reason {
      logger.warning(
        "\(reason); the folder is looked through every \(interval) instead", metadata: ["folder": "\(root)"])
    } else {
      logger.notice("the system tells of changes in the folder again", metadata: ["folder": "\(root)"])
    }
  }

  private static func explain(_ failure: WatchFailure) -> String {
    switch failure {
    case .limit(let failure) where failure.code == ENOSPC:
      "this user may watch no more folders (raise sysctl fs.inotify.max_user_watches)"
    case .limit(let failure) where failure.code == EMFILE:
      "this user may have no more watchers of folders (raise sysctl fs.inotify.max_user_instances)"
    case .limit(let failure), .folder(let failure): "folders cannot be watched: \(failure)"
    }
  }

  /// Why changes that other machines make are not told of; `nil` for a file system of this machine.
  private static func remote(_ path: String) -> String? {
    guard let type = MountTable.fileSystem(of: path) else { return nil }
    // FUSE may be local, but most of its file systems do not pass on what happens behind them.
    let remote = ["nfs", "cifs", "smb", "9p", "fuse", "ceph", "afs", "glusterfs", "virtiofs"]
    guard remote.contains(where: { type.hasPrefix($0) }), type != "fuseblk", type != "fusectl" else { return nil }
    return "the folder is on \(type), which does not tell of changes made elsewhere"
  }

  /// The folder above that is there, and what in it leads to `path`.
  private static func nearestParent(of path: String) -> (folder: String, name: String) {
    var path = path
    while let slash = path.lastIndex(of: "/") {
      let name = String(path[path.index(after: slash)...])
      let parent = slash == path.startIndex ? "/" : String(path[..<slash])
      if parent == "/" || access(parent, F_OK) == 0 { return (parent, name) }
      path = parent
    }
    return (".", path)
  }
}
