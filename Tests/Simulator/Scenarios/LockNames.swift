// The names of locks, written down a second time on purpose: they are a promise to people, not a detail of the plugin.

import BucketSyncAPI

enum LockNames {
  /// The name of the lock of a bucket whose own name is short and made of lower-case letters.
  static func of(_ bucket: String) -> String {
    let digits = String(StableHash.fnv1a(bucket) & 0xff_ffff_ffff, radix: 16)
    return "bucket-sync-lock-\(bucket)-\(String(repeating: "0", count: 10 - digits.count))\(digits)"
  }
}
