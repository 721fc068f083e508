// Objects as `metav1.Table`, which `kubectl get` prints.

import FoundationEssentials
import KubernetesModel

/// Makes tables of objects of one type.
struct ObjectTable: Sendable {
  /// What a row carries of its object: `includeObject` of the request.
  enum Inclusion: String, Sendable {
    case none = "None"
    case metadata = "Metadata"
    case object = "Object"
  }

  let definition: ResourceDefinition
  /// `v1`, of `meta.k8s.io`.
  let version: String
  let inclusion: Inclusion
  let columns: [TableColumn]

  init(_ definition: ResourceDefinition, version: String, inclusion: Inclusion) {
    self.definition = definition
    self.version = version
    self.inclusion = inclusion
    columns = TableColumn.all(of: definition)
  }

  /// A table of `objects`, which are as they are served.
  func table(_ objects: [JSONValue], resourceVersion: String, now: Timestamp) -> JSONValue {
    [
      "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"),
      "metadata": ["resourceVersion": .string(resourceVersion)],
      "columnDefinitions": .array(columns.map(\.definition)), "rows": .array(objects.map { row($0, now: now) }),
    ]
  }

  private func row(_ object: JSONValue, now: Timestamp) -> JSONValue {
    let stored = definition.stored(object)
    var row: JSONValue = ["cells": .array(columns.map { $0.cell(stored, now) })]
    switch inclusion {
    case .none: break
    case .metadata: row["object"] = Self.metadata(of: object, version: version)
    case .object: row["object"] = object
    }
    return row
  }

  /// `metav1.PartialObjectMetadata`.
  static func metadata(of object: JSONValue, version: String = "v1") -> JSONValue {
    [
      "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
      "metadata": object["metadata"],
    ]
  }
}

/// One column: what it is called, and how its cells are made.
struct TableColumn: Sendable {
  /// `metav1.TableColumnDefinition`
  let definition: JSONValue
  /// Of a stored object.
  let cell: @Sendable (_ object: JSONValue, _ now: Timestamp) -> JSONValue

  init(
    _ name: String, _ type: String = "string", format: String = "", priority: Int = 0, description: String = "",
    _ cell: @escaping @Sendable (JSONValue, Timestamp) -> JSONValue
  ) {
    definition = [
      "name": .string(name), "type": .string(type), "format": .string(format), "priority": .integer(Int64(priority)),
      "description": .string(description),
    ]
    self.cell = cell
  }

  static func all(of definition: ResourceDefinition) -> [TableColumn] {
    if let builtIn = builtIn(definition) { return builtIn }
    return [name] + (definition.columns.isEmpty ? [age] : definition.columns.map(TableColumn.init))
  }

  static let name = TableColumn("Name", format: "name") { object, _ in object["metadata"]["name"] }

  static let age = TableColumn("Age") { object, now in .string(since(object["metadata"]["creationTimestamp"], now)) }

  /// The age of a timestamp, which may lack.
  static func since(_ time: JSONValue, _ now: Timestamp) -> String {
    time.string.flatMap { Timestamp($0) }.map { AgeText(from: $0, to: now).description } ?? "<unknown>"
  }

  /// A column of a CustomResourceDefinition.
  private init(_ column: ResourceDefinition.PrinterColumn) {
    let path = JSONPath(column.jsonPath)
    let type = column.type
    self.init(column.name, type, priority: column.priority, description: column.description) { object, now in
      guard let value = path?.values(in: object).first else { return .null }
      switch type {
      case "string": return .string(value.plain)
      case "date": return value.isNull ? .null : .string(Self.since(value, now))
      case "integer": return value.integer.map { .integer($0) } ?? .null
      case "boolean": return value.bool.map { .bool($0) } ?? .null
      case "number": return value.string == nil && value.bool == nil ? value : .null
      default: return .null
      }
    }
  }
}
