import KubernetesClient
import KubernetesModel
import Testing

@testable import StandaloneAPI

@Suite("Patches")
struct PatchTests {
  private func value(_ text: String) throws -> JSONValue { try YAML.documents(in: text)[0] }

  /// RFC 7396, appendix A.
  @Test(
    "merge patches do what their RFC lists",
    arguments: [
      ("{a: b}", "{a: c}", "{a: c}"), ("{a: b}", "{b: c}", "{a: b, b: c}"), ("{a: b}", "{a: null}", "{}"),
      ("{a: b, b: c}", "{a: null}", "{b: c}"), ("{a: [b]}", "{a: c}", "{a: c}"), ("{a: c}", "{a: [b]}", "{a: [b]}"),
      ("{a: {b: c}}", "{a: {b: d, c: null}}", "{a: {b: d}}"), ("{a: [{b: c}]}", "{a: [1]}", "{a: [1]}"),
      ("[a, b]", "[c, d]", "[c, d]"), ("{a: b}", "[c]", "[c]"), ("{a: foo}", "null", "null"),
      ("{e: null}", "{a: 1}", "{e: null, a: 1}"), ("{}", "{a: {bb: {ccc: null}}}", "{a: {bb: {}}}"),
    ])
  func merge(document: String, patch: String, result: String) throws {
    #expect(try value(document).merged(with: value(patch)) == value(result))
  }

  /// RFC 6902, appendix A.
  @Test(
    "JSON patches do what their RFC lists",
    arguments: [
      ("{foo: bar}", "[{op: add, path: /baz, value: qux}]", "{baz: qux, foo: bar}"),
      ("{foo: [bar, baz]}", "[{op: add, path: /foo/1, value: qux}]", "{foo: [bar, qux, baz]}"),
      ("{baz: qux, foo: bar}", "[{op: remove, path: /baz}]", "{foo: bar}"),
      ("{foo: [bar, qux, baz]}", "[{op: remove, path: /foo/1}]", "{foo: [bar, baz]}"),
      ("{baz: qux}", "[{op: replace, path: /baz, value: boo}]", "{baz: boo}"),
      (
        "{foo: {bar: 1, waldo: 2}, qux: {}}", "[{op: move, from: /foo/waldo, path: /qux/x}]",
        "{foo: {bar: 1}, qux: {x: 2}}"
      ),
      ("{foo: [all, grass]}", "[{op: move, from: /foo/1, path: /foo/0}]", "{foo: [grass, all]}"),
      ("{baz: qux, foo: [a, 2]}", "[{op: test, path: /foo/1, value: 2}]", "{baz: qux, foo: [a, 2]}"),
      ("{/: 9, ~1: 10}", "[{op: test, path: /~01, value: 10}, {op: remove, path: /~1}]", "{~1: 10}"),
      ("{foo: [bar]}", "[{op: add, path: /foo/-, value: [abc]}]", "{foo: [bar, [abc]]}"),
      ("{foo: 1}", "[{op: copy, from: /foo, path: /bar}]", "{foo: 1, bar: 1}"),
    ])
  func jsonPatch(document: String, patch: String, result: String) throws {
    #expect(try JSONPatch(value(patch)).applied(to: value(document)) == value(result))
  }

  @Test(
    "a JSON patch that cannot be applied is refused",
    arguments: [
      "[{op: test, path: /foo, value: 2}]", "[{op: add, path: /baz/bat, value: 1}]", "[{op: remove, path: /none}]",
      "[{op: replace, path: /none, value: 1}]", "[{op: add, path: /list/8, value: 1}]", "[{op: spam, path: /foo}]",
      "[{op: add, path: foo, value: 1}]", "{op: add}",
    ])
  func refused(patch: String) throws {
    #expect(throws: JSONPatch.Failure.self) {
      _ = try JSONPatch(value(patch)).applied(to: value("{foo: 1, list: []}"))
    }
  }

  @Test(
    "strategic merge patches merge lists by their keys",
    arguments: [
      (
        "{containers: [{name: a, image: x}, {name: b}]}", "{containers: [{name: a, image: y}, {name: c}]}",
        "{containers: [{name: a, image: y}, {name: b}, {name: c}]}"
      ),
      (
        "{containers: [{name: a}, {name: b}]}", "{containers: [{name: a, $patch: delete}]}", "{containers: [{name: b}]}"
      ),
      ("{finalizers: [a]}", "{finalizers: [b]}", "{finalizers: [a, b]}"),
      ("{finalizers: [a, b]}", "{$deleteFromPrimitiveList/finalizers: [a]}", "{finalizers: [b]}"),
      (
        "{env: [{name: a}, {name: b}]}", "{$setElementOrder/env: [{name: c}, {name: b}, {name: a}], env: [{name: c}]}",
        "{env: [{name: c}, {name: b}, {name: a}]}"
      ),
      ("{args: [a]}", "{args: [b]}", "{args: [b]}"), ("{a: {b: 1}}", "{a: {$patch: replace, c: 2}}", "{a: {c: 2}}"),
    ])
  func strategic(document: String, patch: String, result: String) throws {
    #expect(try StrategicMergePatch.merge(value(document), value(patch)) == value(result))
  }
}
