// The real API server that traces are replayed on: requests as they are, watches that stay open, and the broom.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Synchronization
import TestSupport

/// An API server of which nobody else makes use: no controller, no scheduler, no kubelet.
final class RealServer: Sendable {
  /// All that worlds have objects of.
  static let resources: [ResourceType] = [
    BucketSyncPolicy.resource, BucketSync.resource, Job.resource, Pod.resource, ConfigMap.resource, Event.resource,
    Lease.resource,
  ]
  static let namespaces: Set<String> = ["default", World.namespace]

  private let transport: any APITransport
  private let watches = Mutex<[Collection: RealWatch]>([:])

  init(kubeconfig: String?, environment: [String: String]) throws {
    transport = try ClientConfiguration.load(kubeconfig: kubeconfig, environment: environment)
      .transport(userAgent: "bucket-sync-simulator")
  }

  func send(
    _ method: APIRequest.Method, _ path: String, query: [APIRequest.QueryItem] = [], body: JSONValue = .null,
    contentType: String? = nil
  ) async throws -> (code: Int, body: JSONValue) {
    var request = APIRequest(method, path, query: query, label: .init(verb: "replay", resource: "replay"))
    if !body.isNull {
      request.body = try JSON.encode(body)
      request.contentType = contentType ?? "application/json"
    }
    let answer = try await transport.send(request)
    let body = try? JSON.decode(JSONValue.self, from: answer.body)
    return (answer.statusCode, body ?? .string(String(decoding: answer.body, as: UTF8.self)))
  }

  /// The version of everything, now.
  func revision() async throws -> Int {
    let list = try await send(.get, Collection.all(ConfigMap.resource).path.text, query: [.init("limit", "1")]).body
    return Int(list["metadata"]["resourceVersion"].string ?? "") ?? 0
  }

  /// The watch of a collection, opened if it was not.
  func watch(_ collection: Collection) async throws -> RealWatch {
    if let watch = watches.withLock({ $0[collection] }) { return watch }
    var request = APIRequest(
      .get, collection.path.text, query: collection.query, label: .init(verb: "watch", resource: "replay"))
    request.query += [
      .init("watch", "true"), .init("resourceVersion", "\(try await revision())"), .init("timeoutSeconds", "3600"),
    ]
    let stream = try await transport.stream(request)
    guard stream.statusCode == 200 else {
      throw TransportError(.noAnswer, "the watch of \(collection.path.text) is refused: \(stream.statusCode)")
    }
    let watch = RealWatch()
    watch.follow(stream)
    watches.withLock { $0[collection] = watch }
    return watch
  }

  func closeWatches() { for watch in watches.withLock({ $0.values }) { watch.close() } }

  /// Deletes everything that a world has left.
  func clean() async throws {
    for type in Self.resources {
      let items = try await send(.get, Collection.all(type).path.text).body["items"].array ?? []
      for item in items where Self.namespaces.contains(item["metadata"]["namespace"].string ?? "") {
        let path = ResourcePath(
          type, ObjectKey(namespace: item["metadata"]["namespace"].string, name: item.name)
        ).text
        if !item["metadata"]["finalizers"].isNull {
          _ = try await send(
            .patch, path, body: ["metadata": ["finalizers": nil]], contentType: "application/merge-patch+json")
        }
        _ = try await send(.delete, path, body: ["gracePeriodSeconds": 0, "propagationPolicy": "Background"])
      }
    }
  }
}

/// A watch that is open, and what it has told.
final class RealWatch: Sendable {
  struct Event: Sendable {
    var type: String
    var object: JSONValue

    var revision: Int { Int(object["metadata"]["resourceVersion"].string ?? "") ?? 0 }
    var isOfWorld: Bool { RealServer.namespaces.contains(object["metadata"]["namespace"].string ?? "") }
    var summary: String { "\(type) \(object["metadata"]["namespace"].string ?? "")/\(object.name)" }
  }

  private let events = Mutex<[Event]>([])
  private let task = Mutex<Task<Void, Never>?>(nil)

  fileprivate func follow(_ stream: APIStream) {
    let reader = Task {
      var rest = Data()
      do {
        for try await piece in stream.body {
          rest += piece
          while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            tell(rest[rest.startIndex..<end])
            rest = Data(rest[rest.index(after: end)...])
          }
        }
      } catch {}
    }
    task.withLock { $0 = reader }
  }

  fileprivate func close() { task.withLock { $0?.cancel() } }

  private func tell(_ line: Data) {
    guard let json = try? JSON.decode(JSONValue.self, from: line) else { return }
    let event = Event(type: json["type"].string ?? "?", object: json["object"])
    if event.isOfWorld || event.type == "ERROR" { events.withLock { $0.append(event) } }
  }

  /// What was told of the changes up to `revision`, those up to `start` left out, once there are `count` of them or
  /// waiting is in vain.
  func take(after start: Int, to revision: Int, atLeast count: Int) async throws -> [Event] {
    func told(_ events: [Event]) -> [Event] { events.filter { $0.revision > start && $0.revision <= revision } }
    for _ in 0..<200 where events.withLock({ told($0).count }) < count {
      try await Task.sleep(for: .milliseconds(10))
    }
    return events.withLock { events in
      defer { events.removeAll { $0.revision <= revision } }
      return told(events) + events.filter { $0.type == "ERROR" }
    }
  }
}
