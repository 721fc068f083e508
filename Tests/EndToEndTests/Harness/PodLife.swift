// When each rclone pod was there, pieced together from the history.

import BucketSyncAPI
import KubernetesModel

/// One pod of a run, from its creation to its end.
struct PodLife: Sendable {
  let name: String
  /// The UID of the run that the pod works for.
  let run: String
  /// The version in which the pod appeared.
  let created: UInt64
  /// The version in which all its containers were seen to have ended, or in which it was gone.
  var stopped: UInt64?
  /// When rclone was started and when it ended, by the kubelet's clock.
  var startedAt: Timestamp?
  var finishedAt: Timestamp?

  /// Whether both may have been at work at the same time.
  ///
  /// Pods of different runs must not even exist at the same time. Of one run, the Job controller makes another pod
  /// when the first is being deleted; that one must not start before the first has ended.
  func overlaps(_ other: PodLife) -> Bool {
    guard run == other.run else { return created < (other.stopped ?? .max) && other.created < (stopped ?? .max) }
    guard let startedAt, let otherStart = other.startedAt else { return false }
    let (earlier, laterStart) = startedAt <= otherStart ? (self, otherStart) : (other, startedAt)
    return earlier.finishedAt.map { laterStart < $0 } ?? (earlier.stopped == nil)
  }
}

extension History {
  /// All pods of runs that there have been.
  var podLives: [PodLife] {
    var lives: [String: PodLife] = [:]
    for moment in pods {
      let pod = moment.object
      guard let uid = pod.metadata.uid, let run = pod.metadata.labels?[BucketSyncNames.Label.runUID] else { continue }
      var life = lives[uid] ?? PodLife(name: pod.metadata.name, run: run, created: moment.version)
      let containers = pod.status?.containerStatuses ?? []
      for container in containers {
        life.startedAt = container.state?.running?.startedAt ?? container.state?.terminated?.startedAt ?? life.startedAt
        life.finishedAt = container.state?.terminated?.finishedAt ?? life.finishedAt
      }
      let hasEnded = !containers.isEmpty && containers.allSatisfy { $0.state?.terminated != nil }
      if life.stopped == nil, hasEnded || moment.change == .deleted { life.stopped = moment.version }
      lives[uid] = life
    }
    return lives.values.sorted { $0.created < $1.created }
  }

  /// The run's UIDs with the buckets that each of them is about.
  var bucketsByRun: [String: Set<String>] {
    var buckets: [String: Set<String>] = [:]
    for moment in runs {
      let spec = moment.object.spec
      buckets[moment.object.metadata.uid ?? ""] = Set(
        [spec.source, spec.destination].compactMap { path in
          path.split(separator: ":").last?.split(separator: "/").first.map(String.init)
        }
      )
    }
    return buckets
  }
}
