// JSON merge patches, RFC 7396.

import KubernetesModel

extension JSONValue {
  /// This document after a merge patch: members replace members, `null` removes, everything else replaces.
  func merged(with patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    var members = object ?? [:]
    for (key, change) in changes {
      if change.isNull {
        members.removeValue(forKey: key)
      } else {
        members[key] = (members[key] ?? .null).merged(with: change)
      }
    }
    return .object(members)
  }
}
