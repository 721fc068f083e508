// One object as a file has it, ready to be applied.

import KubernetesClient
import KubernetesModel

/// An object's type and key: what two manifests of the same object have in common.
struct ManifestID: Sendable, Hashable, CustomStringConvertible {
  var type: ResourceType
  var key: ObjectKey

  var description: String { "\(type.kind) \(key)" }
}

/// An object of a file.
struct Manifest: Sendable {
  var id: ManifestID
  /// The object without what only a server can say (status, uid …); a Secret's values are all in `data`.
  var object: JSONValue
  var file: String
  private let document: YAMLDocument

  /// Takes a document for an object.
  /// - Throws: Why it is none that can be applied; a notice when it is none of ours.
  init(_ document: YAMLDocument, file: String, kinds: ManifestKinds) throws(ManifestProblem) {
    let object = document.value
    let title = Self.title(object)
    func problem(_ field: String?, _ message: String, _ severity: ManifestProblem.Severity = .error) -> ManifestProblem
    {
      ManifestProblem(
        message, severity: severity, file: file, place: document.place(of: field ?? ""), object: title, field: field)
    }
    guard object.object != nil else { throw problem(nil, "is no object: a manifest has apiVersion, kind and metadata") }
    guard let kind = object["kind"].string, !kind.isEmpty else { throw problem("kind", "is missing") }
    guard let version = object["apiVersion"].string, !version.isEmpty else {
      throw problem("apiVersion", "is missing")
    }
    let type: ResourceType
    switch kinds.type(kind: kind, apiVersion: version) {
    case .served(let served): type = served
    case .misspelt(let field, let message): throw problem(field, message)
    case .foreign: throw problem(nil, "objects of this kind are not used here", .notice)
    }
    guard let name = object["metadata"]["name"].string, !name.isEmpty else {
      throw problem("metadata.name", "is missing")
    }
    let namespace = object["metadata"]["namespace"]
    guard namespace.isNull || namespace.string?.isEmpty == false else {
      throw problem("metadata.namespace", "must be text that is not empty")
    }
    for field in ["annotations", "labels"] where !Self.isMapOfText(object["metadata"][field]) {
      throw problem("metadata.\(field)", "must be a map of text to text; quote numbers and booleans")
    }
    if type.group.isEmpty { try Self.checkData(of: object, type, problem) }
    let key = ObjectKey(namespace: type.isNamespaced ? namespace.string ?? kinds.defaultNamespace : nil, name: name)
    id = ManifestID(type: type, key: key)
    self.object = SecretValues.inData(of: Self.plain(object, key))
    self.file = file
    self.document = document
  }

  /// A problem with this object, at the field's place.
  func problem(
    _ message: String, severity: ManifestProblem.Severity = .error, field: String? = nil
  ) -> ManifestProblem {
    var field = field
    // The file may have said it in text.
    if let named = field, named.hasPrefix("data"), document.places[named] == nil, document.places["stringData"] != nil {
      let text = "stringData" + named.dropFirst("data".count)
      if document.places[text] != nil { field = text }
    }
    return ManifestProblem(
      message, severity: severity, file: file, place: document.place(of: field ?? ""), object: "\(id)", field: field)
  }

  /// Checks what servers tell badly about, or by quoting a Secret's value.
  private static func checkData(
    of object: JSONValue, _ type: ResourceType,
    _ problem: (_ field: String?, _ message: String, _ severity: ManifestProblem.Severity) -> ManifestProblem
  ) throws(ManifestProblem) {
    guard type.kind == "Secret" || type.kind == "ConfigMap" else { return }
    for field in ["data", "stringData", "binaryData"] where !object[field].isNull {
      guard let members = object[field].object else { throw problem(field, "must be a map of text to text", .error) }
      for (key, value) in members.sorted(by: { $0.key < $1.key }) where !value.isNull {
        guard let text = value.string else {
          throw problem("\(field).\(key)", "must be text; quote numbers and booleans", .error)
        }
        guard type.kind == "Secret", field == "data" else { continue }
        guard SecretValues.bytes(ofBase64: text) != nil else {
          throw problem("data.\(key)", "is not base64; plain text goes under stringData", .error)
        }
      }
    }
  }

  /// Where it is, `policies/nightly.yaml:3`.
  var location: String { document.start.map { "\(file):\($0.line)" } ?? file }

  /// Whether both say the same in the same file.
  func isSame(as other: Manifest) -> Bool { id == other.id && file == other.file && object == other.object }

  /// What only a server can say is left out, as are empty members (`null`): kubectl's output can be put in a file as it is.
  private static func plain(_ object: JSONValue, _ key: ObjectKey) -> JSONValue {
    var object = object.withoutNulls
    object.removeMember("status")
    for field in [
      "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
      "managedFields", "selfLink",
    ] { object["metadata"].removeMember(field) }
    if key.namespace == nil { object["metadata"].removeMember("namespace") }
    if let namespace = key.namespace { object["metadata"]["namespace"] = .string(namespace) }
    for name in [ManifestAnnotations.lastApplied, ManifestAnnotations.manifest]
    where !object["metadata"]["annotations"][name].isNull {
      object["metadata"]["annotations"].removeMember(name)
    }
    return object
  }

  private static func isMapOfText(_ value: JSONValue) -> Bool {
    value.isNull || value.object?.values.allSatisfy { $0.string != nil } == true
  }

  private static func title(_ object: JSONValue) -> String? {
    guard let kind = object["kind"].string else { return nil }
    let metadata = object["metadata"]
    guard let name = metadata["name"].string else { return kind }
    return "\(kind) \(metadata["namespace"].string.map { "\($0)/" } ?? "")\(name)"
  }
}

/// The kinds that can be applied, and where objects go that say no namespace.
struct ManifestKinds: Sendable {
  enum Answer: Sendable {
    case served(ResourceType)
    /// Some other kind, as folders of manifests hold them too.
    case foreign
    case misspelt(field: String, message: String)
  }

  var types: [ResourceType]
  var defaultNamespace: String

  func type(kind: String, apiVersion: String) -> Answer {
    let ofKind = types.filter { $0.kind == kind }
    if let type = ofKind.first(where: { $0.apiVersion == apiVersion }) { return .served(type) }
    let group = apiVersion.split(separator: "/").dropLast().first.map(String.init) ?? ""
    // Another version of a group that is served is a mistake; the same kind of another group is somebody else's.
    if let type = ofKind.first(where: { $0.group == group }) {
      return .misspelt(field: "apiVersion", message: "\"\(apiVersion)\" must be \(type.apiVersion)")
    }
    let ofGroup = types.filter { $0.group == group && group.contains(".") }
    if let version = ofGroup.first(where: { $0.apiVersion == apiVersion })?.apiVersion {
      let known = ofGroup.map(\.kind).sorted().joined(separator: ", ")
      return .misspelt(field: "kind", message: "\"\(kind)\" is no kind of \(version): it has \(known)")
    }
    return .foreign
  }
}

extension JSONValue {
  /// Without members that are `null`, however deep; elements of arrays stay.
  var withoutNulls: JSONValue {
    switch self {
    case .object(let members): .object(members.filter { !$0.value.isNull }.mapValues(\.withoutNulls))
    case .array(let elements): .array(elements.map(\.withoutNulls))
    default: self
    }
  }
}
