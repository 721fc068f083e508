import FoundationEssentials
import KubernetesModel
import Testing

@Suite("Slices of JSON")
struct JSONSliceTests {
  func slice(_ text: String) -> JSONSlice { JSONSlice(Data(text.utf8)) }
  func text(_ slice: JSONSlice?) -> String? { slice.map { String(decoding: $0.data, as: UTF8.self) } }

  @Test("members are cut at commas and colons outside of strings and of nested values")
  func members() {
    let object = slice(#" {"a" : 1, "b,}": {"c": [1, "]"]} ,"d\"" :"\\", "e":null} "#)
    #expect(object.members?.map(\.key) == ["a", "b,}", "d\"", "e"])
    #expect(text(object["b,}"]) == #" {"c": [1, "]"]} "#)
    #expect(text(object["d\""]) == #""\\""#)
    #expect(text(object["b,}"]?["c"]?.elements?.last) == #" "]""#)
  }

  @Test("of a member that is there twice the last one counts, as for the decoder")
  func twice() { #expect(text(slice(#"{"a":1,"a":2}"#)["a"]) == "2") }

  @Test("what is empty has no parts", arguments: ["{}", " { } "])
  func empty(_ text: String) { #expect(slice(text).members?.isEmpty == true) }

  @Test(
    "what is no object, or is cut off, has no members",
    arguments: ["", "null", "[]", "{", #"{"a":1"#, #"{"a"}"#, #"{"a":"}"#, "{}{}", "{},", #"{a:1}"#, "x{}"])
  func noObject(_ text: String) { #expect(slice(text).members == nil) }

  @Test("no nesting is too deep, and the place of one that the decoder does not take is named")
  func deep() {
    let nest = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    let object = slice(#"{"metadata":{"name":"a"},"spec":{"env":[{"x":1},{"valueFrom":\#(nest)}]}}"#)
    #expect(object.depth == 100_004)
    #expect(object.tooDeepPlace?.hasPrefix("spec.env[1].valueFrom") == true)
    #expect(slice("[[1]]").tooDeepPlace == nil)
    #expect(ObjectMeta(remainsOf: object)?.name == "a")
  }

  @Test("of metadata that is wrong in places the rest is read")
  func remains() {
    let object = slice(
      #"{"metadata":{"name":"a","namespace":7,"uid":"u","labels":{"x":"y","z":1},"finalizers":["f",null],"#
        + #""ownerReferences":[{"kind":"x"},{"apiVersion":"v1","kind":"k","name":"n","uid":"o"}],"generation":"no"}}"#)
    let metadata = ObjectMeta(remainsOf: object)
    #expect(metadata?.namespace == nil && metadata?.uid == "u" && metadata?.generation == nil)
    #expect(metadata?.labels == ["x": "y"])
    #expect(metadata?.finalizers == ["f"])
    #expect(metadata?.ownerReferences?.map(\.uid) == ["o"])
  }

  @Test(
    "metadata without a readable name is none",
    arguments: [#"{}"#, #"{"metadata":{}}"#, #"{"metadata":{"name":""}}"#, #"{"metadata":{"name":1}}"#, "null"])
  func nameless(_ text: String) { #expect(ObjectMeta(remainsOf: slice(text)) == nil) }
}
