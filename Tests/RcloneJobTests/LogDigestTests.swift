import Testing

@testable import RcloneJob

@Suite("The lines of a log that matter")
struct LogDigestTests {
  @Test(
    "a line loses its time and its request numbers",
    arguments: [
      (
        """
        2026/11/22 19:42:52 ERROR : b.txt: Failed to copy: operation error S3: PutObject, https response error \
        StatusCode: 404, RequestID: 3C47, HostID: M0M0==, api error NoSuchBucket: The specified bucket does not exist
        """,
        "ERROR : b.txt: Failed to copy: S3 PutObject: status 404, NoSuchBucket: The specified bucket does not exist"
      ),
      (
        """
        2026/11/22 19:53:19.123456 ERROR : S3 bucket src: error reading source root directory: operation error S3: \
        ListObjectsV2, exceeded maximum number of attempts, 10, https response error StatusCode: 0, RequestID: , \
        HostID: , request send failed, Get "http://10.77.0.11:9/src?delimiter=%2F&list-type=2": dial tcp \
        10.77.0.11:9: connect: connection refused
        """,
        """
        ERROR : S3 bucket src: error reading source root directory: S3 ListObjectsV2: request send failed, Get \
        "http://10.77.0.11:9/src?delimiter=%2F&list-type=2": dial tcp 10.77.0.11:9: connect: connection refused
        """
      ),
    ]
  )
  func stripped(log: String, line: String) { #expect(LogDigest(log).lines == [line]) }

  @Test("errors are preferred to anything else, and without errors the last line stands")
  func preference() {
    #expect(LogDigest("INFO : a\nERROR : b\nINFO : c").lines == ["ERROR : b"])
    #expect(LogDigest("INFO : a\nINFO : c\n\n").lines == ["INFO : c"])
    #expect(LogDigest("\n \n").lines.isEmpty)
  }

  @Test("progress is no reason, neither as the last line nor among errors nor cut off at the start")
  func statistics() {
    let progress = "2026/11/23 02:24:33 NOTICE:     4.096 MiB / 7.629 MiB, 54%, 1.016 MiB/s, ETA 3s (xfr#20/40)\n"
    let nothing = "2026/11/23 02:24:39 NOTICE:           0 B / 0 B, -, 0 B/s, ETA -\n"
    #expect(LogDigest(progress + nothing).lines.isEmpty)
    #expect(LogDigest("INFO : c\n" + progress).lines == ["INFO : c"])
    #expect(LogDigest(progress + "ERROR : b\n" + nothing).lines == ["ERROR : b"])
    let tail = String(
      (String(repeating: progress, count: 30) + "NOTICE: Failed to sync: directory not found\n").suffix(2048))
    #expect(LogDigest(tail).lines == ["NOTICE: Failed to sync: directory not found"])
    #expect(LogDigest(String(String(repeating: progress, count: 30).suffix(2048))).lines.isEmpty)
  }

  @Test("a summary is left out only when another line says the same")
  func summary() {
    let summary = "NOTICE: Failed to sync with 2 errors: last error was: no space"
    #expect(
      LogDigest("ERROR : x: Failed to copy: no space\n\(summary)").lines == ["ERROR : x: Failed to copy: no space"]
    )
    #expect(LogDigest("ERROR : x: Failed to copy: timeout\n\(summary)").lines.last == summary)
  }

  @Test("of many different errors three remain, those about a whole side first of all")
  func three() {
    let log = (["ERROR : S3 bucket a: error reading source root directory: x"] + (0..<9).map { "ERROR : Failed \($0)" })
      .joined(separator: "\n")
    #expect(
      LogDigest(log).lines == [
        "ERROR : S3 bucket a: error reading source root directory: x", "ERROR : Failed 7", "ERROR : Failed 8",
      ]
    )
  }

  @Test("the same error of several objects is told once")
  func sameKind() {
    #expect(
      LogDigest("ERROR : a: Failed to copy: x\nERROR : b: Failed to copy: x").lines == ["ERROR : b: Failed to copy: x"]
    )
  }

  @Test("a first line that was cut is left out")
  func cutLine() {
    let filler = String(repeating: "INFO : nothing of interest\n", count: 90)
    #expect(LogDigest("of ERROR Failed\n\(filler)2026/11/22 19:42:52 ERROR : b").lines == ["ERROR : b"])
  }

  @Test("however long the lines are, 500 characters and some are the most there is")
  func length() {
    let log = (0..<5).map { "ERROR : \($0) \(String(repeating: "wörter ", count: 200))" }.joined(separator: "\n")
    let digest = LogDigest(log)
    #expect(digest.lines.count == 3)
    #expect(digest.lines.reduce(0) { $0 + $1.count } <= 500)
    #expect(digest.lines.allSatisfy { $0.hasSuffix("…") })
  }

  @Test("control characters do not get through")
  func control() { #expect(LogDigest("\u{1b}[31mERROR : a\u{7}\r\nx").lines == ["[31mERROR : a"]) }
}

@Suite("Hints")
struct FailureHintTests {
  @Test(
    "the side at fault is named when rclone tells, both when it does not",
    arguments: [
      (
        "ERROR : S3 bucket a: error reading source root directory: x509: unknown authority",
        "the source cannot be reached"
      ),
      ("ERROR : a.txt: Failed to copy: S3 CreateBucket: dial tcp: no such host", "the destination cannot be reached"),
      ("ERROR : couldn't fetch token: invalid_grant", "the source or the destination refused the credentials"),
      ("ERROR : a.txt: Failed to copy: S3 PutObject: status 403, AccessDenied: no", "the destination denied access"),
      (
        "ERROR : a: failed to open source object: S3 GetObject: status 403, AccessDenied: no",
        "the source denied access"
      ),
      (
        "CRITICAL: Failed to create file system for \"destination:a\": couldn't parse config item",
        "the destination is not configured well; check spec.destinationEnv"
      ),
    ]
  )
  func sides(line: String, advice: String) throws {
    #expect(try #require(FailureHint(LogDigest(line))).advice.hasPrefix(advice))
  }

  @Test("an unknown failure gets no hint")
  func none() { #expect(FailureHint(LogDigest("ERROR : corrupted on transfer: sizes differ")) == nil) }
}

@Suite("Exit codes")
struct ExitCodeTests {
  @Test("all that rclone documents have a reason and a meaning of their own")
  func table() {
    #expect(ExitCode.allCases.map(\.rawValue) == Array(1...10))
    #expect(Set(ExitCode.allCases.map(\.reason)).count == 10)
    #expect(Set(ExitCode.allCases.map(\.meaning)).count == 10)
  }
}
