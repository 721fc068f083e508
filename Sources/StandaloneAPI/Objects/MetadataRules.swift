// What metadata must be like, for objects of every type.

import KubernetesModel

enum MetadataRules {
  private static let subdomain =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    + "and must start and end with an alphanumeric character"
  private static let label =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    + "and must start and end with an alphanumeric character, at most 63 characters"
  /// All annotations together, in bytes.
  private static let annotationLimit = 256 << 10

  /// What metadata can have, but for what clients only send, and what nobody has needed since Kubernetes 1.24.
  private static let known: Set<String> = [
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "finalizers", "ownerReferences",
  ]

  /// Metadata without what it cannot have, and without what is empty.
  static func pruned(_ metadata: JSONValue) -> JSONValue {
    guard let members = metadata.object else { return metadata }
    return .object(members.filter { known.contains($0.key) && !$0.value.isNull })
  }

  /// What is wrong with an object's metadata.
  static func causes(_ object: JSONValue, of definition: ResourceDefinition) -> [Refusal.Cause] {
    let metadata = object["metadata"]
    let path = FieldPath.root.member("metadata")
    var causes: [Refusal.Cause] = []
    let name = metadata["name"].string ?? ""
    let isNamespace = definition.storageName == ResourceDefinition.namespaces.storageName
    if isNamespace ? !Naming.isLabel(name) : !Naming.isSubdomain(name) {
      causes.append(.invalid(.string(name), at: path.member("name"), isNamespace ? label : subdomain))
    }
    causes += labels(metadata["labels"], at: path.member("labels"))
    causes += annotations(metadata["annotations"], at: path.member("annotations"))
    causes += owners(metadata["ownerReferences"], at: path.member("ownerReferences"))
    for (index, finalizer) in (metadata["finalizers"].array ?? []).enumerated() {
      guard let text = finalizer.string, isQualifiedName(text) else {
        causes.append(.invalid(finalizer, at: path.member("finalizers").element(index), "name part must be a name"))
        continue
      }
    }
    return causes
  }

  static func labels(_ labels: JSONValue, at path: FieldPath) -> [Refusal.Cause] {
    guard !labels.isNull else { return [] }
    guard let members = labels.object else { return [.invalid(labels, at: path, "must be an object of strings")] }
    return members.sorted { $0.key < $1.key }.compactMap { key, value in
      if !isQualifiedName(key) {
        return .invalid(
          .string(key), at: path,
          "name part must consist of alphanumeric characters, '-', '_' or '.', at most 63, after an optional DNS prefix"
        )
      }
      guard let text = value.string, Naming.isLabelValue(text) else {
        return .invalid(
          value, at: path,
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
            + "and must start and end with an alphanumeric character, at most 63 characters")
      }
      return nil
    }
  }

  private static func annotations(_ annotations: JSONValue, at path: FieldPath) -> [Refusal.Cause] {
    guard !annotations.isNull else { return [] }
    guard let members = annotations.object else {
      return [.invalid(annotations, at: path, "must be an object of strings")]
    }
    var size = 0
    var causes: [Refusal.Cause] = []
    for (key, value) in members.sorted(by: { $0.key < $1.key }) {
      size += key.utf8.count + (value.string?.utf8.count ?? 0)
      if !isQualifiedName(key.lowercased()) {
        causes.append(.invalid(.string(key), at: path, "name part must be a name"))
      }
      if value.string == nil { causes.append(.invalid(value, at: path.member(key), "must be a string")) }
    }
    if size > annotationLimit {
      causes.append(
        Refusal.Cause(
          reason: "FieldValueTooLong", field: path.description,
          message: "Too long: must have at most \(annotationLimit) bytes"))
    }
    return causes
  }

  private static func owners(_ owners: JSONValue, at path: FieldPath) -> [Refusal.Cause] {
    var causes: [Refusal.Cause] = []
    for (index, owner) in (owners.array ?? []).enumerated() {
      for field in ["apiVersion", "kind", "name", "uid"] where (owner[field].string ?? "").isEmpty {
        causes.append(
          .invalid(owner[field], at: path.element(index).member(field), "\(field) must not be empty"))
      }
    }
    if (owners.array ?? []).count(where: { $0["controller"] == true }) > 1 {
      causes.append(.invalid(owners, at: path, "Only one reference can have Controller set to true"))
    }
    return causes
  }

  /// `example.com/name` or `name`.
  private static func isQualifiedName(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return Naming.isLabelName(text)
    case 2: return Naming.isSubdomain(String(parts[0])) && Naming.isLabelName(String(parts[1]))
    default: return false
    }
  }
}
