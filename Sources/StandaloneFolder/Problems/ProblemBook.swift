// The problems of the moment: told once each, and once more when they are over.

import KubernetesClient
import Logging
import Synchronization

/// What is wrong at present.
final class ProblemBook: Sendable {
  private let logger: Logger
  private let current = Mutex<[ManifestProblem]>([])

  init(logger: Logger) { self.logger = logger }

  /// All problems, in the order of their files and lines.
  var problems: [ManifestProblem] { current.withLock { $0 } }

  /// Makes these the present problems, and logs what is new and which files are well again.
  /// - Returns: The new ones.
  @discardableResult
  func replace(with problems: [ManifestProblem]) -> [ManifestProblem] {
    let problems = problems.sorted { $0.order < $1.order }
    let old = current.withLock { current in
      defer { current = problems }
      return current
    }
    let known = Set(old)
    let new = problems.filter { !known.contains($0) }
    for problem in new { tell(problem) }
    let bad = Set(problems.lazy.filter { $0.severity != .notice }.map(\.file))
    for file in Set(old.lazy.filter { $0.severity != .notice }.map(\.file)).subtracting(bad).sorted() {
      logger.notice(
        file.isEmpty ? "the folder of manifests is there again" : "the manifest is well again",
        metadata: file.isEmpty ? [:] : ["file": "\(file)"])
    }
    return new
  }

  private func tell(_ problem: ManifestProblem) {
    switch problem.severity {
    case .notice: logger.notice("manifest left out", metadata: ["problem": "\(problem)"])
    case .error: logger.error("manifest not applied", metadata: ["problem": "\(problem)"])
    case .passing: logger.warning("manifest not applied yet, trying again", metadata: ["problem": "\(problem)"])
    }
  }
}

extension ManifestProblem {
  fileprivate var order: (String, Int, String) { (file, place?.line ?? 0, description) }
}
