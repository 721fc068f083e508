// The containers that really run, whatever the API says of them.

import BucketSyncAPI
import KubernetesModel

/// A container that runs.
struct Container {
  var pod: String
  var runUID: String
  var buckets: Set<String>
}

/// All containers that run now, and how those ended that ran before.
final class Containers {
  /// By the UID of the pod.
  private(set) var running: [String: Container] = [:]
  /// Pods whose container has run and ended.
  private(set) var ended: Set<String> = []
  /// Told when a container starts, with those that run already.
  var onStart: (Container, [Container]) -> Void = { _, _ in }
  var onEnd: (Container) -> Void = { _ in }

  func start(_ pod: JSONValue) {
    let places = (pod["spec"]["containers"][0]["args"].array ?? []).compactMap(\.string).dropFirst()
    let buckets = places.compactMap { $0.split(separator: ":").last?.split(separator: "/").first.map(String.init) }
    let container = Container(
      pod: pod.name, runUID: pod.label(BucketSyncNames.Label.runUID) ?? "", buckets: Set(buckets))
    onStart(container, running.sorted { $0.key < $1.key }.map(\.value))
    running[pod.uid] = container
  }

  func end(_ podUID: String) {
    guard let container = running.removeValue(forKey: podUID) else { return }
    ended.insert(podUID)
    onEnd(container)
  }
}
