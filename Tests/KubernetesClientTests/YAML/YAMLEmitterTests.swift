import KubernetesModel
import Testing

@testable import KubernetesClient

@Suite("YAML that is written")
struct YAMLEmitterTests {
  @Test("it looks as kubectl writes it: keys in order, blocks, and quotes where they are needed only")
  func style() {
    let job: JSONValue = [
      "kind": "Job", "apiVersion": "batch/v1",
      "spec": [
        "args": ["sync", "source:data", "--bwlimit=10M", "--exclude=*.tmp"], "backoffLimit": 0, "emptyDir": [:],
        "tolerations": [], "suspend": false, "share": 0.5, "nothing": nil, "version": "1.20", "answer": "yes",
        "note": "first\nsecond\n",
      ],
    ]
    #expect(
      YAML.text(of: job) == """
        apiVersion: batch/v1
        kind: Job
        spec:
          answer: "yes"
          args:
          - sync
          - source:data
          - --bwlimit=10M
          - "--exclude=*.tmp"
          backoffLimit: 0
          emptyDir: {}
          note: |
            first
            second
          nothing: null
          share: 0.5
          suspend: false
          tolerations: []
          version: "1.20"

        """)
  }

  /// Texts that a reader could take for something else, or that the grammar has other plans for.
  private static let texts = [
    "", " ", "~", "null", "Null", "true", "NO", "off", "y", "N", "0", "-1", "+1", "0x1F", "0o17", "017", "1_000", "1e3",
    "1.5", ".5", "-.inf", ".nan", "infinity", "1:30", "2024-01-15", "2024-01-15T02:00:00Z", "=", "<<", "-", "- a", "?",
    "? a", ":", "a: b", "a:", "a #b", "#a", "&a", "*a", "!a", "!!str", "%a", "@a", "`a", "|", ">", "[a", "]", "{a", "}",
    ",", "'", "\"", "\\", "a\\b", "it's", "\"a\"", " a", "a ", "\ta", "a\tb", "\n", "\n\n", "a\n", "a\nb", "\na",
    "a\n\n", "  a\nb", "a \nb", "a\n b\n", "a\tb\nc", "a\r\nb", "\r", "---", "...", "--- a", "--", "--a", "\u{0}",
    "a\u{7}b",
    "\u{1b}[31m",
    "\u{85}", "a\u{2028}b", "\u{feff}a", "é", "日本語", "🏔", "e\u{301}", "\u{301}", "a\nb: c\n- d", "# a\n# b", "%TAG\nx",
    "source:data/a b", "RCLONE_CONFIG", "/tmp/rclone", "--exclude={a,b}", "---\n", "...\n", "a\n---\nb",
    String(repeating: "long ", count: 100),
  ]

  @Test("every text reads back as it was, as a value, as a key and in a list", arguments: texts)
  func roundTrip(text: String) throws {
    for value: JSONValue in [.string(text), .object([text: 1]), [.string(text)], ["a": ["b": [["c": .string(text)]]]]] {
      #expect(try YAML.document(in: YAML.text(of: value)) == value)
    }
  }

  @Test(
    "so does every other value",
    arguments: [
      nil, true, false, 0, -1, 1.5, .integer(.max), .integer(.min), .number(1e300), .number(-1e-7), [], [:], [[]],
      [[:]], ["a": [], "b": [:]], [[[1], 2], ["x": [nil]]],
    ] as [JSONValue])
  func values(value: JSONValue) throws {
    #expect(try YAML.document(in: YAML.text(of: value)) == value)
  }
}
