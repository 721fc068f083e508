import KubernetesModel
import Testing

@testable import StandaloneAPI

@Suite("Rules of schemas")
struct ValidationRuleTests {
  private func holds(_ rule: String, _ value: JSONValue, after old: JSONValue? = nil) throws -> Bool {
    try #require(ValidationRule(["rule": .string(rule)])).holds(for: value, after: old)
  }

  @Test(
    "a rule holds, or not",
    arguments: [
      ("self.a != self.b", ["a": 1, "b": 2], true), ("self.a != self.b", ["a": 1, "b": 1], false),
      ("self.a == self.b", ["a": 1], false), (#"!has(self.a) || self.a == """#, [:], true),
      (#"!has(self.b) || !has(self.a) || self.a == """#, ["a": "x", "b": [:]], false),
      (#"!has(self.b) || !has(self.a) || self.a == """#, ["a": "", "b": [:]], true),
      ("has(self.a) && (self.a == 3 || self.a == 4)", ["a": 4], true), ("self.a", ["a": true], true),
      ("self.a.b == 'x'", ["a": ["b": "x"]], true), ("self.none == 1 || self.a == 1", ["a": 1], true),
    ] as [(String, JSONValue, Bool)])
  func rules(rule: String, value: JSONValue, expected: Bool) throws {
    #expect(try holds(rule, value) == expected)
  }

  @Test("a rule about changes is none about new objects")
  func changes() throws {
    #expect(try holds("self == oldSelf", ["a": 1]))
    #expect(try holds("self == oldSelf", ["a": 1], after: ["a": 1]))
    #expect(try !holds("self == oldSelf", ["a": 1], after: ["a": 2]))
  }

  @Test(
    "a rule with more than is understood is none",
    arguments: ["self.a.matches('x')", "size(self) > 1", "self.a[0] == 1", "a"])
  func notUnderstood(rule: String) {
    #expect(ValidationRule(["rule": .string(rule)]) == nil)
  }
}
