// Does on a real server what a trace says, one operation after the other, and compares what the two say and tell.

import KubernetesClient
import KubernetesModel
import TestSupport

/// What came of one or more traces.
struct ReplayResult {
  var traces = 0
  var operations = 0
  var refusals = 0
  var events = 0
  /// Each with the line of the trace and both answers.
  var differences: [String] = []
}

/// Replays traces on a server that nobody else uses.
struct Replayer {
  let server: RealServer

  func replay(_ trace: Trace, into result: inout ReplayResult) async throws {
    var run = ReplayedTrace(server: server, trace: trace)
    result.differences += try await run.go().map { "\(trace.title): \($0)" }
    result.traces += 1
    result.operations += trace.operations.count
    result.refusals += trace.operations.filter { $0.code >= 400 }.count
    result.events += run.events
    try await server.clean()
  }
}

private struct ReplayedTrace {
  let server: RealServer
  let trace: Trace
  var names = Correspondence()
  var events = 0
  var found: [String] = []

  mutating func go() async throws -> [String] {
    let watched = trace.collections.union(RealServer.resources.map(Collection.all))
      // Whose selector names a UID is known only when it is too late to watch it.
      .filter { $0.labels?.contains("uid-") != true }
    var watches: [(Collection, RealWatch)] = []
    for collection in watched { watches.append((collection, try await server.watch(collection))) }
    let start = try await server.revision()
    for operation in trace.operations { try await replay(operation) }
    let end = try await server.revision()
    // For what a watch might tell beyond what is expected of it.
    try await Task.sleep(for: .milliseconds(20))
    for (collection, watch) in watches { try await compare(collection, watch, start, end) }
    return found
  }

  // MARK: Answers

  private mutating func replay(_ operation: Operation) async throws {
    let call = operation.call
    var real = try await server.send(
      call.method, names.real(call.path.text),
      query: call.query.map { .init($0.name, names.real($0.value)) }, body: names.real(call.body),
      contentType: call.contentType)
    if call.path.subresource == "binding", real.code == 201 {
      // The answer is a Status.
      real.body = try await server.send(.get, names.real(call.path.object.text)).body
    }
    let differences = differences(operation, real.code, real.body)
    guard !differences.isEmpty else { return }
    report("line \(operation.number)", operation.line, "\(real.code) \(real.body.text)", differences)
  }

  private mutating func report(_ place: String, _ model: String, _ real: String, _ differences: [Difference]) {
    let fields = differences.map { "  \($0.field): the model has \($0.model), the real server \($0.real)" }
    found.append(([place, "  model  \(model)", "  real   \(real)"] + fields).joined(separator: "\n"))
  }

  private mutating func differences(_ operation: Operation, _ code: Int, _ body: JSONValue) -> [Difference] {
    guard operation.code == code else {
      return [Difference("status code", "\(operation.code)", "\(code)")]
    }
    switch operation.answer {
    case .failure(let refusal):
      let reason = body["reason"].string ?? ""
      return reason == refusal.reason ? [] : [Difference("reason", refusal.reason, reason)]
    case .success(let object):
      let path = operation.call.path
      if path.name == nil, operation.call.method == .get { return differences(lists: object, body, in: path) }
      if operation.call.method == .delete, body["kind"] == "Status" || operation.hasRemoved {
        return isRemoval(body) == operation.hasRemoved
          ? [] : [Difference("the object", operation.hasRemoved ? "is gone" : "waits", body.text)]
      }
      return differences(path, object, body)
    }
  }

  /// Whether the answer to a deletion says that the object is gone.
  private func isRemoval(_ answer: JSONValue) -> Bool {
    if answer["kind"] == "Status" { return true }
    return answer["metadata"]["finalizers"].isNull
      && (answer["metadata"]["deletionGracePeriodSeconds"].integer ?? 0) == 0
  }

  private mutating func differences(_ path: ResourcePath, _ model: JSONValue, _ real: JSONValue) -> [Difference] {
    names.learn(model, real) + Comparison.differences(path, names.real(model), real)
  }

  private mutating func differences(
    lists model: JSONValue, _ real: JSONValue, in path: ResourcePath
  ) -> [Difference] {
    func byName(_ list: JSONValue) -> [String: JSONValue] {
      let items = (list["items"].array ?? []).filter {
        RealServer.namespaces.contains($0["metadata"]["namespace"].string ?? "")
      }
      return Dictionary(items.map { ("\($0["metadata"]["namespace"].string ?? "")/\(names.real($0.name))", $0) }) { $1 }
    }
    let (own, others) = (byName(model), byName(real))
    guard Set(own.keys) == Set(others.keys) else {
      return [Difference("names", "\(own.keys.sorted())", "\(others.keys.sorted())")]
    }
    return own.sorted { $0.key < $1.key }.flatMap { name, object in
      differences(path, object, others[name] ?? .null).map { Difference("\(name): \($0.field)", $0.model, $0.real) }
    }
  }

  // MARK: Watches

  private mutating func compare(_ collection: Collection, _ watch: RealWatch, _ start: Int, _ end: Int) async throws {
    let told = trace.history.compactMap { change in
      collection.sees(change).map { (kind: $0, change: change) }
    }
    let real = try await watch.take(after: start, to: end, atLeast: told.count)
    events += real.count
    let place = "watch of \(collection.path.text) \(collection.labels ?? "")"
    for index in 0..<max(told.count, real.count) {
      guard index < told.count, index < real.count else {
        let rest = index < told.count ? told[index...].map(\.change.summary) : real[index...].map(\.summary)
        found.append("\(place): only the \(index < told.count ? "model" : "real server") tells \(rest)")
        return
      }
      let (kind, change, event) = (told[index].kind, told[index].change, real[index])
      let key = ObjectKey(namespace: change.path.namespace, name: names.real(change.path.name ?? ""))
      let summary = "\(kind.rawValue) \(key.namespace ?? "")/\(key.name)"
      guard summary == event.summary else {
        found.append("\(place), event \(index): the model tells \(summary), the real server \(event.summary)")
        return
      }
      let differences = differences(change.path, change.object, event.object)
      if !differences.isEmpty {
        report("\(place), event \(index), \(change.summary)", change.object.text, event.object.text, differences)
      }
    }
  }
}
