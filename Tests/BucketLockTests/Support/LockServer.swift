// An API server in memory that knows ConfigMaps, with their versions and preconditions, and can be told to fail.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import OperatorRuntime
import Synchronization

final class LockServer: APITransport {
  /// What happens to one request.
  enum Fault: Sendable, CaseIterable {
    /// It is lost on its way to the server.
    case lostRequest
    /// It takes effect, but its answer is lost.
    case lostAnswer
    /// It takes effect, and the server answers with an error nevertheless.
    case timeoutAnswer
  }

  private struct State {
    var version = 100
    var nextUID = 1
    var objects: [String: ConfigMap] = [:]
    var stores: [ObjectStore<ConfigMap>] = []
    /// Changes that the watch has not told yet; `nil` while it tells them at once.
    var untold: [@Sendable (ObjectStore<ConfigMap>) -> Void]?
    var requests: [String] = []
    var faults: [Int: Fault] = [:]
    var refusal: APIResponse?
  }

  private let state = Mutex(State())
  private let source: StoreSource
  private let root: String
  /// Called before each request, so that tests can mix those of several tasks.
  private let pause: @Sendable () async -> Void

  init(namespace: String, pause: @escaping @Sendable () async -> Void = {}) {
    source = StoreSource(namespace: namespace)
    root = ConfigMap.resource.path(namespace: namespace)
    self.pause = pause
  }

  // MARK: What tests do

  /// All requests so far, as `POST` or `DELETE bucket-sync-lock-…`.
  var requests: [String] { state.withLock { $0.requests } }
  var objects: [ConfigMap] { state.withLock { $0.objects.sorted { $0.key < $1.key }.map(\.value) } }

  func object(_ name: String) -> ConfigMap? { state.withLock { $0.objects[name] } }

  /// The request with this number, counted from now and from 0, suffers this fault.
  func fail(request number: Int, _ fault: Fault) { state.withLock { $0.faults[$0.requests.count + number] = fault } }

  /// All requests get this answer.
  func refuse(with refusal: APIResponse?) { state.withLock { $0.refusal = refusal } }

  /// Puts an object there, or changes it, as somebody else would.
  func put(_ configMap: ConfigMap) { _ = state.withLock { commit(configMap, &$0) } }

  /// Takes an object away, as somebody else would.
  func remove(_ name: String) { state.withLock { delete(name, &$0) } }

  /// From now on all requests arrive and are answered.
  func heal() { state.withLock { $0.faults = [:] } }

  /// Fills `store` from now on, as a reflector does.
  func feed(_ store: ObjectStore<ConfigMap>) {
    store.addSource(source)
    state.withLock { state in
      state.stores.append(store)
      let labelled = state.objects.values.filter(isWatched)
      store.replace(source, with: Array(labelled), version: "\(state.version)")
    }
  }

  /// Keeps the watch silent until ``deliver()``.
  func holdWatch() { state.withLock { $0.untold = $0.untold ?? [] } }

  /// Tells all that the watch has kept back.
  func deliver() {
    state.withLock { state in
      for change in state.untold ?? [] { state.stores.forEach(change) }
      state.untold = nil
    }
  }

  // MARK: APITransport

  func send(_ request: APIRequest) async throws -> APIResponse {
    await pause()
    try Task.checkCancellation()
    return try state.withLock { state in
      let fault = state.faults.removeValue(forKey: state.requests.count)
      let name = String(request.path.dropFirst(root.count).drop { $0 == "/" })
      state.requests.append("\(request.method.rawValue) \(name)")
      if let refusal = state.refusal { return refusal }
      if fault == .lostRequest { throw TransportError(.notSent, "lost request") }
      let response = try answer(request, name, &state)
      switch fault {
      case .lostAnswer: throw TransportError(.noAnswer, "lost answer")
      case .timeoutAnswer: return refusal(504, "Timeout", "request did not complete within the allowed duration")
      default: return response
      }
    }
  }

  func stream(_ request: APIRequest) async throws -> APIStream { throw TransportError(.notSent, "no streams here") }

  private func answer(_ request: APIRequest, _ name: String, _ state: inout State) throws -> APIResponse {
    switch request.method {
    case .get:
      guard let object = state.objects[name] else { return refusal(404, "NotFound", "\(name) not found") }
      return success(object)
    case .post:
      let object = try JSON.decode(ConfigMap.self, from: request.body ?? Data())
      guard state.objects[object.metadata.name] == nil else { return refusal(409, "AlreadyExists", "exists") }
      return success(commit(object, &state))
    case .delete:
      guard let object = state.objects[name] else { return refusal(404, "NotFound", "\(name) not found") }
      let wanted = try JSON.decode(JSONValue.self, from: request.body ?? Data())["preconditions"]
      let has: JSONValue = [
        "uid": .string(object.metadata.uid ?? ""), "resourceVersion": .string(object.metadata.resourceVersion ?? ""),
      ]
      guard wanted == has else { return refusal(409, "Conflict", "the preconditions do not hold") }
      delete(name, &state)
      return success(object)
    case .patch:
      guard var object = state.objects[name] else { return refusal(404, "NotFound", "\(name) not found") }
      let patch = try JSON.decode(JSONValue.self, from: request.body ?? Data())
      guard patch["metadata"]["resourceVersion"].string == object.metadata.resourceVersion else {
        return refusal(409, "Conflict", "the object has been modified")
      }
      for (key, value) in patch["data"].object ?? [:] { object.data?[key] = value.string }
      return success(commit(object, &state))
    case .put:
      return refusal(405, "MethodNotAllowed", "locks are never replaced")
    }
  }

  private func commit(_ configMap: ConfigMap, _ state: inout State) -> ConfigMap {
    var object = configMap
    state.version += 1
    object.metadata.resourceVersion = "\(state.version)"
    object.metadata.uid = state.objects[object.metadata.name]?.metadata.uid ?? "uid-\(state.nextUID)"
    state.nextUID += 1
    state.objects[object.metadata.name] = object
    let stored = object
    if isWatched(stored) { tell(&state) { [source] in $0.apply(source, stored) } }
    return stored
  }

  private func delete(_ name: String, _ state: inout State) {
    guard var object = state.objects.removeValue(forKey: name) else { return }
    state.version += 1
    object.metadata.resourceVersion = "\(state.version)"
    let last = object
    if isWatched(last) { tell(&state) { [source] in $0.delete(source, last) } }
  }

  private func tell(_ state: inout State, _ change: @escaping @Sendable (ObjectStore<ConfigMap>) -> Void) {
    if state.untold != nil {
      state.untold?.append(change)
    } else {
      state.stores.forEach(change)
    }
  }

  private func isWatched(_ configMap: ConfigMap) -> Bool { !(configMap.metadata.labels ?? [:]).isEmpty }
}

private func success(_ object: ConfigMap) -> APIResponse {
  APIResponse(statusCode: 200, body: (try? JSON.encode(object)) ?? Data())
}

func refusal(_ code: Int, _ reason: String, _ message: String, cause: String? = nil) -> APIResponse {
  var status: JSONValue = [
    "kind": "Status", "code": .integer(Int64(code)), "reason": .string(reason), "message": .string(message),
  ]
  if let cause { status["details"]["causes"] = [["reason": .string(cause)]] }
  return APIResponse(statusCode: code, body: (try? JSON.encode(status)) ?? Data())
}
