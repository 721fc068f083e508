// The API server of the model: the rules of TestSupport's ServerState (the same that unit tests run on), and everybody
// who listens to its changes. Requests take effect one at a time and are linearizable, as those of Kubernetes are:
// what can be stale is a watch, never the answer to a get or a list.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport

/// Who does something to an object.
enum Actor: Hashable, CustomStringConvertible {
  case process(String)
  case user
  case jobController
  case scheduler
  case kubelet
  case garbageCollector

  var description: String {
    switch self {
    case .process(let name): name
    case .user: "user"
    case .jobController: "job-controller"
    case .scheduler: "scheduler"
    case .kubelet: "kubelet"
    case .garbageCollector: "garbage-collector"
    }
  }
}

/// A request that somebody makes of the model server, its body read.
struct ServerCall {
  var method: APIRequest.Method
  var path: ResourcePath
  var body: JSONValue
  var query: [APIRequest.QueryItem]
  var contentType: String?

  init(
    _ method: APIRequest.Method, _ path: ResourcePath, _ body: JSONValue, query: [APIRequest.QueryItem] = [],
    contentType: String? = nil
  ) {
    self.method = method
    self.path = path
    self.body = body
    self.query = query
    self.contentType = contentType
  }

  func value(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// An API server that takes no time; the network before it does.
final class ModelServer {
  typealias Observer = (ServerChange, Actor) -> Void

  private(set) var state = ServerState()
  private var observers: [Observer] = []
  /// By resource version, which no two states of objects share.
  private var encodings: [String: Data] = [:]
  private let time: VirtualTime
  /// Told of each operation once it has taken effect, whoever asked for it.
  var onOperation: ((ServerCall, Actor, Result<JSONValue, Refusal>) -> Void)?

  init(time: VirtualTime) { self.time = time }

  /// Calls `observer` at each change from now on, in the order in which observers came.
  func observe(_ observer: @escaping Observer) { observers.append(observer) }

  // MARK: Requests

  /// The answer to a request that is no watch.
  func answer(_ request: APIRequest, by actor: Actor) -> APIResponse {
    do {
      return APIResponse(statusCode: request.method == .post ? 201 : 200, body: encoded(try answer(request, actor)))
    } catch let refusal as Refusal {
      return refusal.response
    } catch {
      return Refusal(400, "BadRequest", "\(error)").response
    }
  }

  /// The object as it goes over the wire; each state of an object is written once, however often it is sent.
  func encoded(_ object: JSONValue) -> Data {
    let version = object["metadata"]["resourceVersion"].string ?? ""
    let isObject = !object["metadata"]["uid"].isNull
    if isObject, let data = encodings[version] { return data }
    let data = (try? JSON.encode(object)) ?? Data()
    if isObject { encodings[version] = data }
    return data
  }

  /// The changes after `version`, or all objects if that is empty; a refusal if they are forgotten.
  func changes(after version: String, in collection: ResourcePath) throws(Refusal) -> [ServerChange] {
    guard let start = Int(version) else { throw Refusal(400, "BadRequest", "no resource version: \(version)") }
    guard start >= state.oldestKnown else {
      throw Refusal(410, "Expired", "too old resource version: \(start) (\(state.oldestKnown))")
    }
    return state.history.filter { $0.revision > start && $0.path.isWithin(collection) }
  }

  /// Forgets the past.
  func compact() { state.compact() }

  private func answer(_ request: APIRequest, _ actor: Actor) throws -> JSONValue {
    guard let path = ResourcePath(request.path) else { return try discovery(request.path) }
    let body = try request.body.map { try JSON.decode(JSONValue.self, from: $0) } ?? .null
    return try perform(
      ServerCall(request.method, path, body, query: request.query, contentType: request.contentType), by: actor)
  }

  /// The one way in which anybody does anything to objects.
  @discardableResult
  private func perform(_ call: ServerCall, by actor: Actor) throws(Refusal) -> JSONValue {
    do throws(Refusal) {
      let answer = try effect(of: call, by: actor)
      onOperation?(call, actor, .success(answer))
      return answer
    } catch {
      onOperation?(call, actor, .failure(error))
      throw error
    }
  }

  private func effect(of call: ServerCall, by actor: Actor) throws(Refusal) -> JSONValue {
    let (path, body) = (call.path, call.body)
    let now = Timestamp(time.now)
    switch call.method {
    case .get where path.name == nil:
      let name = call.value("fieldSelector").map { $0.dropFirst("metadata.name=".count) }
      let items = state.list(path, LabelSelector(call.value("labelSelector"))).filter {
        name == nil || $0.name == name.map(String.init)
      }
      return ["metadata": ["resourceVersion": .string("\(state.revision)")], "items": .array(items)]
    case .get: return try state.object(path)
    case .post where path.subresource == "binding":
      return try change(by: actor) { state throws(Refusal) in
        try state.change(path.object) { (old: JSONValue) throws(Refusal) -> JSONValue in
          var new = old
          new["spec"]["nodeName"] = body["target"]["name"]
          return new
        }
      }
    case .post:
      var draft = body
      draft.removeMember("status")
      if path.plural == "pods" { draft["status"] = ["phase": "Pending"] }
      return try change(by: actor) { state throws(Refusal) in try state.create(path, draft, now: now) }
    case .put:
      return try change(by: actor) { state throws(Refusal) in
        try state.change(path) { (_: JSONValue) throws(Refusal) -> JSONValue in body }
      }
    case .patch:
      guard call.contentType == "application/merge-patch+json" else {
        throw Refusal(415, "UnsupportedMediaType", "only merge patches are modelled")
      }
      return try change(by: actor) { state throws(Refusal) in
        try state.change(path, isPatch: true) { (old: JSONValue) throws(Refusal) -> JSONValue in old.merged(with: body)
        }
      }
    case .delete:
      return try change(by: actor) { state throws(Refusal) in try state.delete(path, body, now: now) }
    }
  }

  /// What the operator's preflight asks for: that our two kinds are served.
  private func discovery(_ path: String) throws(Refusal) -> JSONValue {
    guard path == "/apis/\(BucketSyncNames.group)/\(BucketSyncNames.version)" else {
      throw Refusal(404, "NotFound", "no \(path)")
    }
    return [
      "resources": [
        ["name": .string(BucketSyncPolicy.resource.plural)], ["name": .string(BucketSync.resource.plural)],
      ]
    ]
  }

  // MARK: What everybody but the operator does, without a network

  /// Does something to the storage and tells everybody who listens.
  @discardableResult
  func change<Answer>(
    by actor: Actor, _ body: (inout ServerState) throws(Refusal) -> Answer
  ) throws(Refusal) -> Answer {
    let before = state.revision
    let known = state.history.count
    let answer = try body(&state)
    guard state.revision > before else { return answer }
    for change in state.history[known...] {
      for observer in observers { observer(change, actor) }
    }
    return answer
  }

  func create(_ type: ResourceType, _ object: JSONValue, namespace: String?, by actor: Actor) {
    var object = object
    object["apiVersion"] = .string(type.apiVersion)
    object["kind"] = .string(type.kind)
    var collection = ResourcePath(type, ObjectKey(namespace: namespace, name: ""))
    collection.name = nil
    _ = try? perform(ServerCall(.post, collection, object), by: actor)
  }

  /// Changes an object, or its status; nothing happens when there is none.
  func update(
    _ path: ResourcePath, status: Bool = false, by actor: Actor, _ body: (inout JSONValue) -> Void
  ) {
    guard var object = object(path) else { return }
    body(&object)
    var path = path
    path.subresource = status ? "status" : nil
    _ = try? perform(ServerCall(.put, path, object), by: actor)
  }

  /// Has a pod run on a node.
  func bind(_ pod: ResourcePath, to node: String, by actor: Actor) {
    var path = pod
    path.subresource = "binding"
    let target: JSONValue = ["apiVersion": "v1", "kind": "Node", "name": .string(node)]
    let binding: JSONValue = [
      "apiVersion": "v1", "kind": "Binding", "metadata": ["name": .string(pod.name ?? "")], "target": target,
    ]
    _ = try? perform(ServerCall(.post, path, binding), by: actor)
  }

  func delete(_ path: ResourcePath, _ options: JSONValue = ["propagationPolicy": "Background"], by actor: Actor) {
    _ = try? perform(ServerCall(.delete, path, options), by: actor)
  }

  /// Merges a patch into an object; nothing happens when there is none.
  func patch(_ path: ResourcePath, _ patch: JSONValue, by actor: Actor) {
    _ = try? perform(ServerCall(.patch, path, patch, contentType: "application/merge-patch+json"), by: actor)
  }

  /// Does one thing that the garbage collector would do next; whether there was any.
  func collectGarbage() -> Bool {
    let steps = state.nextGarbage()
    for step in steps {
      switch step {
      case .delete(let path, let options): delete(path, options, by: .garbageCollector)
      case .patch(let path, let patch): self.patch(path, patch, by: .garbageCollector)
      }
    }
    return !steps.isEmpty
  }

  // MARK: Looking

  func object(_ path: ResourcePath) -> JSONValue? { state.objects[path] }

  /// All objects of a type, in the order of their names.
  func all(_ type: ResourceType) -> [(path: ResourcePath, object: JSONValue)] {
    state.objects.filter { $0.key.plural == type.plural }.sorted { $0.key < $1.key }
      .map { (path: $0.key, object: $0.value) }
  }
}

extension JSONValue {
  var uid: String { self["metadata"]["uid"].string ?? "" }
  var name: String { self["metadata"]["name"].string ?? "" }
  var isBeingDeleted: Bool { !self["metadata"]["deletionTimestamp"].isNull }
  /// The UID of the controlling owner.
  var controllerUID: String? {
    (self["metadata"]["ownerReferences"].array ?? []).first { $0["controller"] == true }?["uid"].string
  }
  func label(_ key: String) -> String? { self["metadata"]["labels"][key].string }
  /// Whether a condition of this type is true.
  func has(condition type: String) -> Bool {
    (self["status"]["conditions"].array ?? []).contains { $0["type"].string == type && $0["status"] == "True" }
  }
}
