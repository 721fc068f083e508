// From a BucketSync as it is stored to a RunContext that plugins can rely on.

import BucketSyncAPI
import KubernetesModel

extension RunContext {
  /// Checks the run and puts its context together.
  /// - Throws: ``InvalidRun`` with every problem found.
  static func resolve(_ run: BucketSync, policies: (ObjectKey) -> BucketSyncPolicy?) throws(InvalidRun) -> RunContext {
    let problems = SpecValidation.problems(in: run.spec)
    guard problems.isEmpty,
      let source = try? BucketPath(run.spec.source, field: .source),
      let destination = try? BucketPath(run.spec.destination, field: .destination)
    else { throw InvalidRun(message: problems.map(\.description).joined(separator: "; ")) }
    return RunContext(
      run: run, source: source, destination: destination, policy: run.policy(in: policies),
      scheduledTime: run.metadata.annotations?[BucketSyncNames.Annotation.scheduledAt].flatMap { Timestamp($0) })
  }
}

extension BucketSync {
  /// The policy that controls the run, if it still is the same one.
  func policy(in policies: (ObjectKey) -> BucketSyncPolicy?) -> BucketSyncPolicy? {
    guard let owner = metadata.controllerOwner, owner.kind == BucketSyncPolicy.resource.kind else { return nil }
    let policy = policies(ObjectKey(namespace: metadata.namespace, name: owner.name))
    return policy?.metadata.uid == owner.uid ? policy : nil
  }
}

/// A run whose spec cannot be carried out.
struct InvalidRun: Error {
  let message: String
}
