// Finding single objects, with an answer that helps when there is none.

internal import BucketSyncAPI
internal import KubernetesClient
internal import KubernetesModel

extension ObjectSite {
  /// The policy of that name.
  /// - Throws: ``CommandFailure``.
  func policy(_ name: String) async throws -> BucketSyncPolicy {
    try await find(BucketSyncPolicy.self, .policies, name)
  }

  /// The run of that name.
  /// - Throws: ``CommandFailure``.
  func run(_ name: String) async throws -> BucketSync { try await find(BucketSync.self, .runs, name) }

  /// The runs of a policy, the latest first.
  func runs(of policy: BucketSyncPolicy) async throws -> [BucketSync] {
    try await explaining { try await client.list(BucketSync.self, namespace: namespace).items }
      .filter { $0.metadata.controllerOwner?.uid == policy.metadata.uid }
      .sorted { ($0.age, $0.metadata.name) > ($1.age, $1.metadata.name) }
  }

  /// `name` of what may be `KIND/NAME`.
  /// - Throws: ``CommandFailure`` for another kind than these.
  func split(
    _ text: String, default fallback: ObjectKind, among kinds: [ObjectKind]
  ) throws(CommandFailure) -> (kind: ObjectKind, name: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return (fallback, text) }
    let kind = try ObjectKind.of(parts[0])
    guard kinds.contains(kind) else {
      throw CommandFailure("\(text): must be \(kinds.map { "\($0.singular)/NAME" }.joined(separator: " or "))")
    }
    return (kind, parts[1])
  }

  private func find<O: KubernetesObject>(_ type: O.Type, _ kind: ObjectKind, _ name: String) async throws -> O {
    do {
      return try await client.get(type, ObjectKey(namespace: namespace, name: name))
    } catch {
      guard error.isNotFound else { throw explained(error) }
      throw await missing(kind, name)
    }
  }

  /// There is no object of that name; perhaps one that is called nearly so, or one elsewhere.
  func missing(_ kind: ObjectKind, _ name: String) async -> CommandFailure {
    let all = (try? await client.listMetadata(kind.type, namespace: namespace, labels: kind.selector)) ?? []
    let near = NearNames.suggestion(for: name, among: all.map(\.name))
    guard near.isEmpty else {
      return CommandFailure("there is no \(kind.singular) \"\(name)\" in namespace \(namespace)\(near)")
    }
    let elsewhere = (try? await client.listMetadata(kind.type)) ?? []
    if let other = elsewhere.first(where: { $0.name == name })?.namespace {
      return CommandFailure(
        "there is no \(kind.singular) \"\(name)\" in namespace \(namespace), but in \(other): -n \(other)")
    }
    return CommandFailure(
      "there is no \(kind.singular) \"\(name)\" in namespace \(namespace); see what there is with: "
        + "homelab-helper bucket-sync get \(kind.rawValue) -A")
  }

  /// Does something, and explains its failure.
  func explaining<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as APIError { throw explained(error) }
  }

  /// What is wrong and the way out.
  func explained(_ error: APIError) -> CommandFailure {
    if error.isUnauthorized {
      return CommandFailure("the API server does not accept the credentials of the kubeconfig: \(error)")
    }
    if error.isForbidden { return CommandFailure("\(error); ask for that right, or use another kubeconfig") }
    if case .unreachable = error {
      return CommandFailure("the API server does not answer: \(error)")
    }
    return CommandFailure("\(error)")
  }
}

extension BucketSync {
  /// When it was made, for sorting.
  var age: Int64 { metadata.creationTimestamp?.unixSeconds ?? 0 }
}
