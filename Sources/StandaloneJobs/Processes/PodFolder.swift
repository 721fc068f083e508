// The folder of one pod: what is known of its process beyond the life of any process.
//
//     pods/default_nightly-x7k2p_6f1c…/
//       pod.json          which pod this is; written before anything is started
//       lock              held while anything of it runs (PodLock)
//       started.json      the supervisor and the program; written before the program may run
//       ended.json        how it ended; written by the supervisor, or under the lock by the operator that proved it dead
//       reserve           space for ended.json, so that a full disk cannot lose an end
//       rclone.log  .1 …  what the container wrote (Logs/)
//       supervisor.log    what the supervisor has to say, if anything
//       tmp/              TMPDIR of the program
//
// Three files tell everything: without started.json the program has never run; with it and without ended.json it runs if
// the lock is held, and is lost otherwise.

internal import FoundationEssentials
internal import Glibc
internal import KubernetesModel

/// Where the files of a pod are.
struct PodFolder: Sendable, Hashable {
  let path: String

  /// The folder of this pod.
  init(root: String, namespace: String, name: String, uid: String) {
    // A UID that cannot be a file name is not one of an API server; what is made of it only has to be harmless.
    let safe = uid.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "-" }
    path = "\(root)/pods/\(namespace)_\(name)_\(String(safe))"
  }

  init(path: String) { self.path = path }

  /// All that there are.
  static func all(root: String) -> [PodFolder] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/pods")) ?? []
    return names.sorted().map { PodFolder(path: "\(root)/pods/\($0)") }
  }

  /// Those of pods of this name, in no particular order.
  static func all(root: String, namespace: String, name: String) -> [PodFolder] {
    all(root: root).filter { $0.path.hasPrefix("\(root)/pods/\(namespace)_\(name)_") }
  }

  var lock: String { "\(path)/lock" }
  var scratch: String { "\(path)/tmp" }
  var supervisorLog: String { "\(path)/supervisor.log" }
  func log(of container: String) -> String { "\(path)/\(container).log" }

  /// Makes the folder of a pod that is about to be started.
  func prepare(_ identity: PodIdentity) throws {
    try FileManager.default.createDirectory(
      atPath: scratch, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    chmod(path, 0o700)
    try AtomicFile.write(try JSON.encode(identity), to: "\(path)/pod.json")
    try AtomicFile.syncFolder(of: path)
  }

  func identity() -> PodIdentity? { read("pod.json") }
  func started() -> StartedRecord? { read("started.json") }
  func ended() -> EndedRecord? { read("ended.json") }

  func write(_ record: StartedRecord) throws {
    try AtomicFile.write(try JSON.encode(record), to: "\(path)/started.json")
  }
  func write(_ record: EndedRecord) throws { try AtomicFile.write(try JSON.encode(record), to: "\(path)/ended.json") }

  /// Sets space aside for ``writeReserved(_:)``.
  func reserve() throws {
    let file = try Descriptor("\(path)/reserve", O_WRONLY | O_CREAT | O_TRUNC)
    try file.write([UInt8](repeating: 0x20, count: Self.reservedSize), what: "\(path)/reserve")
    try file.sync()
  }

  /// Writes how it ended into the space set aside.
  func writeReserved(_ record: EndedRecord) throws {
    let json = try JSON.encode(record)
    guard let file = try? Descriptor("\(path)/reserve", O_WRONLY), json.count <= Self.reservedSize else {
      return try write(record)
    }
    // Spaces behind a JSON document do no harm, and giving back space first could lose it to somebody else.
    try file.write(json + [UInt8](repeating: 0x20, count: Self.reservedSize - json.count), what: "\(path)/reserve")
    try file.sync()
    try AtomicFile.move("\(path)/reserve", to: "\(path)/ended.json")
  }

  /// Removes what nobody needs once the pod is over; logs stay.
  func tidy() {
    for name in ["tmp", "reserve", "reserve.tmp"] { try? FileManager.default.removeItem(atPath: "\(path)/\(name)") }
    if let said = try? AtomicFile.read(supervisorLog), said.isEmpty { unlink(supervisorLog) }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// Room for the longest termination message, even if JSON needs six bytes for each of its own.
  private static let reservedSize = 16 << 10

  private func read<Record: Decodable>(_ name: String) -> Record? {
    guard let bytes = try? AtomicFile.read("\(path)/\(name)") else { return nil }
    return try? JSON.decode(Record.self, from: Data(bytes))
  }
}

/// `pod.json`: which pod this is. Holds nothing of its environment.
struct PodIdentity: Sendable, Hashable, Codable {
  var namespace: String
  var name: String
  var uid: String
  var job: String
  var jobUID: String
  var container: String
  /// Pods of one group share the number of logs that are kept.
  var group: String
  var acceptedAt: Timestamp

  var key: ObjectKey { ObjectKey(namespace: namespace, name: name) }
}

/// `started.json`: what was about to run.
struct StartedRecord: Sendable, Hashable, Codable {
  var supervisor: ProcessIdentity
  var program: ProcessIdentity
  var startedAt: Timestamp
}

/// `ended.json`: how it ended.
struct EndedRecord: Sendable, Hashable, Codable {
  /// What ended the program before it did so itself.
  enum Cause: String, Sendable, Hashable, Codable {
    case stopped, jobDeadline, podDeadline
  }

  /// 128 and the number for a signal, as the kubelet has it.
  var exitCode: Int
  /// `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`.
  var reason: String
  var message: String?
  var startedAt: Timestamp?
  var finishedAt: Timestamp
  var cause: Cause?
}
