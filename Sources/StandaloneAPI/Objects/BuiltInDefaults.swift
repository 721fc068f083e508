// What the server makes of built-in objects as they come in: the fields that controllers and kubectl rely on.

import FoundationEssentials
import KubernetesModel

enum BuiltInDefaults {
  /// `object`, which is about to be created with its UID, completed.
  static func created(_ object: JSONValue, of definition: ResourceDefinition) -> JSONValue {
    var object = changed(object, of: definition)
    switch definition.storageName {
    case ResourceDefinition.namespaces.storageName:
      object["spec"]["finalizers"] = ["kubernetes"]
      object["status"]["phase"] = "Active"
    case ResourceDefinition.pods.storageName:
      object["status"] = ["phase": "Pending"]
      fill(&object["spec"], ["restartPolicy": "Always", "terminationGracePeriodSeconds": 30])
    case ResourceDefinition.jobs.storageName:
      completeJob(&object)
    default: break
    }
    return object
  }

  /// `object` as it is after any write.
  static func changed(_ object: JSONValue, of definition: ResourceDefinition) -> JSONValue {
    guard definition.storageName == ResourceDefinition.secrets.storageName else { return object }
    var secret = object
    fill(&secret, ["type": "Opaque"])
    for (key, value) in secret["stringData"].object ?? [:] {
      secret["data"][key] = .string(Data((value.string ?? "").utf8).base64EncodedString())
    }
    secret.removeMember("stringData")
    return secret
  }

  /// What a change of a built-in object must leave as it is.
  static func causes(of new: JSONValue, after old: JSONValue, of definition: ResourceDefinition) -> [Refusal.Cause] {
    let immutable: [[String]] =
      switch definition.storageName {
      case ResourceDefinition.jobs.storageName:
        [["spec", "completions"], ["spec", "selector"], ["spec", "template"]]
      case ResourceDefinition.pods.storageName: [["spec", "containers"], ["spec", "restartPolicy"]]
      case ResourceDefinition.secrets.storageName:
        [["type"]] + (old["immutable"] == true ? [["immutable"], ["data"]] : [])
      case ResourceDefinition.configMaps.storageName:
        old["immutable"] == true ? [["immutable"], ["data"], ["binaryData"]] : []
      default: []
      }
    return immutable.compactMap { path in
      let before = path.reduce(old) { $0[$1] }
      let after = path.reduce(new) { $0[$1] }
      guard before != after else { return nil }
      return .invalid(after, at: FieldPath(description: path.joined(separator: ".")), "field is immutable")
    }
  }

  /// What is wrong with a Job that a schema cannot say: its pods must be allowed to end.
  static func causes(inJob job: JSONValue, _ definition: ResourceDefinition) -> [Refusal.Cause] {
    guard definition.storageName == ResourceDefinition.jobs.storageName else { return [] }
    let policy = job["spec"]["template"]["spec"]["restartPolicy"]
    guard !["Never", "OnFailure"].contains(policy.string) else { return [] }
    return [
      Refusal.Cause(
        reason: "FieldValueNotSupported", field: "spec.template.spec.restartPolicy",
        message:
          "Unsupported value: \(policy.isNull ? "\"Always\"" : policy.shown): supported values: \"OnFailure\", \"Never\""
      )
    ]
  }

  /// What is wrong with the data of a Secret or ConfigMap.
  static func causes(inDataOf object: JSONValue, _ definition: ResourceDefinition) -> [Refusal.Cause] {
    let isSecret = definition.storageName == ResourceDefinition.secrets.storageName
    guard isSecret || definition.storageName == ResourceDefinition.configMaps.storageName else { return [] }
    let path = FieldPath.root.member("data")
    return (object["data"].object ?? [:]).sorted { $0.key < $1.key }.compactMap { key, value in
      if key.isEmpty || key.utf8.count > 253 || key.contains(where: { !isKeyCharacter($0) }) {
        return .invalid(
          .string(key), at: path.member(key),
          "a valid config key must consist of alphanumeric characters, '-', '_' or '.'")
      }
      // Never the value itself: it is a secret that somebody forgot to encode.
      guard isSecret, Data(base64Encoded: value.string ?? "") == nil else { return nil }
      return Refusal.Cause(
        reason: "FieldValueInvalid", field: path.member(key).description,
        message: "Invalid value: not base64; put plain text under stringData")
    }
  }

  private static func isKeyCharacter(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
  }

  /// A Job finds its pods by labels that the server gives to both.
  private static func completeJob(_ job: inout JSONValue) {
    // Without completions, but with a parallelism, a Job is a queue of work that any success ends.
    if job["spec"]["parallelism"].isNull { fill(&job["spec"], ["completions": 1]) }
    fill(&job["spec"], ["backoffLimit": 6, "parallelism": 1, "suspend": false])
    fill(&job["spec"]["template"]["spec"], ["terminationGracePeriodSeconds": 30])
    let uid = job["metadata"]["uid"]
    guard job["spec"]["manualSelector"] != true else { return }
    job["spec"]["selector"] = ["matchLabels": ["controller-uid": uid]]
    for (key, value) in [
      ("controller-uid", uid), ("job-name", job["metadata"]["name"]), ("batch.kubernetes.io/controller-uid", uid),
      ("batch.kubernetes.io/job-name", job["metadata"]["name"]),
    ] {
      // A name that is too long for a label is left out, rather than refused.
      if let text = value.string, Naming.isLabelValue(text) {
        job["spec"]["template"]["metadata"]["labels"][key] = value
        if job["metadata"]["labels"][key].isNull { job["metadata"]["labels"][key] = value }
      }
    }
    job["status"] = [:]
  }

  private static func fill(_ object: inout JSONValue, _ defaults: [String: JSONValue]) {
    for (name, value) in defaults where object[name].isNull { object[name] = value }
  }
}
