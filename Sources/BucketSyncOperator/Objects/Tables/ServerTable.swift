// A table as the server makes it (`meta.k8s.io/v1 Table`), and what is printed of it.
//
//     {"kind": "Table", "columnDefinitions": [{"name": "Phase", "type": "string", "priority": 0}, …],
//      "rows": [{"cells": ["nightly-1705284000", "Sync", …], "object": {"metadata": {"namespace": "default", …}}}]}

internal import KubernetesModel

struct ServerTable: Sendable {
  private struct Column: Sendable {
    var name: String
    var isForWideOnly: Bool
  }

  private var columns: [Column]
  private(set) var rows: [JSONValue]
  private(set) var resourceVersion: String

  /// - Parameter columns: Those of the table before it, which a watch does not repeat.
  init(_ answer: JSONValue, type: ResourceType, after previous: ServerTable? = nil) {
    resourceVersion = answer["metadata"]["resourceVersion"].string ?? ""
    guard answer["kind"] == "Table" else {
      // A server that knows no tables: the objects themselves.
      columns = [Column(name: "Name", isForWideOnly: false)]
      let objects = answer["items"].array ?? (answer["metadata"]["name"].isNull ? [] : [answer])
      rows = objects.map { ["cells": [$0["metadata"]["name"]], "object": $0] }
      return
    }
    columns = (answer["columnDefinitions"].array ?? []).map { definition in
      Column(name: definition["name"].string ?? "", isForWideOnly: (definition["priority"].integer ?? 0) > 0)
    }
    if columns.isEmpty, let previous { columns = previous.columns }
    rows = answer["rows"].array ?? []
  }

  func text(isWide: Bool, withNamespace: Bool) -> TextTable {
    let shown = columns.indices.filter { isWide || !columns[$0].isForWideOnly }
    let lead = withNamespace ? ["NAMESPACE"] : []
    var table = TextTable(header: lead + shown.map { columns[$0].name.uppercased() })
    table.rows = rows.map { row in
      let namespace = withNamespace ? [row["object"]["metadata"]["namespace"].string ?? ""] : []
      return namespace + shown.map { Self.text(row["cells"][$0]) }
    }
    return table
  }

  /// One line, in which nothing can steer the terminal.
  private static func text(_ cell: JSONValue) -> String {
    switch cell {
    case .string(let text):
      let line = text.prefix { !$0.isNewline }
      let plain = line.filter { character in
        character.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
      }
      return line.count < text.count ? plain + "..." : String(plain)
    case .integer(let number): return "\(number)"
    case .number(let number): return "\(number)"
    case .bool(let bool): return "\(bool)"
    default: return ""
    }
  }
}
