// The name of a bucket's lock: `bucket-sync-lock-<bucket>-<hash>`.
//
// The bucket part is for people and may be cut; the hash of the bucket's exact name keeps different buckets apart.

import BucketSyncAPI
import KubernetesModel

enum LockName {
  /// The name of the ConfigMap that locks `bucket`.
  static func of(bucket: String) -> String {
    let prefix = "bucket-sync-lock-"
    let hash = hash(of: bucket)
    let readable = safe(bucket, limit: Naming.labelLimit - prefix.utf8.count - hash.utf8.count - 1)
    return readable.isEmpty ? prefix + hash : "\(prefix)\(readable)-\(hash)"
  }

  /// 40 bits of the hash, in 10 digits.
  private static func hash(of bucket: String) -> String {
    let digits = String(StableHash.fnv1a(bucket) & 0xff_ffff_ffff, radix: 16)
    return String(repeating: "0", count: 10 - digits.count) + digits
  }

  /// `text` as part of an RFC 1123 name: lower case, `-` for everything else, none at either end.
  private static func safe(_ text: String, limit: Int) -> String {
    var name = text.unicodeScalars.prefix(limit).map { scalar -> Character in
      switch scalar {
      case "a"..."z", "0"..."9": Character(scalar)
      case "A"..."Z": Character(scalar.properties.lowercaseMapping)
      default: "-"
      }
    }[...]
    while name.first == "-" { name.removeFirst() }
    while name.last == "-" { name.removeLast() }
    return String(name)
  }
}
