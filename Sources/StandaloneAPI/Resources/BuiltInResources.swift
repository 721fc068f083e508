// The types of Kubernetes itself that the operator, its users and kubectl need: nothing more is served.

import KubernetesModel

extension ResourceDefinition {
  package static let namespaces = ResourceDefinition(
    ResourceType(group: "", version: "v1", kind: "Namespace", plural: "namespaces", isNamespaced: false),
    shortNames: ["ns"], hasStatus: true, selectableFields: ["status.phase"])

  package static let configMaps = ResourceDefinition(
    ConfigMap.resource, shortNames: ["cm"], schema: BuiltInSchemas.configMap)

  package static let secrets = ResourceDefinition(
    ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets"), schema: BuiltInSchemas.secret,
    selectableFields: ["type"])

  package static let pods = ResourceDefinition(
    Pod.resource, shortNames: ["po"], categories: ["all"], hasStatus: true, schema: BuiltInSchemas.pod,
    selectableFields: [
      "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
    ])

  package static let jobs = ResourceDefinition(
    Job.resource, categories: ["all"], hasStatus: true, schema: BuiltInSchemas.job,
    selectableFields: ["status.successful"])

  package static let leases = ResourceDefinition(Lease.resource)

  /// Events as kubectl reads them.
  package static let coreEvents = ResourceDefinition(
    ResourceType(group: "", version: "v1", kind: "Event", plural: "events"), shortNames: ["ev"],
    selectableFields: eventFields("involvedObject", "reportingComponent"))

  /// Events as controllers write them.
  package static let events = ResourceDefinition(
    Event.resource, shortNames: ["ev"], selectableFields: eventFields("regarding", "reportingController"),
    storedAs: EventForm())

  /// The definitions of custom resources, which are those of this program.
  package static let customResourceDefinitions = ResourceDefinition(
    ResourceType(
      group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
      plural: "customresourcedefinitions",
      isNamespaced: false), shortNames: ["crd", "crds"], categories: ["api-extensions"], isReadOnly: true)

  /// All of them.
  package static let builtIn = [
    namespaces, configMaps, secrets, pods, jobs, leases, coreEvents, events, customResourceDefinitions,
  ]

  private static func eventFields(_ object: String, _ reporter: String) -> Set<String> {
    let parts = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"]
    return Set(parts.map { "\(object).\($0)" } + [reporter, "reason", "type"])
  }
}

/// What is checked of built-in objects: as much as keeps what cannot work out of the store. kube-apiserver checks more.
private enum BuiltInSchemas {
  private static let free: JSONValue = ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
  private static let strings: JSONValue = ["type": "object", "additionalProperties": ["type": "string"]]

  static let configMap = object(["data": strings, "binaryData": strings, "immutable": ["type": "boolean"]])
  static let secret = object([
    "data": strings, "stringData": strings, "type": ["type": "string"], "immutable": ["type": "boolean"],
  ])
  static let pod = object(["spec": podSpec], required: ["spec"])
  static let job = object(
    [
      "spec": object(
        [
          "template": object(["spec": podSpec], required: ["spec"]), "backoffLimit": count, "completions": count,
          "parallelism": count, "activeDeadlineSeconds": count, "ttlSecondsAfterFinished": count,
          "suspend": ["type": "boolean"],
        ], required: ["template"])
    ], required: ["spec"])

  private static let count: JSONValue = ["type": "integer", "minimum": 0]

  private static let podSpec = object(
    [
      "restartPolicy": ["type": "string", "enum": ["Never", "OnFailure", "Always"]],
      "activeDeadlineSeconds": ["type": "integer", "minimum": 1], "terminationGracePeriodSeconds": count,
      "containers": ["type": "array", "minItems": 1, "items": container],
      "initContainers": ["type": "array", "items": container],
      "volumes": ["type": "array", "items": object(["name": text], required: ["name"])],
    ], required: ["containers"])

  private static let container = object(
    [
      "name": ["type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63], "image": text,
      "command": texts, "args": texts,
      "env": [
        "type": "array",
        "items": object(
          ["name": text, "value": ["type": "string"], "valueFrom": free], required: ["name"]),
      ],
      "envFrom": ["type": "array", "items": free],
      "volumeMounts": [
        "type": "array", "items": object(["name": text, "mountPath": text], required: ["name", "mountPath"]),
      ],
    ], required: ["name", "image"])

  private static let text: JSONValue = ["type": "string", "minLength": 1]
  private static let texts: JSONValue = ["type": "array", "items": ["type": "string"]]

  private static func object(_ properties: JSONValue, required: JSONValue = []) -> JSONValue {
    [
      "type": "object", "properties": properties, "required": required,
      "x-kubernetes-preserve-unknown-fields": true,
    ]
  }
}
