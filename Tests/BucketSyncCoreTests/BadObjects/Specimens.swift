// One of everything that the operator reads from the API server, in good order, to be spoilt.

import BucketLock
import BucketSyncAPI
import KubernetesModel

enum Specimens {
  static let metadata: JSONValue = [
    "name": "nightly", "namespace": "default", "uid": "0b6d", "resourceVersion": "41", "generation": 3,
    "creationTimestamp": "2024-01-15T02:00:00Z", "deletionTimestamp": "2024-01-15T03:00:00Z",
    "labels": ["app.kubernetes.io/managed-by": "bucket-sync", "\(BucketSyncNames.group)/lock": "true"],
    "annotations": ["\(BucketSyncNames.group)/sync-now": "x"], "finalizers": [.string(BucketSyncNames.finalizer)],
    "ownerReferences": [
      ["apiVersion": "batch/v1", "kind": "Job", "name": "nightly", "uid": "77", "controller": true]
    ],
    "managedFields": [["manager": "kubectl", "fieldsV1": ["f:spec": ["f:source": [:]]]]],
  ]

  private static let condition: JSONValue = [
    "type": "Ready", "status": "True", "observedGeneration": 3, "lastTransitionTime": "2024-01-15T02:00:00Z",
    "reason": "Scheduled", "message": "on time",
  ]

  private static let environment: JSONValue = [
    ["name": "TYPE", "value": "s3"], ["name": "KEY", "valueFrom": ["secretKeyRef": ["name": "s", "key": "k"]]],
  ]

  static let policy: JSONValue = [
    "apiVersion": "x/v1", "kind": "BucketSyncPolicy", "metadata": metadata,
    "spec": [
      "source": "a", "destination": "b", "schedule": "0 2 * * *", "sourceEnv": environment,
      "destinationEnv": environment, "syncHistoryLimit": 3, "jobLabels": ["a": "b"], "suspend": false, "timeout": "5m",
      "parameters": ["a": "b"],
    ],
    "status": [
      "lastSyncTime": "2024-01-15T02:00:00Z", "nextSyncTime": "2024-01-16T02:00:00Z", "active": 1, "error": "none",
      "observedGeneration": 3, "conditions": [condition], "lastManualRun": "x",
    ],
  ]

  static let run: JSONValue = [
    "apiVersion": "x/v1", "kind": "BucketSync", "metadata": metadata,
    "spec": [
      "source": "a", "destination": "b", "sourceEnv": environment, "jobLabels": ["a": "b"], "timeout": "5m",
      "parameters": ["a": "b"],
    ],
    "status": [
      "phase": "Sync", "job": "nightly", "jobUID": "77", "startTime": "2024-01-15T02:00:00Z", "duration": "1m5s",
      "finishTime": "2024-01-15T02:01:05Z", "result": "Failed", "error": "no", "notes": ["a": "b"],
      "conditions": [condition, condition],
    ],
  ]

  static let job: JSONValue = [
    "metadata": metadata, "spec": ["activeDeadlineSeconds": 300, "template": ["spec": ["containers": []]]],
    "status": [
      "active": 1, "succeeded": 0, "failed": 1, "startTime": "2024-01-15T02:00:00Z",
      "completionTime": "2024-01-15T02:01:05Z", "conditions": [condition],
    ],
  ]

  static let pod: JSONValue = [
    "metadata": metadata, "spec": ["nodeName": "n"],
    "status": [
      "phase": "Failed", "reason": "Evicted", "message": "no", "startTime": "2024-01-15T02:00:00Z",
      "conditions": [condition],
      "initContainerStatuses": [["name": "i", "state": ["waiting": ["reason": "PodInitializing"]]]],
      "containerStatuses": [
        [
          "name": "rclone", "image": "rclone:1",
          "state": [
            "terminated": [
              "exitCode": 3, "signal": 9, "reason": "Error", "message": "ERROR : x",
              "startedAt": "2024-01-15T02:00:00Z", "finishedAt": "2024-01-15T02:01:00Z",
            ]
          ],
        ], ["name": "two", "state": ["running": ["startedAt": "2024-01-15T02:00:00Z"]]],
      ],
    ],
  ]

  static let lock: JSONValue = [
    "metadata": metadata,
    "data": [
      "bucket": "a", "side": "source", "holderNamespace": "default", "holderName": "nightly", "holderUID": "0b6d",
      "acquiredAt": "2024-01-15T02:00:00Z",
    ],
  ]

  static let lease: JSONValue = [
    "metadata": metadata,
    "spec": [
      "holderIdentity": "pod-1", "leaseDurationSeconds": 15, "acquireTime": "2024-01-15T02:00:00.123456Z",
      "renewTime": "2024-01-15T02:00:00.123456Z", "leaseTransitions": 3,
    ],
  ]

  static let event: JSONValue = [
    "metadata": metadata, "eventTime": "2024-01-15T02:00:00.123456Z", "reason": "RunCreated", "note": "x",
    "series": ["count": 2, "lastObservedTime": "2024-01-15T02:00:00.123456Z"], "type": "Normal",
    "regarding": ["kind": "Job", "name": "nightly", "namespace": "default"],
  ]

  static let status: JSONValue = [
    "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422, "message": "no",
    "details": [
      "name": "x", "kind": "jobs", "retryAfterSeconds": 3,
      "causes": [["reason": "FieldValueInvalid", "message": "no", "field": "spec.schedule"]],
    ],
  ]

  static let all = [policy, run, job, pod, lock, lease, event, status]
}
