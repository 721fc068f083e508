import KubernetesModel
import Synchronization
import TestSupport
import Testing

@testable import BucketSyncOperator

@Suite("Progress of rclone")
struct ProgressTests {
  @Test(
    "lines of all forms and versions are understood",
    arguments: [
      (
        ["2026/11/23 02:24:33 NOTICE:     4.096 MiB / 7.629 MiB, 54%, 1.016 MiB/s, ETA 3s (xfr#20/40)"],
        ["54%", "4.096 MiB of 7.629 MiB", "20 of 40 objects", "1.016 MiB/s", "3s left"]
      ),
      (
        ["2026/11/23 02:24:33 NOTICE:   1.5 GiB / 10 GiB, 15%, 20 MiB/s, ETA 1h3m20s (xfr#20/40, chk#7/1000)"],
        ["15%", "1.5 GiB of 10 GiB", "20 of 40 objects", "20 MiB/s", "1h3m20s left"]
      ),
      (
        ["2026/11/23 02:24:39 NOTICE:           0 B / 0 B, -, 0 B/s, ETA - (chk#7/1000)"],
        ["7 of 1000 checked"]
      ),
      (
        ["2026/11/23 02:24:30 NOTICE:     1.107 MiB / 7.629 MiB, 15%, 0 B/s, ETA -"],
        ["15%", "1.107 MiB of 7.629 MiB", "0 B/s"]
      ),
      (
        [
          "NOTICE:     7 MiB / 8 MiB, 87%, 1 MiB/s, ETA 1s (xfr#39/40)",
          "NOTICE:     8 MiB / 8 MiB, 100%, 1 MiB/s, ETA 0s",
        ], ["100%", "8 MiB of 8 MiB", "40 of 40 objects", "1 MiB/s", "0s left"]
      ),
      // With a date of its own, and with the units of rclone 1.56 and before.
      (
        ["2021/07/01 10:00:00 - 3.045M / 7.629 MBytes, 40%, 3.042 MBytes/s, ETA 1s"],
        ["40%", "3.045M of 7.629 MBytes", "3.042 MBytes/s", "1s left"]
      ),
      (
        [
          "2026/11/23 02:24:41 NOTICE: ", "Transferred:   \t    3.045 MiB / 7.629 MiB, 40%, 3.042 MiB/s, ETA 1s",
          "Checks:                 3 / 9, 33%, Listed 40", "Transferred:           12 / 40, 30%",
          "Elapsed time:         1.0s",
          " *                                           f21:100% / 195.312 KiB, 0 B/s, -",
        ], ["40%", "3.045 MiB of 7.629 MiB", "12 of 40 objects", "3.042 MiB/s", "1s left"]
      ),
    ])
  func lines(log: [String], parts: [String]) {
    var progress = TransferProgress()
    for line in log { _ = progress.take(line) }
    #expect(progress.parts == parts)
  }

  @Test("other lines say nothing about progress")
  func others() {
    var progress = TransferProgress()
    for line in [
      "2026/11/22 19:42:52 ERROR : b.txt: Failed to copy: 50%", "", "INFO : There was nothing to transfer",
      "NOTICE: a / b, 3%", "2026/11/23 ERROR : 4 MiB / 5 MiB is a name: Failed to copy",
    ] {
      let isAboutProgress = progress.take(line)
      #expect(!isAboutProgress, "\(line)")
    }
    #expect(progress == TransferProgress())
  }

  @Test("what was done in all is told in the end")
  func summary() {
    var progress = TransferProgress()
    #expect(progress.summary == nil)
    _ = progress.take("NOTICE:     7 MiB / 8 MiB, 87%, 1 MiB/s, ETA 1s (xfr#39/40)")
    #expect(progress.summary == nil)
    _ = progress.take("NOTICE:     8 MiB / 8 MiB, 100%, 1 MiB/s, ETA 0s")
    #expect(progress.summary == "40 objects, 8 MiB")
    var nothing = TransferProgress()
    _ = nothing.take("2026/11/23 02:24:39 NOTICE:           0 B / 0 B, -, 0 B/s, ETA -")
    #expect(nothing.summary == "nothing to transfer")
  }
}

@Suite("What is shown of a run")
struct ProgressDisplayTests {
  private final class Screen: Sendable {
    let text = Mutex("")
    func terminal(rewrites: Bool, width: Int = 40, color: Bool = false) -> Terminal {
      Terminal(
        canRewrite: rewrites, hasColor: color, width: { width }, write: { piece in self.text.withLock { $0 += piece } })
    }
    /// What was written since the last call.
    func take() -> String {
      text.withLock { text in
        defer { text = "" }; return text
      }
    }
  }

  @Test("on a terminal it is one line, written anew, of what fits")
  func terminal() {
    let screen = Screen()
    var display = ProgressDisplay(screen.terminal(rewrites: true), time: ManualTime())
    display.show("a", ["12345", "1234567890123456789012345678901234567890", "67"])
    #expect(screen.take() == "\r\u{1B}[Ka  12345  67")
    display.show("a", ["12345", "67"])
    #expect(screen.take() == "")
    display.tell("done")
    #expect(screen.take() == "\r\u{1B}[Kdone\n")
    display.clear()
    #expect(screen.take() == "")
  }

  @Test("elsewhere it is a line at every change of state, and of numbers at most every five seconds")
  func pipe() {
    let screen = Screen()
    let time = ManualTime()
    var display = ProgressDisplay(screen.terminal(rewrites: false), time: time)
    display.show("a: waits", ["for b"])
    display.show("a: waits", ["for c"])
    display.show("a: waits", ["for c"])
    display.show("a: syncs", ["1%"], isNumbers: true)
    display.show("a: syncs", ["2%"], isNumbers: true)
    #expect(screen.take() == "a: waits, for b\na: waits, for c\na: syncs, 1%\n")
    time.advance(by: .seconds(5))
    display.show("a: syncs", ["1%"], isNumbers: true)
    #expect(screen.take() == "")
    display.show("a: syncs", ["3%"], isNumbers: true)
    #expect(screen.take() == "a: syncs, 3%\n")
  }

  @Test("colours are for terminals that want them")
  func colors() {
    let screen = Screen()
    #expect(screen.terminal(rewrites: true, color: true).colored("x", .red) == "\u{1B}[31mx\u{1B}[0m")
    #expect(screen.terminal(rewrites: true).colored("x", .red) == "x")
  }
}
