// What rclone's exit codes mean, as its documentation lists them ("Exit code" on the page "Usage").
//
// Releases before 1.69 had 1 and 2 the other way round; a message of such an image names the wrong one of the two, but
// it always carries rclone's own words as well.

/// Why rclone ended.
enum ExitCode: Int, Sendable, CaseIterable {
  case uncategorized = 1
  case usage = 2
  case directoryNotFound = 3
  case fileNotFound = 4
  case temporary = 5
  case notRetried = 6
  case fatal = 7
  case transferExceeded = 8
  case nothingTransferred = 9
  case durationExceeded = 10

  /// CamelCase word for programs.
  var reason: String {
    switch self {
    case .uncategorized: "RcloneFailed"
    case .usage: "UsageError"
    case .directoryNotFound: "DirectoryNotFound"
    case .fileNotFound: "FileNotFound"
    case .temporary: "TemporaryError"
    case .notRetried: "NotRetriedError"
    case .fatal: "FatalError"
    case .transferExceeded: "TransferExceeded"
    case .nothingTransferred: "NothingTransferred"
    case .durationExceeded: "DurationExceeded"
    }
  }

  /// For people, to stand in brackets.
  var meaning: String {
    switch self {
    case .uncategorized: "error not otherwise categorised"
    case .usage: "syntax or usage error"
    case .directoryNotFound: "directory not found"
    case .fileNotFound: "file not found"
    case .temporary: "temporary error that more retries might fix"
    case .notRetried: "less serious error that is not retried"
    case .fatal: "fatal error that more retries will not fix"
    case .transferExceeded: "limit of --max-transfer reached"
    case .nothingTransferred: "successful, but no files transferred"
    case .durationExceeded: "limit of --max-duration reached"
    }
  }
}
