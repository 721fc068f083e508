// Giving back what only the start needed takes nothing away.

import FoundationEssentials
import Testing

@testable import OperatorRuntime

@Suite("Pages of code")
struct StartupPagesTests {
  @Test func onlyCodeFromFilesIsGivenBack() {
    let maps = """
      00400000-00500000 r--p 00000000 fe:00 42                 /usr/local/bin/homelab-helper
      00500000-00900000 r-xp 00100000 fe:00 42                 /usr/local/bin/homelab-helper
      00900000-00a00000 rw-p 00500000 fe:00 42                 /usr/local/bin/homelab-helper
      7f0000000000-7f0000001000 r-xp 00000000 00:00 0
      7f0000002000-7f0000004000 rwxp 00000000 fe:00 43         /usr/lib/odd.so
      7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0          [vdso]
      """
    #expect(StartupPages.codeRanges(maps: maps) == [0x500000..<0x900000])
  }

  @Test func theProgramGoesOnWithoutThem() throws {
    let own = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
    #expect(!StartupPages.codeRanges(maps: own).isEmpty)
    StartupPages.release()
    #expect((1...1000).map { "\($0)" }.joined().count == 2893)
  }
}
