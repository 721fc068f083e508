// One watch of one process: the changes it is told of, in order, a little later — unless a fault says otherwise.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport

/// A watch that is open.
final class WatchFeed {
  private unowned let world: World
  private unowned let connection: SimulatedConnection
  private let collection: ResourcePath
  private let selector: LabelSelector
  private let limit: Duration
  private let continuation: AsyncThrowingStream<Data, any Error>.Continuation
  /// When the last line arrives that was sent: lines of one watch keep their order.
  private var lastArrival: Duration = .zero
  private var told = 0
  /// A line that is told after the next one.
  private var kept: Data?
  private var isOver = false

  private static let wire = Duration.microseconds(300)...Duration.milliseconds(15)

  init(
    world: World, connection: SimulatedConnection, collection: ResourcePath, _ request: APIRequest,
    _ continuation: AsyncThrowingStream<Data, any Error>.Continuation
  ) {
    self.world = world
    self.connection = connection
    self.collection = collection
    self.continuation = continuation
    selector = LabelSelector(request.value("labelSelector"))
    limit = .seconds(Int(request.value("timeoutSeconds") ?? "") ?? 1800)
  }

  /// Tells what was missed since `version`.
  /// - Returns: Whether the watch goes on.
  func begin(after version: String) -> Bool {
    do throws(Refusal) {
      for change in try world.server.changes(after: version, in: collection) { tell(change) }
    } catch {
      send(type: "ERROR", error.status)
      end(nil)
      return false
    }
    world.agenda.after(limit) { [weak self] in
      // The last word is from where to go on.
      self?.bookmark()
      self?.end(nil)
    }
    return true
  }

  func tell(_ change: ServerChange) {
    guard !isOver, change.path.isWithin(collection), let kind = change.seen(through: selector) else { return }
    told = change.revision
    let line = Self.line(kind.rawValue, world.server.encoded(change.object))
    let fault = connection.nextEventFault
    switch fault {
    case nil: send(line)
    case .dropEvent: world.timeline.note("\(connection.process) does not hear of \(change.summary)")
    case .dropEventAndCut: end(TransportError(.noAnswer, "the connection broke"))
    case .duplicateEvent:
      send(line)
      send(line)
    case .reorderEvents:
      // Until the second of the two has been told.
      guard let first = kept else { return keep(line) }
      kept = nil
      send(line)
      send(first)
    default: send(line)
    }
    connection.nextEventFault = nil
  }

  /// Says that nothing up to now is missing, if there is something to say.
  func bookmark() {
    guard !isOver, kept == nil, told < world.server.state.revision else { return }
    told = world.server.state.revision
    send(type: "BOOKMARK", ["metadata": ["resourceVersion": .string("\(told)")]])
  }

  /// Ends the watch, by `error` or in good order, after everything that was sent.
  func end(_ error: (any Error)?) {
    guard !isOver else { return }
    isOver = true
    connection.forget(self)
    // What was kept back is lost with the connection; in good order nothing is.
    if error == nil, let line = kept { send(line) }
    kept = nil
    let continuation = continuation
    arrive { if let error { continuation.finish(throwing: error) } else { continuation.finish() } }
  }

  /// Holds a line back until the next one has been told, but not for ever.
  private func keep(_ line: Data) {
    kept = line
    world.agenda.after(.seconds(2)) { [weak self] in
      guard let self, let line = kept else { return }
      kept = nil
      connection.nextEventFault = nil
      send(line)
    }
  }

  private func send(type: String, _ object: JSONValue) { send(Self.line(type, (try? JSON.encode(object)) ?? Data())) }

  private func send(_ line: Data) {
    let continuation = continuation
    arrive { continuation.yield(line) }
  }

  /// Has `body` happen at the other end, after everything that was sent before.
  private func arrive(_ body: @escaping () -> Void) {
    let earliest = max(world.agenda.now + world.chance.duration(in: Self.wire), connection.silentUntil)
    // A microsecond later than the one before, because the agenda does not keep the order of what is due at once.
    lastArrival = max(earliest, lastArrival + .microseconds(1))
    world.agenda.after(lastArrival - world.agenda.now, body)
  }

  private static func line(_ type: String, _ object: Data) -> Data {
    Data("{\"type\":\"\(type)\",\"object\":".utf8) + object + Data("}\n".utf8)
  }
}

extension ServerChange {
  /// `modified bucketsyncs default/nightly @1034`
  var summary: String {
    let place = [path.namespace, path.name].compactMap(\.self).joined(separator: "/")
    return "\(kind.rawValue.lowercased()) \(path.plural) \(place) @\(revision)"
  }
}
