// rclone's exit code and its last words as one message:
//
//     rclone ended with exit code 3 (directory not found): the source does not exist; create the bucket or correct
//     spec.source: ERROR : S3 bucket data: error reading source root directory: directory not found

/// A failure that rclone reported itself.
struct RcloneFailure: Sendable, Hashable {
  /// CamelCase word.
  let reason: String
  /// Sentence for people, free of secrets.
  let message: String

  /// - Parameter digest: The end of rclone's log.
  init(exitCode: Int, _ digest: LogDigest) {
    let code = ExitCode(rawValue: exitCode)
    let hint = FailureHint(digest)
    reason = hint?.reason ?? code?.reason ?? "RcloneFailed"
    let what = "rclone ended with exit code \(exitCode)\(code.map { " (\($0.meaning))" } ?? "")"
    let words = digest.text.isEmpty ? "it logged no error" : digest.text
    message = [what, hint?.advice, words].compactMap(\.self).joined(separator: ": ")
  }
}
