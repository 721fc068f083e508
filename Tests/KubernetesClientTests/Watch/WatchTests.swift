import FoundationEssentials
import KubernetesModel
import Testing

@testable import KubernetesClient

@Suite("Watching")
struct WatchTests {
  func events(_ answer: ScriptedTransport.Answer) async throws -> [WatchEvent<ConfigMap>] {
    let client = KubernetesClient(transport: ScriptedTransport([answer]), time: ManualTime())
    let stream = try await client.watch(
      ConfigMap.self,
      namespace: "default",
      labels: nil,
      fields: nil,
      from: "5",
      timeout: .seconds(60)
    )
    return await stream.reduce(into: []) { $0.append($1) }
  }

  func line(_ type: String, _ object: String) -> String { #"{"type":"\#(type)","object":\#(object)}"# + "\n" }
  let one = ConfigMap(metadata: ObjectMeta(name: "one"))
  let json = #"{"metadata":{"name":"one"}}"#

  @Test("each kind of event is told apart, and a watch that ends in good order just ends")
  func kinds() async throws {
    let body =
      line("ADDED", json) + line("MODIFIED", json) + line("DELETED", json)
      + line("BOOKMARK", #"{"metadata":{"resourceVersion":"9","creationTimestamp":null}}"#)
    #expect(
      try await events(.response(200, body)) == [
        .added(one), .modified(one), .deleted(one), .bookmark(resourceVersion: "9"),
      ]
    )
  }

  @Test("an error in the stream ends it, and says whether to list again")
  func inStreamError() async throws {
    let status = #"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#
    let all = try await events(.response(200, line("ERROR", status) + line("ADDED", json)))
    #expect(all.count == 1)
    guard case .failed(let error) = all.first else {
      Issue.record("not failed")
      return
    }
    #expect(error.isExpired)
  }

  @Test("a refusal by status code is thrown, with what the server said")
  func refused() async throws {
    let error = await #expect(throws: APIError.self) {
      try await events(.response(410, #"{"reason":"Expired","message":"too old"}"#))
    }
    #expect(error?.isExpired == true)
    #expect(error.map { "\($0)" } == "GET /api/v1/namespaces/default/configmaps: too old")
  }

  @Test(
    "what cannot be read ends the watch with the reason",
    arguments: [
      (#"{"type":"BOOKMARK","object":{"metadata":{}}}"# + "\n", "resourceVersion is missing at object.metadata"),
      (#"{"type":"WHAT","object":{}}"# + "\n", "unknown watch event type WHAT at type"),
    ]
  )
  func unreadable(body: String, reason: String) async throws {
    let summary = "GET /api/v1/namespaces/default/configmaps"
    #expect(
      try await events(.response(200, body)) == [.failed(.malformed("\(summary): unreadable watch event: \(reason)"))]
    )
  }

  @Test("a watch that is cut within an event has failed")
  func cut() async throws {
    let all = try await events(.response(200, line("ADDED", json) + #"{"type":"ADD"#))
    #expect(all.first == .added(one))
    guard case .failed(.unreachable) = all.last else {
      Issue.record("not failed")
      return
    }
  }
}
