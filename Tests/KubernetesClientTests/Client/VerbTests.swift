import FoundationEssentials
import KubernetesModel
import Testing

@testable import KubernetesClient

@Suite("The typed verbs")
struct VerbTests {
  let time = ManualTime()
  let key = ObjectKey(namespace: "default", name: "one")
  let map = #"{"metadata":{"name":"one","namespace":"default"}}"#

  func error(_ body: () async throws(APIError) -> Void) async -> APIError? {
    do {
      try await body()
      return nil
    } catch {
      return error
    }
  }

  @Test("a created object says what it is, which custom resources need")
  func manifest() async throws {
    let transport = ScriptedTransport([.response(201, map), .response(201, map)])
    let client = KubernetesClient(transport: transport, time: time)
    let object = ConfigMap(metadata: ObjectMeta(name: "one", namespace: "default"), data: ["a": "b"])
    _ = try await client.create(object, dryRun: true)
    _ = try await client.create(["data": ["a": "b"]], as: ConfigMap.self, namespace: "default")
    let bodies = transport.requests.map { String(decoding: $0.body ?? Data(), as: UTF8.self) }
    #expect(
      bodies == [
        #"{"apiVersion":"v1","data":{"a":"b"},"kind":"ConfigMap","metadata":{"name":"one","namespace":"default"}}"#,
        #"{"apiVersion":"v1","data":{"a":"b"},"kind":"ConfigMap"}"#,
      ]
    )
    #expect(transport.requests[0].query == [.init("dryRun", "All")])
    #expect(transport.requests.map(\.path) == Array(repeating: "/api/v1/namespaces/default/configmaps", count: 2))
  }

  @Test("delete options become preconditions and policies")
  func deleteOptions() throws {
    let options = DeleteOptions(uid: "u", resourceVersion: "7", propagation: .foreground, gracePeriodSeconds: 0)
    #expect(
      try JSONValue(encoding: options) == [
        "apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "propagationPolicy": "Foreground",
        "preconditions": ["uid": "u", "resourceVersion": "7"],
      ]
    )
    #expect(try JSONValue(encoding: DeleteOptions()) == ["apiVersion": "v1", "kind": "DeleteOptions"])
  }

  @Test("a JSON patch spells its operations and escapes the parts of its pointers")
  func jsonPatch() throws {
    let patch = Patch.json([
      .test("/metadata/resourceVersion", "7"),
      .remove(["metadata", "annotations", "example.com/a~b"]),
      .add(["items", "-"], nil),
    ])
    #expect(
      try JSONValue(encoding: patch) == [
        ["op": "test", "path": "/metadata/resourceVersion", "value": "7"],
        ["op": "remove", "path": "/metadata/annotations/example.com~1a~0b"],
        ["op": "add", "path": "/items/-", "value": nil],
      ]
    )
    #expect(patch.contentType == "application/json-patch+json")
  }

  @Test("a list is read page by page, and once more from the start when its token expires")
  func pages() async throws {
    func page(_ name: String, _ next: String?) -> ScriptedTransport.Answer {
      let token = next.map { #","continue":"\#($0)""# } ?? ""
      return .response(
        200,
        #"{"metadata":{"resourceVersion":"9"\#(token)},"items":[{"metadata":{"name":"\#(name)"}}]}"#
      )
    }
    let expired = ScriptedTransport.Answer.response(410, #"{"reason":"Expired"}"#)
    let script = [page("a", "t1"), expired, page("b", "t2"), page("c", nil)]
    let transport = ScriptedTransport(script)
    let list = try await KubernetesClient(transport: transport, time: time)
      .list(ConfigMap.self, labels: "a=b", fields: "metadata.name=x")
    #expect(list.items.map(\.metadata.name) == ["b", "c"])
    #expect(list.resourceVersion == "9")
    #expect(
      transport.requests[3].query == [
        .init("labelSelector", "a=b"), .init("fieldSelector", "metadata.name=x"), .init("limit", "500"),
        .init("continue", "t2"),
      ]
    )
    let twice = KubernetesClient(
      transport: ScriptedTransport([page("a", "t"), expired, page("a", "t"), expired]),
      time: time
    )
    #expect(await error { () throws(APIError) in _ = try await twice.list(ConfigMap.self) }?.isExpired == true)
  }

  @Test("a list without items is empty, also when the server writes null")
  func nullItems() async throws {
    let transport = ScriptedTransport([.response(200, #"{"metadata":{"resourceVersion":"9"},"items":null}"#)])
    #expect(try await KubernetesClient(transport: transport, time: time).list(ConfigMap.self).items.isEmpty)
  }

  @Test("a server that asks for patience is asked again after as long as it said", arguments: [429, 503])
  func retryAfter(status: Int) async throws {
    let transport = ScriptedTransport([
      .response(status, "", headers: ["retry-after": "2"]), .response(status, "", headers: ["retry-after": "3"]),
      .response(201, map),
    ])
    let client = KubernetesClient(transport: transport, time: time)
    _ = try await client.create(ConfigMap(metadata: ObjectMeta(name: "one", namespace: "default")))
    #expect(time.sleeps == [.seconds(2), .seconds(3)])
  }

  @Test(
    "what may have had an effect, or asks for too much patience, is the caller's to repeat",
    arguments: [
      .response(503, ""), .response(500, ""), .response(429, "", headers: ["retry-after": "11"]),
      .failure(TransportError(.noAnswer, "gone")), .failure(TransportError(.timedOut, "late")),
      .failure(TransportError(.notSent, "refused")),
    ] as [ScriptedTransport.Answer]
  )
  func noRetry(answer: ScriptedTransport.Answer) async throws {
    let transport = ScriptedTransport([answer, .response(201, map)])
    let client = KubernetesClient(transport: transport, time: time)
    let object = ConfigMap(metadata: ObjectMeta(name: "one", namespace: "default"))
    #expect(await error { () throws(APIError) in _ = try await client.create(object) } != nil)
    #expect(transport.requests.count == 1)
  }

  @Test("a read that was never sent is tried again, a few times")
  func unsentRead() async throws {
    let refused = ScriptedTransport.Answer.failure(TransportError(.notSent, "refused"))
    let transport = ScriptedTransport([refused, refused, .response(200, map)])
    #expect(try await KubernetesClient(transport: transport, time: time).get(ConfigMap.self, key).key == key)
    let hopeless = ScriptedTransport(Array(repeating: refused, count: 10))
    let client = KubernetesClient(transport: hopeless, time: time)
    let failure = await error { () throws(APIError) in _ = try await client.get(ConfigMap.self, key) }
    #expect(
      failure == .unreachable("GET /api/v1/namespaces/default/configmaps/one: refused", mayHaveApplied: false)
    )
    #expect(hopeless.requests.count == 4)
  }

  @Test("the observer hears of every answer and of every missing one")
  func observer() async throws {
    let (heard, continuation) = AsyncStream.makeStream(of: String.self)
    let transport = ScriptedTransport([
      .response(404, ""), .failure(TransportError(.noAnswer, "gone")), .response(200, map),
    ])
    let client = KubernetesClient(transport: transport, time: time) { label, code, _ in
      continuation.yield("\(label.verb) \(label.resource) \(code)")
    }
    for _ in 0..<3 { _ = try? await client.get(ConfigMap.self, key) }
    continuation.finish()
    #expect(
      await heard.reduce(into: []) { $0.append($1) }
        == ["get configmaps 404", "get configmaps error", "get configmaps 200"]
    )
  }
}
