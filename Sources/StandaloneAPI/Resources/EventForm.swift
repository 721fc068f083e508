// Events are one resource with two faces: `v1`, which kubectl describes objects by, and `events.k8s.io/v1`, which
// controllers write. They are stored in the first form; the second has the same fields under other names.

import KubernetesModel

/// The names that fields of stored Events have in `events.k8s.io/v1`.
package struct EventForm: Sendable, Hashable {
  /// Stored name → name in `events.k8s.io/v1`.
  private static let names = [
    ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
  ]

  package init() {}

  func served(_ stored: JSONValue) -> JSONValue {
    renamed(stored, Self.names, apiVersion: "events.k8s.io/v1")
  }

  func stored(_ served: JSONValue) -> JSONValue {
    renamed(served, Self.names.map { ($0.1, $0.0) }, apiVersion: "v1")
  }

  private func renamed(_ event: JSONValue, _ names: [(String, String)], apiVersion: String) -> JSONValue {
    guard var members = event.object else { return event }
    for (old, new) in names {
      if let value = members.removeValue(forKey: old) { members[new] = value }
    }
    members["apiVersion"] = .string(apiVersion)
    return .object(members)
  }
}
