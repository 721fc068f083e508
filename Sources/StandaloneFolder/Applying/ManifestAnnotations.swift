// The annotations by which an object from the folder is known, and by which it is known what the folder last said.

import FoundationEssentials
import KubernetesModel

enum ManifestAnnotations {
  /// kubectl's own, so that `kubectl apply` and the folder understand each other.
  static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
  /// The file an object comes from, relative to the folder. Only objects that have it are ever deleted.
  static let manifest = "bucket-sync.homelab-helper.benfiola.com/manifest"

  /// `object` as it is written into its own annotation: what the file says, but of a Secret the keys only.
  static func lastApplied(of object: JSONValue) -> String? {
    guard let data = try? JSON.encode(SecretValues.blanked(in: object)) else { return nil }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  /// What the file said of `stored` when it was last applied; `null` if that was never or is not known.
  static func lastApplied(to stored: JSONValue) -> JSONValue {
    guard let text = stored["metadata"]["annotations"][lastApplied].string else { return .null }
    return (try? JSON.decode(JSONValue.self, from: Data(text.utf8))) ?? .null
  }
}

/// What is special about Secrets.
enum SecretValues {
  private static func isSecret(_ object: JSONValue) -> Bool {
    object["kind"] == "Secret" && object["apiVersion"] == "v1"
  }

  /// The object with `stringData` moved to `data`, and all of it in the form in which the server returns it, so that the
  /// two can be compared. What is no text is left for the server to refuse.
  static func inData(of object: JSONValue) -> JSONValue {
    guard isSecret(object) else { return object }
    var object = object
    for (key, value) in object["data"].object ?? [:] {
      guard let bytes = value.string.flatMap(bytes(ofBase64:)) else { continue }
      object["data"][key] = .string(bytes.base64EncodedString())
    }
    guard var texts = object["stringData"].object else { return object }
    for (key, value) in texts {
      guard let text = value.string else { continue }
      object["data"][key] = .string(Data(text.utf8).base64EncodedString())
      texts[key] = nil
    }
    object["stringData"] = .object(texts)
    if texts.isEmpty { object.removeMember("stringData") }
    return object
  }

  /// What base64 text stands for, line breaks in it or not.
  static func bytes(ofBase64 text: String) -> Data? { Data(base64Encoded: text.filter { !$0.isWhitespace }) }

  /// The object with keys, but without values.
  static func blanked(in object: JSONValue) -> JSONValue {
    guard isSecret(object) else { return object }
    var object = object
    for field in ["data", "stringData"] {
      guard let members = object[field].object else { continue }
      object[field] = .object(members.mapValues { _ in "" })
    }
    return object
  }
}
