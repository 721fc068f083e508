// The table of escapes and exhaustion attempts.

import HookCases
import KubernetesModel
import LuaSandbox
import Testing

@Suite struct EscapeTests {
  private static let threads = HookThreads(time: SystemTime(), limit: 2)

  @Test("no script gets out of the sandbox, exhausts it, or returns what is no JSON", arguments: HookCase.all)
  func caseEndsAsItMust(_ script: HookCase) async throws {
    let sandbox = LuaSandbox(limits: LuaLimits())
    let answer = try await Self.threads.run(patience: .seconds(60)) { script.run(in: sandbox) }
    #expect(script.complaint(about: answer) == nil)
  }

  @Test("there are attempts enough") func tableIsLarge() {
    #expect(HookCase.all.count >= 60)
    #expect(Set(HookCase.all.map(\.name)).count == HookCase.all.count)
  }
}
