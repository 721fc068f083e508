// What a supervisor is told to run. It goes through a file in memory, for the environment holds secrets: they are in no
// file, in no command line, and in no environment but the program's own.

internal import CLocalProcess
internal import FoundationEssentials
internal import KubernetesModel

/// One program and its limits.
struct LaunchOrder: Sendable, Hashable, Codable {
  /// The pod's folder.
  var folder: String
  var container: String
  /// The program and its arguments, as bytes; the program is searched in `searchPath` unless it is a path.
  var arguments: [Data]
  /// `NAME=VALUE`, as bytes.
  var environment: [Data]
  var searchPath: String
  var workingFolder: String
  /// How long it may run, from now on, for the Job and for the pod.
  var jobLimit: Double?
  var podLimit: Double?
  /// Seconds between SIGTERM and SIGKILL.
  var gracePeriod: Double
  var noNewPrivileges: Bool
  /// Whether the end of the log becomes the termination message of a failure.
  var logIsMessage: Bool
  var log: LogLimits

  /// The order as a file in memory, complete before anybody is started who could read half of it.
  func memoryFile() throws -> Descriptor {
    let raw = local_process_memory_file("order")
    guard raw >= 0 else { throw SystemFailure("memfd_create", code: -raw) }
    let file = Descriptor(owning: raw)
    try file.write(try JSON.encode(self))
    return file
  }

  static func read(_ file: Descriptor) throws -> LaunchOrder {
    try JSON.decode(LaunchOrder.self, from: Data(try file.readAll()))
  }
}

/// How much of a container's output is kept.
package struct LogLimits: Sendable, Hashable, Codable {
  /// Bytes of one file.
  package var fileSize: Int
  /// Files in all, the present one included.
  package var files: Int

  /// By default what a kubelet keeps: 5 files of 10 MiB.
  package init(fileSize: Int = 10 << 20, files: Int = 5) {
    self.fileSize = fileSize
    self.files = files
  }
}
