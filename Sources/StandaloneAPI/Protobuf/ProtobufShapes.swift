// The messages that are read: field numbers are those of `generated.proto` in k8s.io/api and k8s.io/apimachinery.

enum ProtobufShapes {
  static let all: [String: [Int: ProtobufField]] = [
    "v1/Namespace": [1: metadata, 2: .init("spec", .ignored), 3: status],
    "v1/ConfigMap": [
      1: metadata, 2: .init("data", .map(.text)), 3: .init("binaryData", .map(.bytes)), 4: .init("immutable", .setFlag),
    ],
    "v1/Secret": [
      1: metadata, 2: .init("data", .map(.bytes)), 3: .init("type"), 4: .init("stringData", .map(.text)),
      5: .init("immutable", .setFlag),
    ],
    "v1/Pod": [1: metadata, 2: .init("spec", .message(podSpec)), 3: status],
    "batch/v1/Job": [1: metadata, 2: .init("spec", .message(jobSpec)), 3: status],
    "DeleteOptions": [
      1: .init("gracePeriodSeconds", .setNumber),
      2: .init("preconditions", .message([1: .init("uid"), 2: .init("resourceVersion")])),
      3: .init("orphanDependents", .setFlag), 4: .init("propagationPolicy"), 5: .init("dryRun", .list(.text)),
    ],
  ]

  private static let metadata = ProtobufField("metadata", .message(objectMeta))
  private static let status = ProtobufField("status", .ignored)

  private static let objectMeta: [Int: ProtobufField] = [
    1: .init("name"), 2: .init("generateName"), 3: .init("namespace"), 5: .init("uid"), 6: .init("resourceVersion"),
    8: .init("creationTimestamp", .ignored), 11: .init("labels", .map(.text)), 12: .init("annotations", .map(.text)),
    13: .init("ownerReferences", .list(.message(ownerReference))), 14: .init("finalizers", .list(.text)),
    17: .init("managedFields", .ignored),
  ]

  private static let ownerReference: [Int: ProtobufField] = [
    1: .init("kind"), 3: .init("name"), 4: .init("uid"), 5: .init("apiVersion"), 6: .init("controller", .setFlag),
    7: .init("blockOwnerDeletion", .setFlag),
  ]

  private static let jobSpec: [Int: ProtobufField] = [
    1: .init("parallelism", .setNumber), 2: .init("completions", .setNumber),
    3: .init("activeDeadlineSeconds", .setNumber),
    6: .init("template", .message([1: metadata, 2: .init("spec", .message(podSpec))])),
    7: .init("backoffLimit", .setNumber), 8: .init("ttlSecondsAfterFinished", .setNumber), 9: .init("completionMode"),
    10: .init("suspend", .setFlag),
  ]

  private static let podSpec: [Int: ProtobufField] = [
    2: .init("containers", .list(.message(container))), 3: .init("restartPolicy"),
    4: .init("terminationGracePeriodSeconds", .setNumber), 5: .init("activeDeadlineSeconds", .setNumber),
    6: .init("dnsPolicy"), 8: .init("serviceAccountName"), 9: .init("serviceAccount"), 19: .init("schedulerName"),
    20: .init("initContainers", .list(.message(container))),
  ]

  private static let container: [Int: ProtobufField] = [
    1: .init("name"), 2: .init("image"), 3: .init("command", .list(.text)), 4: .init("args", .list(.text)),
    5: .init("workingDir"), 7: .init("env", .list(.message(variable))), 14: .init("imagePullPolicy"),
    16: .init("stdin", .flag), 17: .init("stdinOnce", .flag), 18: .init("tty", .flag),
  ]

  private static let variable: [Int: ProtobufField] = [1: .init("name"), 2: .init("value")]
}
