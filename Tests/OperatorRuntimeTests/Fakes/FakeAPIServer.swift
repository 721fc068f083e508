// An API server in memory, as far as lists, watches, resource versions, conflicts and expired versions go.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Synchronization

final class FakeAPIServer: APITransport {
  /// What a test puts in the way of requests: an answer or an error instead of the real one.
  typealias Fault = @Sendable (APIRequest) throws -> APIResponse?

  private struct Change {
    var revision: Int
    var type: String
    var collection: String
    var object: JSONValue
  }

  private struct Watcher {
    var path: String
    var selector: String?
    var continuation: AsyncThrowingStream<Data, any Error>.Continuation
  }

  private struct State {
    var revision = 100
    var compacted = 0
    var nextUID = 1
    /// Object path to object.
    var objects: [String: JSONValue] = [:]
    var history: [Change] = []
    var watchers: [Int: Watcher] = [:]
    var nextWatcher = 0
    var fault: Fault?
    var requests: [APIRequest] = []
  }

  private let state = Mutex(State())

  // MARK: What tests do to the server

  /// Puts `fault` in the way, or nothing.
  func setFault(_ fault: Fault?) { state.withLock { $0.fault = fault } }

  /// Forgets the past: watches from before are told that their version has expired.
  func compact() { state.withLock { $0.compacted = $0.revision } }

  /// Ends all watches in good order, as the server's timeout does.
  func endWatches() { for watcher in takeWatchers() { watcher.continuation.finish() } }

  /// Breaks the connections of all watches.
  func breakWatches() {
    for watcher in takeWatchers() { watcher.continuation.finish(throwing: TransportError(.noAnswer, "broken")) }
  }

  /// Tells all watches that something is wrong, as one last event.
  func failWatches(code: Int, reason: String) {
    for watcher in takeWatchers() {
      watcher.continuation.yield(line("ERROR", status(code, reason, "the watch failed")))
      watcher.continuation.finish()
    }
  }

  /// Sends a bookmark to all watches.
  func sendBookmarks() {
    state.withLock { state in
      let bookmark = line("BOOKMARK", ["metadata": ["resourceVersion": .string("\(state.revision)")]])
      for watcher in state.watchers.values { watcher.continuation.yield(bookmark) }
    }
  }

  /// Sends the last change of every object once more.
  func repeatLastChange() {
    state.withLock { state in
      if let last = state.history.last { tell(last, to: state.watchers) }
    }
  }

  /// Goes back to an earlier state, as a restored backup does.
  func restore(revision: Int, objects: [any KubernetesObject]) {
    state.withLock { state in
      state.objects = [:]
      state.history = []
      state.compacted = 0
      for object in objects {
        state.revision = revision
        store(object, &state)
      }
      state.revision = revision
    }
  }

  var watcherCount: Int { state.withLock { $0.watchers.count } }
  var revision: Int { state.withLock { $0.revision } }
  var requests: [APIRequest] { state.withLock { $0.requests } }

  /// The objects of a type, in the order of their paths.
  func all<O: KubernetesObject>(_ type: O.Type) throws -> [O] {
    let objects = state.withLock { state in
      state.objects.filter { isWithin($0.key, O.resource.path()) }.sorted { $0.key < $1.key }.map(\.value)
    }
    return try objects.map { try JSON.decode(O.self, from: JSON.encode($0)) }
  }

  // MARK: APITransport

  func send(_ request: APIRequest) async throws -> APIResponse {
    try Task.checkCancellation()
    if let answer = try intercept(request) { return answer }
    return try state.withLock { state in
      switch request.method {
      case .get: state.objects[request.path].map(answer) ?? list(request, state)
      case .post: try create(request, &state)
      case .put, .patch: try change(request, &state)
      case .delete: delete(request, &state)
      }
    }
  }

  func stream(_ request: APIRequest) async throws -> APIStream {
    try Task.checkCancellation()
    if let answer = try intercept(request) {
      let body = AsyncThrowingStream<Data, any Error> { continuation in
        continuation.yield(answer.body)
        continuation.finish()
      }
      return APIStream(statusCode: answer.statusCode, body: body)
    }
    let (body, continuation) = AsyncThrowingStream<Data, any Error>.makeStream()
    let from = Int(request.value("resourceVersion") ?? "") ?? 0
    let isTooOld = state.withLock { state in
      guard from >= state.compacted else { return true }
      let watcher = Watcher(
        path: request.path,
        selector: request.value("labelSelector"),
        continuation: continuation
      )
      for change in state.history where change.revision > from { tell(change, to: [0: watcher]) }
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = watcher
      return false
    }
    if isTooOld {
      continuation.yield(line("ERROR", status(410, "Expired", "too old resource version")))
      continuation.finish()
    }
    return APIStream(statusCode: 200, body: body)
  }

  private func intercept(_ request: APIRequest) throws -> APIResponse? {
    let fault = state.withLock { state in
      state.requests.append(request)
      return state.fault
    }
    return try fault?(request)
  }

  private func takeWatchers() -> [Watcher] {
    state.withLock { state in
      defer { state.watchers = [:] }
      return Array(state.watchers.values)
    }
  }

  // MARK: Verbs

  private func list(_ request: APIRequest, _ state: State) -> APIResponse {
    guard request.value("limit") != nil else { return refusal(404, "NotFound", "\(request.path) not found") }
    let start = Int(request.value("continue") ?? "") ?? 0
    let limit = Int(request.value("limit") ?? "") ?? .max
    let all = state.objects
      .filter { isWithin($0.key, request.path) && fits($0.value, request.value("labelSelector")) }
      .sorted { $0.key < $1.key }.map(\.value)
    let page = all.dropFirst(start).prefix(limit)
    var metadata: JSONValue = ["resourceVersion": .string("\(state.revision)")]
    if start + page.count < all.count { metadata["continue"] = .string("\(start + page.count)") }
    return answer(["metadata": metadata, "items": .array(Array(page))])
  }

  private func create(_ request: APIRequest, _ state: inout State) throws -> APIResponse {
    var object = try JSON.decode(JSONValue.self, from: request.body ?? Data())
    let path = "\(request.path)/\(object["metadata"]["name"].string ?? "")"
    if state.objects[path] != nil { return refusal(409, "AlreadyExists", "\(path) exists") }
    object["metadata"]["uid"] = .string("uid-\(state.nextUID)")
    state.nextUID += 1
    return commit("ADDED", path, object, &state)
  }

  private func change(_ request: APIRequest, _ state: inout State) throws -> APIResponse {
    guard let old = state.objects[request.path] else { return refusal(404, "NotFound", "no \(request.path)") }
    let body = try JSON.decode(JSONValue.self, from: request.body ?? Data())
    let wanted = body["metadata"]["resourceVersion"]
    guard wanted.isNull || wanted == old["metadata"]["resourceVersion"] else {
      return refusal(409, "Conflict", "the object has been modified")
    }
    var new = request.method == .put ? body : merge(body, into: old)
    new["metadata"]["uid"] = old["metadata"]["uid"]
    return commit("MODIFIED", request.path, new, &state)
  }

  private func delete(_ request: APIRequest, _ state: inout State) -> APIResponse {
    guard let old = state.objects[request.path] else { return refusal(404, "NotFound", "no \(request.path)") }
    let answer = commit("DELETED", request.path, old, &state)
    state.objects[request.path] = nil
    return answer
  }

  private func commit(_ type: String, _ path: String, _ object: JSONValue, _ state: inout State) -> APIResponse {
    var object = object
    state.revision += 1
    object["metadata"]["resourceVersion"] = .string("\(state.revision)")
    state.objects[path] = object
    let change = Change(revision: state.revision, type: type, collection: path, object: object)
    state.history.append(change)
    tell(change, to: state.watchers)
    return answer(object)
  }

  private func store(_ object: any KubernetesObject, _ state: inout State) {
    guard let data = try? JSON.encode(object), let value = try? JSON.decode(JSONValue.self, from: data) else { return }
    let path = "\(Swift.type(of: object).resource.path(namespace: object.metadata.namespace))/\(object.metadata.name)"
    state.revision -= 1
    _ = commit("ADDED", path, value, &state)
  }

  // MARK: Details

  private func tell(_ change: Change, to watchers: [Int: Watcher]) {
    for watcher in watchers.values where isWithin(change.collection, watcher.path) {
      guard fits(change.object, watcher.selector) else { continue }
      watcher.continuation.yield(line(change.type, change.object))
    }
  }

  /// Whether the object at `path` belongs to the collection: `/api/v1/configmaps` has those of all namespaces.
  private func isWithin(_ path: String, _ collection: String) -> Bool {
    if path.hasPrefix(collection + "/") { return true }
    let parts = path.split(separator: "/")
    guard let index = parts.firstIndex(of: "namespaces"), index + 2 < parts.count else { return false }
    return "/" + (parts[..<index] + parts[(index + 2)...].dropLast()).joined(separator: "/") == collection
  }

  private func fits(_ object: JSONValue, _ selector: String?) -> Bool {
    guard let selector else { return true }
    return selector.split(separator: ",").allSatisfy { part in
      let pair = part.split(separator: "=", maxSplits: 1)
      return object["metadata"]["labels"][String(pair[0])].string == pair.last.map(String.init)
    }
  }

  private func merge(_ patch: JSONValue, into value: JSONValue) -> JSONValue {
    guard case .object(let members) = patch else { return patch }
    var result: [String: JSONValue] = value.object ?? [:]
    for (name, member) in members { result[name] = member.isNull ? nil : merge(member, into: result[name] ?? .null) }
    return .object(result)
  }
}

private func answer(_ value: JSONValue) -> APIResponse {
  APIResponse(statusCode: 200, body: (try? JSON.encode(value)) ?? Data())
}

func refusal(_ code: Int, _ reason: String, _ message: String) -> APIResponse {
  APIResponse(statusCode: code, body: (try? JSON.encode(status(code, reason, message))) ?? Data())
}

private func status(_ code: Int, _ reason: String, _ message: String) -> JSONValue {
  ["kind": "Status", "code": .integer(Int64(code)), "reason": .string(reason), "message": .string(message)]
}

private func line(_ type: String, _ object: JSONValue) -> Data {
  ((try? JSON.encode(["type": .string(type), "object": object] as JSONValue)) ?? Data()) + Data("\n".utf8)
}

extension APIRequest {
  fileprivate func value(_ name: String) -> String? { query.first { $0.name == name }?.value }
}
