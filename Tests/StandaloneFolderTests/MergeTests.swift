import KubernetesModel
import Testing

@testable import StandaloneFolder

@Suite("Three-way merge")
struct MergeTests {
  @Test(
    "the patch makes the stored object say what is wanted, and no more",
    arguments: [
      (["a": 1], nil, ["a": 1, "b": 2], nil),
      (["a": 2], nil, ["a": 1, "b": 2], ["a": 2]),
      (["a": 1], ["a": 1, "b": 2], ["a": 1, "b": 3, "c": 4], ["b": nil]),
      (["a": 1], ["b": 2], ["a": 1], nil),
      (["a": ["b": 1]], nil, ["a": ["c": 2]], ["a": ["b": 1]]),
      (["a": ["b": 1]], nil, [:], ["a": ["b": 1]]),
      (["a": ["b": 1]], nil, ["a": "text"], ["a": ["b": 1]]),
      (["a": [:]], nil, [:], ["a": [:]]),
      (["a": 1.0], nil, ["a": 1], nil),
      (["l": [1, 2]], nil, ["l": [1]], ["l": [1, 2]]),
      (["l": [["n": "x"]]], nil, ["l": [["n": "x", "default": true]]], nil),
      (["l": [["n": "x"]]], ["l": [["n": "x", "m": 1]]], ["l": [["n": "x", "m": 1]]], ["l": [["n": "x"]]]),
      (["l": []], nil, ["l": []], nil),
    ] as [(JSONValue, JSONValue, JSONValue, JSONValue?)])
  func patches(wanted: JSONValue, last: JSONValue, stored: JSONValue, patch: JSONValue?) {
    #expect(ThreeWayMerge.patch(wanted: wanted, last: last, stored: stored) == patch)
  }
}
