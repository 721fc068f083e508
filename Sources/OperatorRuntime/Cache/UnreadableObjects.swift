// Which objects cannot be read at present, and telling people of them: in the log, by a metric, and by an Event on each.
//
// Each is told of once, and again when something else is wrong with it. Events are for whoever leads to write; until
// `tell(by:)` is called they are kept back, for the caches fill before that.

package import KubernetesModel
import Logging
import Synchronization

/// The objects that no cache can show. One for all caches of a process.
package final class UnreadableObjects: Sendable {
  private struct State {
    var objects: [ResourceType: [StoreSource: [ObjectKey: UnreadableObject]]] = [:]
    /// Those without a readable name, of the latest list.
    var nameless: [ResourceType: [StoreSource: Int]] = [:]
    var recorder: EventRecorder?
  }

  private let state = Mutex(State())
  private let metrics: MetricsRegistry

  /// Counts in `metrics`.
  package init(metrics: MetricsRegistry) { self.metrics = metrics }

  /// All of them, in no order.
  package var all: [UnreadableObject] {
    state.withLock { $0.objects.values.flatMap { $0.values.flatMap(\.values) } }
  }

  /// Tells of all that are known, and from now on of each that comes, by Events.
  package func tell(by recorder: EventRecorder) {
    let known = state.withLock { state in
      state.recorder = recorder
      return state.objects.values.flatMap { $0.values.flatMap(\.values) }
    }
    for object in known { Self.record(object, recorder) }
  }

  // MARK: What reflectors do

  /// Takes what a complete list shows.
  func replace(_ resource: ResourceType, _ source: StoreSource, with objects: [UnreadableObject], _ logger: Logger) {
    let keyed = Dictionary(
      objects.compactMap { object in object.key.map { ($0, object) } }, uniquingKeysWith: { $1 })
    let nameless = objects.filter { $0.key == nil }
    change(resource, logger) { state in
      let known = state.objects[resource]?[source] ?? [:]
      let wasNameless = state.nameless[resource]?[source] ?? 0
      state.objects[resource, default: [:]][source] = keyed
      state.nameless[resource, default: [:]][source] = nameless.count
      return keyed.values.filter { known[$0.resolvedKey]?.problem != $0.problem }
        + (nameless.count > wasNameless ? nameless : [])
    }
  }

  /// Takes one that a watch shows.
  func note(_ resource: ResourceType, _ source: StoreSource, _ object: UnreadableObject, _ logger: Logger) {
    change(resource, logger) { state in
      guard let key = object.key else {
        state.nameless[resource, default: [:]][source, default: 0] += 1
        return [object]
      }
      let known = state.objects[resource, default: [:]][source, default: [:]].updateValue(object, forKey: key)
      return known?.problem == object.problem ? [] : [object]
    }
  }

  /// Notes that the object of this key can be read, or is gone.
  func clear(_ resource: ResourceType, _ source: StoreSource, _ key: ObjectKey, _ logger: Logger) {
    guard state.withLock({ $0.objects[resource]?[source]?[key] != nil }) else { return }
    change(resource, logger) { state in
      state.objects[resource]?[source]?[key] = nil
      return []
    }
  }

  private func change(
    _ resource: ResourceType, _ logger: Logger, _ body: (inout State) -> [UnreadableObject]
  ) {
    let (news, recorder) = state.withLock { state in
      let news = body(&state)
      let named = state.objects[resource]?.values.reduce(0) { $0 + $1.count } ?? 0
      let nameless = state.nameless[resource]?.values.reduce(0, +) ?? 0
      gauge(resource).set(Double(named + nameless))
      return (news, state.recorder)
    }
    for object in news {
      logger.warning(
        "an object cannot be read, going on without it",
        metadata: [
          "object": "\(object.resource.kind) \(object.key.map { "\($0)" } ?? "?")", "error": "\(object.problem)",
        ])
      if let recorder { Self.record(object, recorder) }
    }
  }

  /// The number of objects of this type that cannot be read.
  private func gauge(_ resource: ResourceType) -> Gauge {
    metrics.gauge(
      "reflector_unreadable_objects", "Objects that cannot be read at present.", labels: ["resource": resource.plural])
  }

  /// Registers the metric of a type, so that it is there, and 0, before anything is wrong.
  func register(_ resource: ResourceType) { _ = gauge(resource) }

  private static func record(_ object: UnreadableObject, _ recorder: EventRecorder) {
    guard let reference = object.reference else { return }
    recorder.record(
      .warning, regarding: reference, reason: "Unreadable", action: "Read",
      note: "bucket-sync cannot read this object: \(object.problem); correct it, or delete it")
  }
}

extension UnreadableObject {
  fileprivate var resolvedKey: ObjectKey { key ?? ObjectKey(namespace: nil, name: "") }
}
