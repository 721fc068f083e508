// The Job that runs `rclone sync`: one pod, never restarted, with as few rights as a pod can have.

import BucketSyncAPI
import BucketSyncCore
import KubernetesModel

/// Writes Jobs.
struct RcloneManifest: Sendable {
  /// Name of the container that runs rclone.
  static let container = "rclone"

  let image: String
  let imagePullPolicy: String?

  /// The Job of a run. The core adds what ties it to the run.
  func job(for run: RunContext, name: String) throws -> JobManifest {
    let spec = run.run.spec
    let labels = JSONValue(spec.jobLabels ?? [:])
    var job: JSONValue = [
      "apiVersion": .string(Job.resource.apiVersion),
      "kind": .string(Job.resource.kind),
      "metadata": ["name": .string(name), "labels": labels],
      "spec": [
        // Whether and when to try again is up to the policy: a second pod could meet the first one still at work.
        "backoffLimit": 0,
        "completions": 1,
        "parallelism": 1,
        "template": ["metadata": ["labels": labels], "spec": podSpec(run)],
      ],
    ]
    if let timeout = spec.timeout {
      job["spec"]["activeDeadlineSeconds"] = .integer(try DurationText.wholeSeconds(timeout))
    }
    return JobManifest(job)
  }

  private func podSpec(_ run: RunContext) -> JSONValue {
    [
      "restartPolicy": "Never",
      "automountServiceAccountToken": false,
      "enableServiceLinks": false,
      // rclone ends at once when told to; this is for pending network calls of backends that do not.
      "terminationGracePeriodSeconds": 30,
      "securityContext": [
        "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
        "seccompProfile": ["type": "RuntimeDefault"],
      ],
      "containers": [container(run)],
      "volumes": [["name": "tmp", "emptyDir": [:]]],
    ]
  }

  private func container(_ run: RunContext) -> JSONValue {
    var container: JSONValue = [
      "name": .string(Self.container),
      "image": .string(image),
      "command": ["rclone"],
      "args": ["sync", Self.literal(run.source.rclone), Self.literal(run.destination.rclone)],
      "env": .array(
        Self.settings + Self.prefixed("RCLONE_CONFIG_SOURCE_", run.run.spec.sourceEnv)
          + Self.prefixed("RCLONE_CONFIG_DESTINATION_", run.run.spec.destinationEnv)
      ),
      // The last lines of the log come with the pod's status, so that nobody has to ask for them.
      "terminationMessagePolicy": "FallbackToLogsOnError",
      "securityContext": [
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": ["drop": ["ALL"]],
      ],
      "volumeMounts": [["name": "tmp", "mountPath": "/tmp"]],
    ]
    if let imagePullPolicy { container["imagePullPolicy"] = .string(imagePullPolicy) }
    return container
  }

  /// What rclone needs on a read-only root: its configuration in memory (which is what an empty path means to it, and
  /// silences the notice about a missing file), and its cache where it may write. And what it is to tell.
  private static let settings: [JSONValue] = [
    ["name": "RCLONE_CONFIG", "value": ""],
    ["name": "RCLONE_CACHE_DIR", "value": "/tmp/rclone"],
    // A line on progress every other second, for `trigger --wait`. One at a time, since the last 2048 bytes of the log tell
    // why a run failed; LogDigest passes these lines over.
    ["name": "RCLONE_STATS", "value": "2s"],
    ["name": "RCLONE_STATS_ONE_LINE", "value": "true"],
    ["name": "RCLONE_STATS_LOG_LEVEL", "value": "NOTICE"],
  ]

  private static func prefixed(_ prefix: String, _ variables: [EnvVar]?) -> [JSONValue] {
    (variables ?? []).map { variable in
      var json: JSONValue = ["name": .string(prefix + variable.name)]
      if let value = variable.value { json["value"] = .string(value) }
      if let valueFrom = variable.valueFrom { json["valueFrom"] = valueFrom }
      return json
    }
  }

  /// `text` as an argument in which Kubernetes expands no `$(VARIABLE)`.
  private static func literal(_ text: String) -> JSONValue {
    .string(text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$"))
  }
}
