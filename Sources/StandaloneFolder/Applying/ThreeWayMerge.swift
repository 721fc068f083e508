// What `kubectl apply` does: of what the file says now, what it said last, and what is stored, it makes the change that
// leaves alone whatever others have set.
//
//     file now        {schedule: "@daily"}
//     file last       {schedule: "@hourly", suspend: true}
//     stored          {schedule: "@hourly", suspend: true, syncHistoryLimit: 3 (a default)}
//     → merge patch   {schedule: "@daily", suspend: null}

import KubernetesModel

enum ThreeWayMerge {
  /// The merge patch that makes `stored` say what `wanted` says; `nil` when it does.
  /// - Parameter last: What was wanted before; what it has and `wanted` has not is removed.
  static func patch(wanted: JSONValue, last: JSONValue, stored: JSONValue) -> JSONValue? {
    var changes: [String: JSONValue] = [:]
    let wantedMembers = wanted.object ?? [:]
    let storedMembers = stored.object ?? [:]
    for (key, value) in wantedMembers {
      let present = storedMembers[key] ?? .null
      if value.object != nil, present.object != nil {
        if let change = patch(wanted: value, last: last[key], stored: present) { changes[key] = change }
      } else if !covers(stored: present, wanted: value, last: last[key]) {
        changes[key] = value
      }
    }
    for key in (last.object ?? [:]).keys where wantedMembers[key] == nil && storedMembers[key] != nil {
      changes[key] = .null
    }
    return changes.isEmpty ? nil : .object(changes)
  }

  /// Whether nothing is to be changed for `stored` to be as wanted. Lists are taken whole, but elements may have defaults.
  private static func covers(stored: JSONValue, wanted: JSONValue, last: JSONValue) -> Bool {
    switch (stored, wanted) {
    case (.array(let present), .array(let elements)):
      return present.count == elements.count
        && elements.indices.allSatisfy { covers(stored: present[$0], wanted: elements[$0], last: last[$0]) }
    case (.object, .object):
      return patch(wanted: wanted, last: last, stored: stored) == nil
    case (.integer(let integer), .number(let number)), (.number(let number), .integer(let integer)):
      return Double(integer) == number
    default:
      return stored == wanted
    }
  }
}
