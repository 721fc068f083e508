import BucketSyncAPI
import BucketSyncCore
import KubernetesModel
import RcloneJob
import Testing

@Suite("The Job that runs rclone")
struct ManifestTests {
  private func job(
    source: String = "data/backups",
    destination: String = "archive/backups",
    sourceEnv: [EnvVar]? = nil,
    destinationEnv: [EnvVar]? = nil,
    labels: [String: String]? = nil,
    timeout: String? = nil,
    policy: String? = nil
  ) async throws -> JobManifest {
    var metadata = ObjectMeta(name: "nightly-1705284000", namespace: "default")
    metadata.uid = "run-uid"
    let spec = BucketSync.Spec(
      source: source,
      destination: destination,
      sourceEnv: sourceEnv,
      destinationEnv: destinationEnv,
      jobLabels: labels,
      timeout: timeout
    )
    let run = RunContext(
      run: BucketSync(metadata: metadata, spec: spec),
      source: try BucketPath(source, field: .source),
      destination: try BucketPath(destination, field: .destination)
    )
    return try await RcloneJob(image: "docker.io/rclone/rclone:1.75.2", imagePullPolicy: policy)
      .buildJob(run, name: "nightly")
  }

  @Test("it is one pod that runs once, with as few rights as a pod can have")
  func whole() async throws {
    #expect(
      try await job(labels: ["app": "sync"], timeout: "1h30m").json == [
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": ["name": "nightly", "labels": ["app": "sync"]],
        "spec": [
          "activeDeadlineSeconds": 5400,
          "backoffLimit": 0,
          "completions": 1,
          "parallelism": 1,
          "template": [
            "metadata": ["labels": ["app": "sync"]],
            "spec": [
              "automountServiceAccountToken": false,
              "containers": [
                [
                  "name": "rclone",
                  "image": "docker.io/rclone/rclone:1.75.2",
                  "command": ["rclone"],
                  "args": ["sync", "source:data/backups", "destination:archive/backups"],
                  "env": [
                    ["name": "RCLONE_CONFIG", "value": ""],
                    ["name": "RCLONE_CACHE_DIR", "value": "/tmp/rclone"],
                    ["name": "RCLONE_STATS", "value": "2s"],
                    ["name": "RCLONE_STATS_ONE_LINE", "value": "true"],
                    ["name": "RCLONE_STATS_LOG_LEVEL", "value": "NOTICE"],
                  ],
                  "securityContext": [
                    "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                    "capabilities": ["drop": ["ALL"]],
                  ],
                  "terminationMessagePolicy": "FallbackToLogsOnError",
                  "volumeMounts": [["name": "tmp", "mountPath": "/tmp"]],
                ]
              ],
              "enableServiceLinks": false,
              "restartPolicy": "Never",
              "securityContext": [
                "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
                "seccompProfile": ["type": "RuntimeDefault"],
              ],
              "terminationGracePeriodSeconds": 30,
              "volumes": [["name": "tmp", "emptyDir": [:]]],
            ],
          ],
        ],
      ]
    )
  }

  @Test("variables are prefixed by their side and passed on as they are")
  func variables() async throws {
    let secret: JSONValue = ["secretKeyRef": ["name": "creds", "key": "id", "optional": true]]
    let future: JSONValue = ["somethingNewRef": ["deep": [1, true, nil]]]
    let manifest = try await job(
      sourceEnv: [EnvVar(name: "TYPE", value: "s3"), EnvVar(name: "ACCESS_KEY_ID", valueFrom: secret)],
      destinationEnv: [EnvVar(name: "type", value: ""), EnvVar(name: "X", valueFrom: future), EnvVar(name: "EMPTY")]
    )
    let variables = manifest.podSpec["containers"][0]["env"].array ?? []
    #expect(
      Array(variables.dropFirst(5)) == [
        ["name": "RCLONE_CONFIG_SOURCE_TYPE", "value": "s3"],
        ["name": "RCLONE_CONFIG_SOURCE_ACCESS_KEY_ID", "valueFrom": secret],
        ["name": "RCLONE_CONFIG_DESTINATION_type", "value": ""],
        ["name": "RCLONE_CONFIG_DESTINATION_X", "valueFrom": future],
        ["name": "RCLONE_CONFIG_DESTINATION_EMPTY"],
      ]
    )
  }

  @Test("a path that looks like a reference to a variable is not expanded by Kubernetes")
  func noExpansion() async throws {
    let manifest = try await job(source: "data/$(RCLONE_CONFIG_SOURCE_SECRET_ACCESS_KEY)", destination: "a$b/grüße ☃")
    #expect(
      manifest.podSpec["containers"][0]["args"] == [
        "sync", "source:data/$$(RCLONE_CONFIG_SOURCE_SECRET_ACCESS_KEY)", "destination:a$$b/grüße ☃",
      ]
    )
  }

  @Test("the pull policy is set when one is asked for")
  func pullPolicy() async throws {
    #expect(try await job(policy: "Never").podSpec["containers"][0]["imagePullPolicy"] == "Never")
  }

  @Test("without a timeout there is no deadline")
  func noTimeout() async throws { #expect(try await job().json["spec"]["activeDeadlineSeconds"].isNull) }
}
