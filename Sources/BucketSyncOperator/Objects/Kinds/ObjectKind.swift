// What `get` and the other commands can be asked for, under the names that people know: short ones, and kubectl's.

internal import BucketSyncAPI
internal import KubernetesModel

/// A kind of objects.
enum ObjectKind: String, CaseIterable, Sendable {
  case policies, runs, jobs, pods, locks

  /// The kind that `name` stands for; `nil` if it is none.
  init?(named name: String) {
    let name = name.lowercased()
    guard let kind = Self.allCases.first(where: { $0.names.contains(name) }) else { return nil }
    self = kind
  }

  var type: ResourceType {
    switch self {
    case .policies: BucketSyncPolicy.resource
    case .runs: BucketSync.resource
    case .jobs: Job.resource
    case .pods: Pod.resource
    case .locks: ConfigMap.resource
    }
  }

  /// What is ours among the objects of the type.
  var selector: String? {
    switch self {
    case .policies, .runs: nil
    case .jobs, .pods: BucketSyncNames.Label.runUID
    case .locks: BucketLocks.selector
    }
  }

  /// One of them.
  var singular: String {
    switch self {
    case .policies: "policy"
    case .runs: "run"
    case .jobs: "job"
    case .pods: "pod"
    case .locks: "lock"
    }
  }

  private var names: [String] {
    let type = type
    let qualified = type.group.isEmpty ? type.plural : "\(type.plural).\(type.group)"
    return switch self {
    case .policies: ["policies", "policy", "bsp", "bucketsyncpolicy", type.plural, qualified]
    case .runs: ["runs", "run", "bs", "bucketsync", type.plural, qualified]
    case .jobs: ["jobs", "job", qualified]
    case .pods: ["pods", "pod", "po"]
    case .locks: ["locks", "lock"]
    }
  }

  static let help = "policies, runs, jobs, pods or locks"

  /// - Throws: ``CommandFailure`` with the kinds that there are.
  static func of(_ name: String) throws(CommandFailure) -> ObjectKind {
    if let kind = ObjectKind(named: name) { return kind }
    let near = NearNames.suggestion(for: name, among: allCases.flatMap { [$0.rawValue, $0.singular] })
    throw CommandFailure("there is no kind \"\(name)\"\(near); say \(help)")
  }
}

/// The ConfigMaps that bucket locks are kept in, as far as commands show them.
enum BucketLocks {
  static let selector = "\(BucketSyncNames.group)/lock=true"

  /// What a lock says.
  struct Lock: Sendable {
    var name: String
    var namespace: String
    var bucket: String
    var side: String
    var holder: String
    var holderUID: String
    var since: Timestamp?

    init(_ object: ConfigMap) {
      let data = object.data ?? [:]
      name = object.metadata.name
      namespace = object.metadata.namespace ?? ""
      bucket = data["bucket"] ?? ""
      side = data["side"] ?? ""
      holder = "\(data["holderNamespace"] ?? "")/\(data["holderName"] ?? "")"
      holderUID = data["holderUID"] ?? ""
      since = data["acquiredAt"].flatMap { Timestamp($0) }
    }
  }
}
