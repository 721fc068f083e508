// Finding the program that a container's command names, as a container runtime does, and saying why there is none.

internal import FoundationEssentials
internal import Glibc

/// Why a program cannot be started.
struct StartFailure: Error, Sendable, Hashable, CustomStringConvertible {
  let description: String
}

enum ProgramSearch {
  /// The path of the order's program.
  static func find(_ order: LaunchOrder) throws(StartFailure) -> String {
    guard let first = order.arguments.first, !first.isEmpty else {
      throw StartFailure(
        description: """
          container \(order.container.debugDescription) has no command; what its image would run is not known here: \
          give it a command
          """)
    }
    let name = String(decoding: first, as: UTF8.self)
    if name.contains("/") {
      let path = name.hasPrefix("/") ? name : "\(order.workingFolder)/\(name)"
      if let problem = problem(with: path) {
        throw StartFailure(description: "exec: \(name.debugDescription): stat \(path): \(problem)")
      }
      return path
    }
    var isForbidden = false
    for folder in order.searchPath.split(separator: ":") {
      let path = "\(folder)/\(name)"
      guard let problem = problem(with: path) else { return path }
      isForbidden = isForbidden || problem == SystemFailure.text(EACCES)
    }
    let what = isForbidden ? "permission denied" : "executable file not found in $PATH"
    throw StartFailure(
      description: """
        exec: \(name.debugDescription): \(what) (searched: \(order.searchPath)), which is the PATH of the standalone \
        process unless the container sets one; install \(name), or add its folder to PATH and start again
        """)
  }

  /// Why the file at `path` cannot be run.
  private static func problem(with path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return SystemFailure.text(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { return "is a directory or a device, no program" }
    return access(path, X_OK) == 0 ? nil : SystemFailure.text(errno)
  }
}
