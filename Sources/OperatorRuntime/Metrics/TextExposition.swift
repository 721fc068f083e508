// The Prometheus text exposition format, version 0.0.4.
//
// Families and series come sorted, so that two readings of the same state are the same bytes.

extension MetricsRegistry {
  /// The `Content-Type` of ``exposition()``.
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// All metrics as text.
  package func exposition() -> String {
    var text = ""
    for (name, family) in snapshot().sorted(by: { $0.key < $1.key }) {
      text += "# HELP \(name) \(escapeHelp(family.help))\n# TYPE \(name) \(family.kind.rawValue)\n"
      for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
        switch series {
        case .number(let cell): text += "\(name)\(render(labels)) \(render(cell.read()))\n"
        case .computed(let value): text += "\(name)\(render(labels)) \(render(value()))\n"
        case .histogram(let cell): text += render(name, labels, cell)
        }
      }
      let collected = family.collect?().map { (labels: LabelSet($0.labels), value: $0.value) } ?? []
      for (labels, value) in collected.sorted(by: { $0.labels < $1.labels }) {
        text += "\(name)\(render(labels)) \(render(value))\n"
      }
    }
    return text
  }
}

private func render(_ name: String, _ labels: LabelSet, _ cell: HistogramCell) -> String {
  let content = cell.read()
  var text = ""
  var total: UInt64 = 0
  for (bound, count) in zip(cell.bounds + [.infinity], content.counts) {
    total += count
    text += "\(name)_bucket\(render(labels, le: render(bound))) \(total)\n"
  }
  return text + "\(name)_sum\(render(labels)) \(render(content.sum))\n\(name)_count\(render(labels)) \(total)\n"
}

/// `{a="b",le="0.5"}`, or nothing where there are no labels.
private func render(_ set: LabelSet, le bound: String? = nil) -> String {
  var parts = set.labels.map { "\($0.name)=\"\(escapeValue($0.value))\"" }
  if let bound { parts.append("le=\"\(bound)\"") }
  return parts.isEmpty ? "" : "{\(parts.joined(separator: ","))}"
}

/// A number as Go's `strconv.ParseFloat` reads it, whole ones without a fraction.
private func render(_ value: Double) -> String {
  if value == .infinity { return "+Inf" }
  if value == -.infinity { return "-Inf" }
  if value.isNaN { return "NaN" }
  return Int64(exactly: value).map(String.init) ?? "\(value)"
}

private func escapeHelp(_ text: String) -> String { escape(text, quote: false) }
private func escapeValue(_ text: String) -> String { escape(text, quote: true) }

private func escape(_ text: String, quote: Bool) -> String {
  var escaped = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\\": escaped += "\\\\"
    case "\n": escaped += "\\n"
    case "\"" where quote: escaped += "\\\""
    default: escaped.unicodeScalars.append(scalar)
    }
  }
  return escaped
}
