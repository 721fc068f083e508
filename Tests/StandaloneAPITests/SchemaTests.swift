import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Testing

@testable import StandaloneAPI

/// What CustomResourceDefinitions say, applied. The rules that our own definitions use are tried on kube-apiserver too.
@Suite("Structural schemas")
struct SchemaTests {
  private func schema(_ text: String) throws -> StructuralSchema {
    StructuralSchema(try YAML.documents(in: text)[0])
  }

  private func value(_ text: String) throws -> JSONValue { try YAML.documents(in: text)[0] }

  private func problems(_ schema: String, _ value: String) throws -> [String] {
    try self.schema(schema).causes(self.value(value)).map(\.field)
  }

  @Test("unknown fields go, at any depth, and are named")
  func pruning() throws {
    let schema = try schema(
      """
      type: object
      properties:
        spec: {type: object, properties: {list: {type: array, items: {type: object, properties: {a: {type: string}}}}}}
        free: {type: object, x-kubernetes-preserve-unknown-fields: true}
        map: {type: object, additionalProperties: {type: string}}
      """)
    var unknown: [FieldPath] = []
    let pruned = schema.pruned(
      try value("{kind: K, spec: {list: [{a: x, b: y}], c: 1}, free: {d: 1}, map: {e: f}, g: 1}"), &unknown)
    #expect(pruned == (try value("{kind: K, spec: {list: [{a: x}]}, free: {d: 1}, map: {e: f}}")))
    #expect(Set(unknown.map(\.description)) == ["spec.list[0].b", "spec.c", "g"])
  }

  @Test("defaults fill what is missing, also where null stands, and inside of what is there")
  func defaulting() throws {
    let schema = try schema(
      """
      type: object
      properties:
        a: {type: integer, default: 3}
        b: {type: object, default: {}, properties: {c: {type: string, default: x}}}
        n: {type: string, nullable: true, default: y}
      """)
    #expect(schema.defaulted(try value("{a: null, n: null}")) == (try value("{a: 3, b: {c: x}, n: null}")))
  }

  @Test(
    "what is wrong is found, and where",
    arguments: [
      ("{type: object, required: [a]}", "{}", ["a"]),
      ("{type: object, properties: {a: {type: string}}}", "{a: 1}", ["a"]),
      ("{type: object, properties: {a: {type: integer}}}", "{a: 1.5}", ["a"]),
      ("{type: object, properties: {a: {type: integer, minimum: 1}}}", "{a: 0}", ["a"]),
      ("{type: object, properties: {a: {type: integer, format: int32}}}", "{a: 2147483648}", ["a"]),
      ("{type: object, properties: {a: {type: string, pattern: '^b+$'}}}", "{a: bab}", ["a"]),
      ("{type: object, properties: {a: {type: string, enum: [x, y]}}}", "{a: z}", ["a"]),
      ("{type: object, properties: {a: {type: string, maxLength: 2}}}", "{a: äöü}", ["a"]),
      ("{type: object, properties: {a: {type: string, maxLength: 3}}}", "{a: äöü}", []),
      ("{type: object, properties: {a: {type: string, format: date-time}}}", "{a: today}", ["a"]),
      ("{type: object, properties: {a: {x-kubernetes-int-or-string: true}}}", "{a: true}", ["a"]),
      ("{type: object, properties: {a: {type: array, maxItems: 1, items: {type: string}}}}", "{a: [x, y]}", ["a"]),
      (
        "{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object}}}}",
        "{a: [{k: 1}, {k: 2}, {k: 1}]}", ["a[2]"]
      ),
      ("{type: object, oneOf: [{required: [a]}, {required: [b]}]}", "{a: 1, b: 2}", [""]),
      ("{type: object, oneOf: [{required: [a]}, {required: [b]}]}", "{a: 1}", []),
      ("{type: object, additionalProperties: {type: string}}", "{a: x, b: 7}", ["b"]),
      ("{type: object, properties: {a: {type: string, nullable: true}}}", "{a: null}", []),
    ])
  func validation(schema: String, value: String, fields: [String]) throws {
    #expect(try problems(schema, value) == fields)
  }
}
