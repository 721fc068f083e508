// The OpenAPI documents that kubectl reads: version 3, by which it finds out that the server checks fields itself
// (`fieldValidation`) and explains them (`kubectl explain`), made of the schemas that objects are checked by; and
// version 2, which is only there for those who look for it first, without content.
//
//     /openapi/v3                    → one document per group and version
//     /openapi/v3/apis/batch/v1      → paths and schemas

import FoundationEssentials
import KubernetesClient
import KubernetesModel

extension ResourceCatalog {
  /// The OpenAPI document at `path`; `nil` when none is there.
  func openAPI(_ request: APIRequest) throws(Refusal) -> APIResponse? {
    switch request.path {
    case "/openapi/v2": return try Self.versionTwo(request)
    case "/openapi/v3":
      let paths = Dictionary(
        roots.map { root in (root, ["serverRelativeURL": .string("/openapi/v3/\(root)")] as JSONValue) },
        uniquingKeysWith: { first, _ in first })
      return .json(200, try ObjectVerbs.encoded(["paths": .object(paths)]))
    default:
      let prefix = "/openapi/v3/"
      guard request.path.hasPrefix(prefix) else { return nil }
      let served = definitions.filter { Self.root($0) == request.path.dropFirst(prefix.count) }
      guard !served.isEmpty else { return nil }
      return .json(200, try ObjectVerbs.encoded(Self.document(of: served)))
    }
  }

  private var roots: [String] { definitions.map(Self.root) }

  /// `api/v1`, `apis/batch/v1`
  private static func root(_ definition: ResourceDefinition) -> String {
    let type = definition.type
    return type.group.isEmpty ? "api/\(type.version)" : "apis/\(type.group)/\(type.version)"
  }

  // MARK: Version 2

  private static func versionTwo(_ request: APIRequest) throws(Refusal) -> APIResponse {
    guard request.accept?.contains("proto-openapi.spec.v2") == true else {
      return .json(
        200,
        try ObjectVerbs.encoded(["swagger": "2.0", "info": ["title": "bucket-sync", "version": "1"], "paths": [:]]))
    }
    // Document { 1: swagger, 2: Info { 1: title, 2: version }, 8: Paths {} }
    let bytes: [UInt8] = [10, 3] + Array("2.0".utf8) + [18, 6, 10, 1, 98, 18, 1, 49, 66, 0]
    return APIResponse(
      statusCode: 200, headers: ["content-type": "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"],
      body: Data(bytes))
  }

  // MARK: Version 3

  private static let metadataName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

  private static func document(of definitions: [ResourceDefinition]) -> JSONValue {
    var paths: [String: JSONValue] = [:]
    var schemas: [String: JSONValue] = [metadataName: metadataSchema]
    for definition in definitions {
      let collection = definition.type.path(namespace: "{namespace}")
      paths[collection] = operations(["get", "post"], definition)
      paths["\(collection)/{name}"] = operations(["get", "put", "patch", "delete"], definition)
      schemas[name(definition)] = schema(definition)
    }
    return [
      "openapi": "3.0.0", "info": ["title": "bucket-sync", "version": "1"], "paths": .object(paths),
      "components": ["schemas": .object(schemas)],
    ]
  }

  private static func kind(_ definition: ResourceDefinition) -> JSONValue {
    let type = definition.type
    return ["group": .string(type.group), "version": .string(type.version), "kind": .string(type.kind)]
  }

  /// `com.example.v1.Kind`, as Kubernetes names schemas.
  private static func name(_ definition: ResourceDefinition) -> String {
    let type = definition.type
    let group = type.group.isEmpty ? "core" : type.group
    return (group.split(separator: ".").reversed().map(String.init) + [type.version, type.kind]).joined(separator: ".")
  }

  private static func operations(_ verbs: [String], _ definition: ResourceDefinition) -> JSONValue {
    var path: JSONValue = [:]
    let parameters: [JSONValue] = ["dryRun", "fieldManager", "fieldValidation"].map {
      ["name": .string($0), "in": "query", "schema": ["type": "string", "uniqueItems": true]]
    }
    for verb in verbs {
      path[verb] = [
        "responses": [
          "200": [
            "description": "OK",
            "content": [
              "application/json": ["schema": ["$ref": .string("#/components/schemas/\(name(definition))")]]
            ],
          ]
        ],
        "x-kubernetes-action": .string(verb), "x-kubernetes-group-version-kind": kind(definition),
      ]
      if verb != "get" { path[verb]["parameters"] = .array(parameters) }
    }
    return path
  }

  private static func schema(_ definition: ResourceDefinition) -> JSONValue {
    var schema = definition.schema ?? ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
    let text: JSONValue = ["type": "string"]
    for (field, description) in [
      ("apiVersion", "Version of the schema of this object."), ("kind", "Kind of this object."),
    ] where schema["properties"][field].isNull {
      schema["properties"][field] = text
      schema["properties"][field]["description"] = .string(description)
    }
    schema["properties"]["metadata"] = [
      "allOf": [["$ref": .string("#/components/schemas/\(metadataName)")]], "default": [:],
      "description": "Name, namespace, labels and the like.",
    ]
    schema["x-kubernetes-group-version-kind"] = [kind(definition)]
    return schema
  }

  private static let metadataSchema: JSONValue = {
    func field(_ description: String, _ schema: JSONValue = ["type": "string"]) -> JSONValue {
      var schema = schema
      schema["description"] = .string(description)
      return schema
    }
    let strings: JSONValue = ["type": "object", "additionalProperties": ["type": "string"]]
    let owner: JSONValue = [
      "type": "object", "description": "An owner.",
      "properties": [
        "apiVersion": field("API version of the owner."), "kind": field("Kind of the owner."),
        "name": field("Name of the owner."), "uid": field("UID of the owner."),
        "controller": field("Whether it manages this object.", ["type": "boolean"]),
        "blockOwnerDeletion": field("Whether it waits for this object to go.", ["type": "boolean"]),
      ],
    ]
    return [
      "type": "object", "description": "What all objects have.",
      "properties": [
        "name": field("Name, unique among objects of its kind in the namespace."),
        "generateName": field("Beginning of a name that the server completes."),
        "namespace": field("Namespace that the object lies in."), "labels": field("What selectors ask for.", strings),
        "annotations": field("Notes of users and programs.", strings),
        "finalizers": field(
          "What has to happen before the object goes.", ["type": "array", "items": ["type": "string"]]),
        "ownerReferences": field("Objects with which this one goes.", ["type": "array", "items": owner]),
        "uid": field("What tells the object from others that had its name. Set by the server."),
        "resourceVersion": field("Version of the object. Set by the server."),
        "generation": field("Number of the wanted state. Set by the server.", ["type": "integer", "format": "int64"]),
        "creationTimestamp": field("When it was made. Set by the server.", ["type": "string", "format": "date-time"]),
        "deletionTimestamp": field(
          "When it was, or is to be, deleted. Set by the server.", ["type": "string", "format": "date-time"]),
      ],
    ]
  }()
}
