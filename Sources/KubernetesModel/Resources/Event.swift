// Events: what `kubectl describe` and `kubectl get events` tell people about an object.

/// `events.k8s.io/v1 Event`.
public struct Event: KubernetesObject, Hashable {
  public static let resource = ResourceType(group: "events.k8s.io", version: "v1", kind: "Event", plural: "events")

  /// `events.k8s.io/v1 EventSeries`: that the same thing happened again.
  public struct Series: Sendable, Hashable, Codable {
    /// How often it has happened in all, 2 at least.
    public var count: Int
    public var lastObservedTime: MicroTimestamp

    /// A series of `count` occurrences.
    public init(count: Int, lastObservedTime: MicroTimestamp) {
      self.count = count
      self.lastObservedTime = lastObservedTime
    }
  }

  public var metadata: ObjectMeta
  /// When it happened first.
  public var eventTime: MicroTimestamp?
  public var series: Series?
  /// Who reports, `example.com/controller-name`.
  public var reportingController: String?
  /// Which instance of it, usually the pod's name.
  public var reportingInstance: String?
  /// What was done or failed to be done, one CamelCase word.
  public var action: String?
  /// Why, one CamelCase word.
  public var reason: String?
  public var regarding: ObjectReference?
  public var related: ObjectReference?
  /// A sentence for people, 1024 bytes at most.
  public var note: String?
  /// `Normal` or `Warning`.
  public var type: String?

  /// An event with just its metadata.
  public init(metadata: ObjectMeta) { self.metadata = metadata }
}
