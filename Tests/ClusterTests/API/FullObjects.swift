// One object of each kind with every field set.

import BucketSyncAPI
import KubernetesModel

enum FullObjects {
  private static let time = Timestamp(unixSeconds: 1_705_284_000)

  private static let variables = [
    EnvVar(name: "TYPE", value: "s3"),
    EnvVar(name: "KEY", valueFrom: ["secretKeyRef": ["name": "keys", "key": "id", "optional": true]]),
  ]

  private static func condition(_ type: String) -> Condition {
    Condition(
      type: type,
      status: .yes,
      observedGeneration: 1,
      lastTransitionTime: time,
      reason: "Tested",
      message: "as it should be"
    )
  }

  static var policy: BucketSyncPolicy {
    var policy = BucketSyncPolicy(
      metadata: ObjectMeta(name: "full"),
      spec: BucketSyncPolicy.Spec(
        source: "a",
        destination: "b",
        schedule: "@daily",
        sourceEnv: variables,
        destinationEnv: variables,
        syncHistoryLimit: 3,
        jobLabels: ["app": "sync"],
        suspend: true,
        timeout: "1h30m",
        parameters: ["bwlimit": "10M"]
      )
    )
    var status = BucketSyncPolicy.Status()
    status.lastSyncTime = time
    status.nextSyncTime = time
    status.lastSuccessfulTime = time
    status.lastScheduleTime = time
    status.active = 1
    status.error = "an error"
    status.lastReconciledTime = time
    status.observedGeneration = 1
    status.conditions = [condition(BucketSyncPolicy.ConditionType.ready)]
    status.lastManualRun = "full-1"
    policy.status = status
    return policy
  }

  static var run: BucketSync {
    var run = BucketSync(metadata: ObjectMeta(name: "full"), spec: BucketSync.Spec(policy.spec))
    var status = BucketSync.Status()
    status.phase = .finished
    status.job = "full"
    status.jobUID = "e4a3a8b0-0000-0000-0000-000000000000"
    status.startTime = time
    status.finishTime = time
    status.result = .succeeded
    status.duration = "1m5s"
    status.error = "an error"
    status.lastReconciledTime = time
    status.observedGeneration = 1
    status.conditions = [
      condition(BucketSync.ConditionType.locksAcquired), condition(BucketSync.ConditionType.complete),
      condition(BucketSync.ConditionType.failed),
    ]
    status.notes = ["objects": "7"]
    run.status = status
    return run
  }
}
