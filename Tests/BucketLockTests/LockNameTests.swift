import BucketSyncAPI
import KubernetesModel
import Testing

@testable import BucketLock

@Suite("Names of locks")
struct LockNameTests {
  @Test(
    "the name of a bucket's lock never changes from release to release",
    arguments: [
      ("data", "bucket-sync-lock-data-"),
      ("My_Bucket.2024", "bucket-sync-lock-my-bucket-2024-"),
      ("-x-", "bucket-sync-lock-x-"),
      ("日本", "bucket-sync-lock-"),
      (String(repeating: "b", count: 80), "bucket-sync-lock-\(String(repeating: "b", count: 35))-"),
    ]
  )
  func names(bucket: String, beginning: String) {
    let name = LockName.of(bucket: bucket)
    let hash = name.dropFirst(beginning.count)
    #expect(name.hasPrefix(beginning))
    #expect(hash.count == 10 && hash.allSatisfy { $0.isHexDigit && !$0.isUppercase })
  }

  @Test("the hash is the lower half of FNV-1a")
  func pinned() { #expect(LockName.of(bucket: "data") == "bucket-sync-lock-data-6730a34a05") }

  @Test("every name is a valid RFC 1123 label, whatever the bucket")
  func valid() {
    for scalar in (0x20...0x2ff).compactMap({ Unicode.Scalar(UInt32($0)) }) {
      let name = LockName.of(bucket: "a\(Character(scalar))\(String(repeating: "\(scalar)", count: 40))")
      #expect(Naming.isLabel(name), "\(name)")
    }
  }

  @Test(
    "buckets that look alike once made safe have different locks",
    arguments: [("data", "Data"), ("a.b", "a-b"), ("a_b", "a.b"), ("日本", "中国")]
  )
  func distinct(one: String, other: String) { #expect(LockName.of(bucket: one) != LockName.of(bucket: other)) }
}
