// One operation on the model server: a request as it would be made of a real one, the model's answer, and what it changed.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport

/// What somebody asked of the model server, and what came of it.
struct Operation {
  /// The line of the trace, from 1.
  var number: Int
  var time: Duration
  var actor: Actor
  var call: ServerCall
  var answer: Result<JSONValue, Refusal>
  var changes: [ServerChange]

  /// The status code of the answer.
  var code: Int {
    switch answer {
    case .success: call.method == .post ? 201 : 200
    case .failure(let refusal): refusal.code
    }
  }

  /// The body of the answer.
  var body: JSONValue {
    switch answer {
    case .success(let object): object
    case .failure(let refusal): refusal.status
    }
  }

  /// Whether the object is gone by it.
  var hasRemoved: Bool { changes.contains { $0.kind == .deleted } }

  /// The operation as a line of JSON.
  var line: String {
    var json: JSONValue = [
      "line": .integer(Int64(number)), "at": .string(Timeline.format(time)), "by": .string("\(actor)"),
      "method": .string(call.method.rawValue), "path": .string(call.path.text),
      "status": .integer(Int64(code)), "answer": body,
    ]
    for item in call.query { json["query"][item.name] = .string(item.value) }
    if let type = call.contentType { json["contentType"] = .string(type) }
    if !call.body.isNull { json["body"] = call.body }
    if !changes.isEmpty { json["changes"] = .array(changes.map { .string($0.summary) }) }
    return (try? JSON.encode(json)).map { String(decoding: $0, as: UTF8.self) } ?? "\(call)"
  }
}

/// Everything that was asked of the model server of one world, in the order in which it took effect.
final class Trace {
  let title: String
  private(set) var operations: [Operation] = []
  private var changes: [ServerChange] = []

  /// Keeps what happens at `server` from now on.
  init(title: String, server: ModelServer, agenda: Agenda) {
    self.title = title
    server.observe { [unowned self] change, _ in changes.append(change) }
    server.onOperation = { [unowned self] call, actor, answer in
      let number = operations.count + 1
      operations.append(
        Operation(number: number, time: agenda.now, actor: actor, call: call, answer: answer, changes: changes))
      changes = []
    }
  }

  /// Lives the world of `item` and keeps what happens at its server.
  convenience init(of item: Case) {
    let world = World(item.scenario, seed: item.seed, plan: item.plan)
    let faults = item.plan.faults.isEmpty ? "" : ", faults \(item.plan)"
    self.init(
      title: "\(item.scenario.name), seed \(item.seed)\(faults)", server: world.server, agenda: world.agenda)
    _ = world.live()
  }

  /// All changes, in order.
  var history: [ServerChange] { operations.flatMap(\.changes) }

  /// The collections that were listed, each by the selectors with which somebody did.
  var collections: Set<Collection> {
    Set(operations.filter { $0.call.method == .get && $0.call.path.name == nil }.map { Collection($0.call) })
  }
}

/// What can be listed and watched.
struct Collection: Hashable {
  var path: ResourcePath
  var labels: String?
  var fields: String?

  init(path: ResourcePath) { self.path = path }

  init(_ call: ServerCall) {
    path = call.path
    labels = call.value("labelSelector")
    fields = call.value("fieldSelector")
  }

  /// All objects of a type.
  static func all(_ type: ResourceType) -> Collection {
    var path = ResourcePath(type, ObjectKey(namespace: nil, name: ""))
    path.name = nil
    return Collection(path: path)
  }

  var query: [APIRequest.QueryItem] {
    [labels.map { .init("labelSelector", $0) }, fields.map { .init("fieldSelector", $0) }].compactMap(\.self)
  }

  /// How a watch of this collection sees a change.
  func sees(_ change: ServerChange) -> ServerChange.Kind? {
    guard change.path.isWithin(path) else { return nil }
    if let fields, change.path.name != String(fields.dropFirst("metadata.name=".count)) { return nil }
    return change.seen(through: LabelSelector(labels))
  }
}
