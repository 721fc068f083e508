// Metrics: what Prometheus reads from the operator.
//
//     let copied = metrics.counter("bucket_bytes_total", "Bytes copied.", labels: ["policy": "nightly"])
//     copied.increment(by: 4096)
//
// Asking twice for the same name and labels gives the same series. Series live as long as the registry, so a label
// must never take its values from an open set such as object names that come and go: such series are `collected`.

import Synchronization

/// All metrics of one process.
public final class MetricsRegistry: Sendable {
  package enum Kind: String, Sendable { case counter, gauge, histogram }

  /// All series of one name.
  struct Family: Sendable {
    var kind: Kind
    var help: String
    var series: [LabelSet: Series] = [:]
    /// Gives the series anew at each reading.
    var collect: (@Sendable () -> [(labels: [String: String], value: Double)])?
  }

  enum Series: Sendable {
    case number(NumberCell)
    case computed(@Sendable () -> Double)
    case histogram(HistogramCell)
  }

  private let families = Mutex<[String: Family]>([:])

  /// An empty registry.
  public init() {}

  /// A number that only grows.
  public func counter(_ name: String, _ help: String, labels: [String: String] = [:]) -> Counter {
    Counter(cell: numberCell(name, .counter, help, labels))
  }

  /// A number that goes up and down.
  public func gauge(_ name: String, _ help: String, labels: [String: String] = [:]) -> Gauge {
    Gauge(cell: numberCell(name, .gauge, help, labels))
  }

  /// A distribution, counted in buckets with these upper bounds (in growing order; the bucket for all is implied).
  public func histogram(
    _ name: String,
    _ help: String,
    labels: [String: String] = [:],
    bounds: [Double] = Histogram.secondsBounds
  ) -> Histogram {
    let fresh = HistogramCell(bounds: bounds)
    let series = register(name, .histogram, help, labels, .histogram(fresh))
    if case .histogram(let cell) = series { return Histogram(cell: cell) }
    return Histogram(cell: fresh)
  }

  /// A number that is computed whenever somebody reads the metrics; replaces an earlier one of the same labels.
  package func computed(
    _ kind: Kind,
    _ name: String,
    _ help: String,
    labels: [String: String] = [:],
    value: @escaping @Sendable () -> Double
  ) {
    let name = metricName(name)
    families.withLock { families in
      guard families[name].map({ $0.kind == kind }) ?? true else { return }
      families[name, default: Family(kind: kind, help: help)].series[LabelSet(labels)] = .computed(value)
    }
  }

  /// A number for each of many objects, collected whenever somebody reads the metrics: what is gone by then has no
  /// series. Replaces an earlier collection of the same name.
  package func collected(
    _ kind: Kind, _ name: String, _ help: String,
    _ collect: @escaping @Sendable () -> [(labels: [String: String], value: Double)]
  ) {
    let name = metricName(name)
    families.withLock { families in
      guard families[name].map({ $0.kind == kind }) ?? true else { return }
      families[name, default: Family(kind: kind, help: help)].collect = collect
    }
  }

  /// Everything as it is now.
  func snapshot() -> [String: Family] { families.withLock { $0 } }

  private func numberCell(_ name: String, _ kind: Kind, _ help: String, _ labels: [String: String]) -> NumberCell {
    let fresh = NumberCell()
    if case .number(let cell) = register(name, kind, help, labels, .number(fresh)) { return cell }
    return fresh
  }

  /// The series that exists, or `fresh` after putting it in. A name that is taken by another kind stays what it is:
  /// the handle then counts for nobody, which beats an exposition that Prometheus refuses as a whole.
  private func register(
    _ name: String,
    _ kind: Kind,
    _ help: String,
    _ labels: [String: String],
    _ fresh: Series
  ) -> Series {
    let name = metricName(name)
    return families.withLock { families in
      guard families[name].map({ $0.kind == kind }) ?? true else { return fresh }
      let labels = LabelSet(labels)
      if let series = families[name]?.series[labels] { return series }
      families[name, default: Family(kind: kind, help: help)].series[labels] = fresh
      return fresh
    }
  }
}

/// The labels of one series, in the order of their names.
struct LabelSet: Hashable, Sendable, Comparable {
  struct Label: Hashable, Sendable {
    var name: String
    var value: String
  }

  let labels: [Label]

  init(_ labels: [String: String]) {
    self.labels = labels.map { Label(name: metricName($0.key), value: $0.value) }.sorted { $0.name < $1.name }
  }

  static func < (left: LabelSet, right: LabelSet) -> Bool {
    left.labels.lexicographicallyPrecedes(right.labels) { ($0.name, $0.value) < ($1.name, $1.value) }
  }
}

/// The name, with an underscore for whatever Prometheus does not allow in names.
private func metricName(_ text: String) -> String {
  guard !isMetricName(text) else { return text }
  let start = text.utf8.first.map { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } ?? true ? "_" : ""
  return start + String(text.map { isMetricName("_\($0)") ? $0 : "_" })
}

/// Whether Prometheus allows this name; asked at each request and reconcile, so it looks at bytes only.
private func isMetricName(_ text: String) -> Bool {
  guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) else { return false }
  return text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
      true
    default: false
    }
  }
}
