// What a lock's ConfigMap says.
//
//     metadata:
//       name: bucket-sync-lock-data-3f2a90c1de
//       labels: {app.kubernetes.io/managed-by: bucket-sync, <group>/lock: "true"}
//     data:
//       bucket: data
//       side: source
//       holderNamespace: default
//       holderName: nightly-1705284000
//       holderUID: 0b6d…
//       acquiredAt: "2024-01-15T02:00:00Z"
//
// There is no owner reference: the holder lives in another namespace.

import BucketSyncAPI
import BucketSyncCore
import KubernetesModel
import OperatorRuntime

/// Who holds the lock of a bucket.
struct LockRecord: Sendable, Hashable {
  /// What the bucket is to its holder.
  enum Side: String, Sendable, Hashable {
    case source
    case destination
    case both = "source and destination"
  }

  var bucket: String
  var side: Side
  var holder: RunReference
  /// For people; nothing is decided by it.
  var acquiredAt: String

  /// The record of `run` holding `bucket`.
  init(bucket: String, run: RunContext, at time: Timestamp) {
    self.bucket = bucket
    side =
      switch (run.source.bucket == bucket, run.destination.bucket == bucket) {
      case (true, true): .both
      case (true, false): .source
      default: .destination
      }
    holder = run.reference
    acquiredAt = time.description
  }
}

extension LockRecord {
  /// In a lock that its run has met again: when that was. For people; what counts is that the lock has changed.
  static let renewedAt = "renewedAt"
  static let label = "\(BucketSyncNames.group)/lock"
  /// Selects all locks.
  static let selector = "\(label)=true"

  private enum Key {
    static let bucket = "bucket"
    static let side = "side"
    static let namespace = "holderNamespace"
    static let name = "holderName"
    static let uid = "holderUID"
    static let acquiredAt = "acquiredAt"
  }

  /// The ConfigMap that holds this record.
  func configMap(namespace: String) -> ConfigMap {
    ConfigMap(
      metadata: ObjectMeta(
        name: LockName.of(bucket: bucket),
        namespace: namespace,
        labels: [BucketSyncNames.Label.managedBy: BucketSyncNames.controller, Self.label: "true"]
      ),
      data: [
        Key.bucket: bucket, Key.side: side.rawValue, Key.namespace: holder.namespace, Key.name: holder.name,
        Key.uid: holder.uid, Key.acquiredAt: acquiredAt,
      ]
    )
  }

  /// Reads a record back.
  /// - Throws: ``LockDefect`` when this is no lock that we could have written. Nothing is ever done to such an object.
  init(_ configMap: ConfigMap) throws(LockDefect) {
    guard configMap.metadata.labels?[Self.label] == "true" else { throw .unlabelled }
    func value(_ key: String) throws(LockDefect) -> String {
      guard let value = configMap.data?[key], !value.isEmpty else { throw .missing(key) }
      return value
    }
    bucket = try value(Key.bucket)
    guard LockName.of(bucket: bucket) == configMap.metadata.name else { throw .otherBucket(bucket) }
    holder = RunReference(
      namespace: try value(Key.namespace),
      name: try value(Key.name),
      uid: try value(Key.uid)
    )
    side = configMap.data?[Key.side].flatMap { Side(rawValue: $0) } ?? .both
    acquiredAt = configMap.data?[Key.acquiredAt] ?? ""
  }

  /// The bucket that `configMap` stands for, even if the rest of its record is unreadable.
  static func bucket(of configMap: ConfigMap) -> String? {
    guard let bucket = configMap.data?[Key.bucket], LockName.of(bucket: bucket) == configMap.metadata.name else {
      return nil
    }
    return bucket
  }
}

/// Why a ConfigMap with the name of a lock is none.
enum LockDefect: Error, Sendable, Hashable, CustomStringConvertible {
  case unlabelled
  case missing(String)
  case otherBucket(String)

  var description: String {
    switch self {
    case .unlabelled: "it lacks the label \(LockRecord.label)=true"
    case .missing(let key): "its data has no \(key)"
    case .otherBucket(let bucket): "its data names the bucket \"\(bucket)\""
    }
  }
}

extension ObjectIndex where Object == ConfigMap {
  /// Well-formed locks by the UID of the run that holds them.
  static var holder: Self { Self("holder") { configMap in (try? LockRecord(configMap)).map { [$0.holder.uid] } ?? [] } }
}
