import KubernetesModel
import Testing

@testable import KubernetesClient

@Suite("YAML")
struct YAMLTests {
  @Test(
    "plain scalars get the types of the core schema",
    arguments: [
      ("", nil), ("~", nil), ("null", nil), ("true", true), ("FALSE", false), ("yes", "yes"), ("on", "on"),
      ("0", 0), ("-12", -12), ("+7", 7), ("0o17", 15), ("0x1F", 31), ("017", 17), ("1_000", "1_000"),
      ("9223372036854775807", 9_223_372_036_854_775_807), ("1.5", 1.5), ("-.5", -0.5), ("1e3", 1000.0),
      ("1.2.3", "1.2.3"), ("1p3", "1p3"), ("0x1.8", "0x1.8"), ("0b1", "0b1"),
      ("2024-01-15T02:00:00Z", "2024-01-15T02:00:00Z"),
      ("infinity", "infinity"), ("10.0.0.1", "10.0.0.1"), ("1:30", "1:30"), ("-e", "-e"), ("e1", "e1"),
      ("\"12\"", "12"), ("'true'", "true"), ("!!str 12", "12"), ("! 12", "12"), ("!!float 1", 1.0), ("!!int 12", 12),
    ] as [(String, JSONValue)]
  )
  func scalars(text: String, value: JSONValue) throws {
    #expect(try YAML.document(in: "x: \(text)\n") == ["x": value])
  }

  @Test("collections, block texts, flow style and comments")
  func structure() throws {
    let text = """
      # a comment
      list: [1, two, {three: 3}]
      empty: []
      none: {}
      "quoted key": |
        line 1
          line 2
      folded: >-
        a
        b
      1: one
      nested:
      - - a
        - b
      """
    #expect(
      try YAML.document(in: text) == [
        "list": [1, "two", ["three": 3]], "empty": [], "none": [:], "quoted key": "line 1\n  line 2\n",
        "folded": "a b", "1": "one", "nested": [["a", "b"]],
      ]
    )
  }

  @Test("documents come one by one, also empty ones")
  func documents() throws {
    #expect(try YAML.documents(in: "a: 1\n---\n---\n- 2\n...\n") == [["a": 1], nil, [2]])
    #expect(try YAML.documents(in: "") == [])
    #expect(try YAML.document(in: "# nothing\n") == nil)
    #expect(throws: YAMLError.self) { try YAML.document(in: "a\n---\nb\n") }
  }

  @Test("aliases repeat what was anchored")
  func aliases() throws {
    #expect(try YAML.document(in: "a: &x {b: &y 1}\nc: *x\nd: *y\n") == ["a": ["b": 1], "c": ["b": 1], "d": 1])
  }

  @Test(
    "what is wrong is said with its place",
    arguments: [
      ("a: b: c\n", "line 1, column 5: mapping values are not allowed in this context"),
      ("a:\n  - 1\n b: 2\n", "line 3, column 2: did not find expected key while parsing a block mapping"),
      ("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key a is there twice"),
      ("a: *b\n", "line 1, column 4: no anchor &b before *b"),
      ("a: &a [*a]\n", "line 1, column 8: no anchor &a before *a"),
      ("? [1]\n: 2\n", "line 1, column 3: the key of a mapping must be plain text"),
      ("a: .nan\n", "line 1, column 4: \".nan\" cannot be held as a number"),
      ("a: !!binary aGk=\n", "line 1, column 4: the tag tag:yaml.org,2002:binary is not supported"),
      ("a: !custom {}\n", "line 1, column 4: the tag !custom is not supported"),
      ("a: 'x\n", "line 2, column 1: found unexpected end of stream while scanning a quoted scalar"),
    ]
  )
  func errors(text: String, message: String) {
    let error = #expect(throws: YAMLError.self) { try YAML.document(in: text) }
    #expect(error?.description == message)
  }

  @Test("aliases that multiply, and endless nesting, are refused")
  func attacks() {
    var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let before = "*a\(level - 1)"
      laughs += "a\(level): &a\(level) [\(Array(repeating: before, count: 10).joined(separator: ", "))]\n"
    }
    let error = #expect(throws: YAMLError.self) { try YAML.document(in: laughs) }
    #expect(error?.message == "aliases repeat too much")
    let deep = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
    #expect(throws: YAMLError.self) { try YAML.document(in: deep) }
  }

  @Test("every value's place is known, and that of what is missing is its parent's")
  func places() throws {
    let text = """
      # a comment
      kind: A
      spec:
        source: x
        env:
        - name: N
          value: {a: 1}
        - *none
      """.replacing("- *none", with: "- &n {name: M}")
    let all = try YAML.placedDocuments(in: text + "\n---\n\nkind: B\nmore: {k: [1, 2]}\n")
    #expect(all.map(\.value) == (try YAML.documents(in: text + "\n---\n\nkind: B\nmore: {k: [1, 2]}\n")))
    func place(_ number: Int, _ path: String) -> [Int?] {
      let place = all[number].place(of: path)
      return [place?.line, place?.column]
    }
    #expect(all[0].start == YAMLPlace(line: 2, column: 1))
    #expect(place(0, "spec.source") == [4, 3])
    #expect(place(0, "spec.env[0].name") == [6, 5])
    #expect(place(0, "spec.env[0].value.a") == [7, 13])
    #expect(place(0, "spec.env[0].value[a]") == [7, 13])
    #expect(place(0, "spec.env[1].name") == [8, 9])
    #expect(place(0, "spec.env[1].valueFrom.x") == [8, 5])
    #expect(place(0, "spec.schedule") == [3, 1])
    #expect(place(0, "other.x[1]") == [2, 1])
    #expect(all[1].start?.line == 11)
    #expect(place(1, "more.k[1]") == [12, 15])
  }
}
