// Values that nobody sane would write, and that are JSON all the same.

import KubernetesModel
import TestSupport

enum OddValues {
  static let texts: [String] = [
    "", " ", "-", ".", "..", "/", "//", ":", "a", "A", "0", "-1", "true", "null", "{}", "a/b", "../../pods/x", "%2e%2e",
    "a%2Fb", "?watch=true", "a b", "a\nb", "\t", "\0", "a\0b", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{2028}", "é",
    "e\u{301}", "/\u{301}", "日本", "🪣", "👩‍👩‍👧‍👦", "\u{202e}evil", "\u{feff}", "\u{fffd}", "\u{10ffff}", "ﬀ", "K",
    "'; drop table", "$(rm -rf /)", "{{ . }}", "%s%n", "\\", "\"", "=", "a=b", "=b", "a=", "x=y=z",
    String(repeating: "a", count: 63), String(repeating: "a", count: 64), String(repeating: "a", count: 253),
    String(repeating: "a", count: 1024), String(repeating: "b.", count: 600), String(repeating: "\u{301}", count: 300),
    String(repeating: "/", count: 1000), "2024-01-15T02:00:00Z", "0 2 * * *", "@every 1s", "90s", "Initialize", "Sync",
    "Finalize", "Finished", "Succeeded", "sync", "FINISHED", "nightly-1705284000", "uid-1", "a.b.c", "a_b", "x--y",
    "1h30m",
  ]

  /// As large as a field without a limit may get in etcd.
  static let hugeTexts: [String] = [
    String(repeating: "x", count: 70_000), String(repeating: "🪣", count: 20_000),
    String(repeating: "\0", count: 40_000),
    String(repeating: "spec.source: ", count: 6_000),
  ]

  /// As large as one annotation may get: 256 KiB is the limit of all of them together.
  static let hugeAnnotations: [String] = [
    String(repeating: "now ", count: 50_000), "run-0=" + String(repeating: "x", count: 130_000),
  ]

  /// Times that kube-apiserver takes for `date-time`.
  static let times: [String] = [
    "2024-01-15T02:00:00Z", "2024-01-15T01:59:50Z", "2023-12-31T23:59:59Z", "2024-02-29T00:00:00Z",
    "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59-23:59",
    "0000-01-01T00:00:00+12:00", "0001-01-01T00:00:00+23:59", "2038-01-19T03:14:08Z",
    "2024-01-15T02:00:00.123Z", "2024-01-15T02:00:00.123456789Z", "2024-01-15T02:00:00.999999999999Z",
    "2024-01-15T02:00:00+00:00", "2024-01-15T02:00:00-12:00", "2024-01-15T02:00:00+99:99", "2024-01-15t02:00:00z",
    "2262-04-11T23:47:16.854775807Z", "1677-09-21T00:12:43Z",
  ]

  static let integers: [Int64] = [
    0, 1, 2, 3, 10, 127, 255, 65_535, 1_000_000, 2_147_483_646, 2_147_483_647, 2_147_483_648, 4_294_967_296,
    9_007_199_254_740_993, .max - 1, .max, -1, -2_147_483_648, .min + 1, .min,
  ]

  /// What people write into schedules.
  static let schedules: [String] = [
    "0 2 * * *", "* * * * *", "*/5 * * * *", "@hourly", "@yearly", "@every 1h", "@every 1s", "@every 1ns", "@every 0s",
    "@every 290y", "@every 2562047h", "@every -1h", "@reboot", "0 0 30 2 *", "60 * * * *", "0 25 * * *", "a b c d e",
    "0 0 29 2 *", "0 0 29 2 1", "0-59/1 0 1 1 0-7", "TZ=UTC 0 2 * * *", "*/0 * * * *", "1-0 * * * *", "1,,2 * * * *",
    "0 2 * * * *", "jan feb mar apr may", "0 0 1 JAN MON", "99999999999999999999 * * * *", "*/99999999999 * * * *",
  ]

  /// What people write into paths.
  static let paths: [String] = [
    "a", "b", "c", "a/b", "b/a", "a/../b", "..", "./a", "a//b", "a/", "/a", "source:a", "destination:b", "SOURCE:a",
    "minio:a", ":s3,env_auth:b", ",a:b", ":", "source:", "a:b", "a/b:c", "a b", "ünï/cödé", "a/\u{301}", "🪣",
    "a\u{202e}b", "A", "a/\u{2028}b", String(repeating: "a/", count: 500), String(repeating: "x", count: 1024),
    "data.with.dots", "-rf", "--config=/etc/passwd", "$(id)", "*", "?",
  ]

  static let timeouts: [String] = [
    "90s", "30m", "1h30m", "1ms", "0s", "00000000s", "1.5h", "0.1s", "9999999h", "2562047h", "2562048h",
    "99999999999999999999h", "0.000000000000000000001h", "1m1m1m", "300ms", "1h1ms",
  ]

  static let durations = timeouts + texts
}
