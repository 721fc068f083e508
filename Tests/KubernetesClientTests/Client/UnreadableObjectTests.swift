import FoundationEssentials
import KubernetesModel
import Testing

@testable import KubernetesClient

/// One object that cannot be read keeps no other from being read, and is never taken for one that is not there.
@Suite("Objects that cannot be read")
struct UnreadableObjectTests {
  func client(_ body: String) -> KubernetesClient {
    KubernetesClient(transport: ScriptedTransport([.response(200, body)]), time: ManualTime())
  }

  func list(_ items: String...) -> String {
    #"{"metadata":{"resourceVersion":"9"},"items":[\#(items.joined(separator: ","))]}"#
  }

  let good = #"{"metadata":{"name":"good","namespace":"x"}}"#
  let bad = #"{"metadata":{"name":"bad","namespace":"x"},"status":{"phase":7},"data":7,"spec":7}"#
  var key: ObjectKey { ObjectKey(namespace: "x", name: "bad") }

  @Test("are listed beside the others, with their metadata and the field that is wrong")
  func lenient() async throws {
    let list = try await client(list(good, bad, #"{"metadata":{"name":1}}"#)).listLeniently(
      Lease.self, namespace: nil, labels: nil, fields: nil)
    #expect(list.resourceVersion == "9")
    #expect(list.items.count == 3)
    #expect(list.items[0] == .whole(Lease(metadata: ObjectMeta(name: "good", namespace: "x"))))
    guard case .unreadable(let object) = list.items[1], case .unreadable(let nameless) = list.items[2] else {
      Issue.record("\(list.items)")
      return
    }
    #expect(object.key == key)
    #expect(object.problem.hasSuffix("at spec"))
    #expect(nameless.key == nil && nameless.problem.hasSuffix("at metadata.name"))
  }

  @Test("of pods, Jobs and ConfigMaps something stands for them that permits nothing")
  func remains() async throws {
    let pods = try await client(list(good, bad)).list(Pod.self).items
    #expect(pods.map(\.metadata.name) == ["good", "bad"])
    #expect(pods.allSatisfy { $0.status == nil })
    #expect(try await client(list(bad)).list(Job.self).items.map(\.metadata.name) == ["bad"])
    #expect(try await client(list(bad)).list(ConfigMap.self).items.map(\.metadata.name) == ["bad"])
    #expect(try await client(bad).get(Pod.self, key).metadata.name == "bad")
  }

  @Test("of other types make a list fail whose caller cannot do without them, naming object and field")
  func strict() async throws {
    let error = await #expect(throws: APIError.self) { try await client(list(good, bad)).list(Lease.self) }
    #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("Lease x/bad cannot be read: "))
    await #expect(throws: APIError.self) { try await client(list(#"{"metadata":{}}"#)).list(Pod.self) }
  }

  @Test("are told by a watch, which goes on", arguments: ["ADDED", "MODIFIED", "DELETED"])
  func watched(_ type: String) async throws {
    let lines = [bad, good].map { #"{"type":"\#(type)","object":\#($0)}"# + "\n" }.joined()
    let stream = try await client(lines).watch(
      Lease.self, namespace: nil, labels: nil, fields: nil, from: "1", timeout: .seconds(60))
    let events = await stream.reduce(into: [WatchEvent<Lease>]()) { $0.append($1) }
    #expect(events.count == 2)
    guard case .unreadable(let object, let isDeleted) = events.first else {
      Issue.record("\(events)")
      return
    }
    #expect(object.key == key && isDeleted == (type == "DELETED"))
  }

  @Test("are so when they are nested too deeply for any decoder, which the error says, with the place")
  func deep() async throws {
    let nest = String(repeating: #"{"a":"#, count: 600) + "1" + String(repeating: "}", count: 600)
    let deep = #"{"metadata":{"name":"bad","namespace":"x","managedFields":[\#(nest)]},"spec":{"x":\#(nest)}}"#
    let list = try await client(list(good, deep)).listLeniently(Lease.self, namespace: nil, labels: nil, fields: nil)
    guard case .unreadable(let object) = list.items.last else {
      Issue.record("\(list.items)")
      return
    }
    #expect(object.key == key)
    #expect(object.problem.contains("nested more than 512 levels deep"))
  }

  @Test(
    "a name that no object can have is not found, instead of leading elsewhere",
    arguments: ["", ".", "..", "a/b", "../pods/x", "a%2Fb"])
  func names(_ name: String) async throws {
    let transport = ScriptedTransport([.response(200, list(good))])
    let client = KubernetesClient(transport: transport, time: ManualTime())
    let error = await #expect(throws: APIError.self) {
      try await client.get(Job.self, ObjectKey(namespace: "x", name: name))
    }
    #expect(error?.isNotFound == true)
    let deletion = await #expect(throws: APIError.self) {
      try await client.delete(Job.self, ObjectKey(namespace: "x", name: name))
    }
    #expect(deletion?.isNotFound == true)
    #expect(transport.requests.isEmpty)
  }
}
