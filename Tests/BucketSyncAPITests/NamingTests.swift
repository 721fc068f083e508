import BucketSyncAPI
import KubernetesModel
import Testing

@Suite("Names")
struct NamingTests {
  @Test("a name within the limit stays as it is")
  func short() {
    let name = String(repeating: "a", count: 63)
    #expect(Naming.shortened(name) == name)
    #expect(Naming.shortened("data", limit: 4) == "data")
  }

  @Test("a name beyond the limit is cut and marked with a hash, always the same way")
  func long() {
    #expect(
      Naming.shortened(String(repeating: "a", count: 64))
        == "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-3bw7jctsic63p"
    )
  }

  @Test("shortened names are distinct, within the limit, and still names", arguments: [20, 40, 63, 253])
  func distinct(limit: Int) {
    let beginning = String(repeating: "policy.name-", count: 30)
    let names = (0..<1_000).map { Naming.shortened("\(beginning)\(1_705_284_000 + $0)", limit: limit) }
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.utf8.count <= limit && Naming.isSubdomain($0) })
  }

  @Test("no cut ends in a dash or a dot", arguments: ["-", ".", "-.-", "a.-"])
  func ends(filling: String) {
    let name = Naming.shortened("x" + String(repeating: filling, count: 100))
    #expect(!name.dropLast(14).hasSuffix("-") && !name.dropLast(14).hasSuffix("."))
    #expect(name.utf8.count <= 63)
  }

  @Test("a limit that leaves no room for the hash is kept nevertheless", arguments: [0, 1, 13, 14])
  func tiny(limit: Int) {
    #expect(Naming.shortened("a-long-name-for-such-a-limit", limit: limit).utf8.count == min(limit, 13))
  }

  @Test("labels, subdomains and label values are told from what is none")
  func rules() {
    let long = String(repeating: "a", count: 64)
    #expect(["a", "a-1", "1"].allSatisfy(Naming.isLabel))
    #expect(!["", "-a", "a-", "A", "a.b", "a_b", "ä", long].contains(where: Naming.isLabel))
    #expect(["a", "a.b-c", long].allSatisfy(Naming.isSubdomain))
    #expect(
      !["", "a..b", ".a", "a.", "a.-b", "A", "\(long).\(long).\(long).\(long)"].contains(where: Naming.isSubdomain)
    )
    #expect(["", "A_b.c-d", "1"].allSatisfy(Naming.isLabelValue))
    #expect(!["-a", "a.", "a b", "ä", long].contains(where: Naming.isLabelValue))
    #expect(Naming.labelValue(long) == nil)
  }
}
