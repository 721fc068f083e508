// JobPlan: the name and the Job that the plugins make of a run, checked and pinned by the core.
//
// Whatever hooks did to it, the Job belongs to its run, can be found again, and has one pod at a time.

import BucketSyncAPI
import KubernetesModel

/// The Job that is to be created for a run.
package struct JobPlan: Sendable {
  package let name: String
  package let manifest: JobManifest

  /// Asks the plugins for a name and a Job. A name that was recorded before is kept.
  /// - Throws: ``BlockedRun`` naming the plugin at fault.
  package static func make(
    _ context: RunContext, plugins: PluginRegistry, recordedName: String?
  ) async throws -> JobPlan {
    let name: String
    if let recordedName { name = recordedName } else { name = try await jobName(context, plugins: plugins) }
    guard let builder = plugins.builder else { throw PluginError.missingProvider(point: "buildJob") }
    var manifest = try await blaming(builder.plugin, point: "buildJob") {
      try await builder.hook.buildJob(context, name: name)
    }
    for transformer in plugins.transformers {
      let draft = manifest
      manifest = try await blaming(transformer.plugin, point: "buildJob") {
        let changed = try await transformer.hook.buildJob(context, job: draft)
        try JobProblem.check(changed)
        return changed
      }
    }
    try blaming(builder.plugin, point: "buildJob") { try JobProblem.check(manifest) }
    return JobPlan(name: name, manifest: pinned(manifest, name: name, run: context.run))
  }

  private static func jobName(_ context: RunContext, plugins: PluginRegistry) async throws -> String {
    var name = Naming.shortened(context.run.metadata.name, limit: Naming.labelLimit)
    for entry in plugins.jobName {
      let proposed = name
      name = try await blaming(entry.plugin, point: "jobName") {
        let name = try await entry.hook.jobName(context, proposed: proposed)
        try JobProblem.check(name: name)
        return name
      }
    }
    return name
  }

  private static func pinned(_ draft: JobManifest, name: String, run: BucketSync) -> JobManifest {
    var job = draft
    job.json["apiVersion"] = .string(Job.resource.apiVersion)
    job.json["kind"] = .string(Job.resource.kind)
    job.json.removeMember("status")
    for field in ["generateName", "uid", "resourceVersion", "creationTimestamp", "managedFields", "finalizers"] {
      job.json["metadata"].removeMember(field)
    }
    let owner = run.controllerReference()
    job.json["metadata"]["name"] = .string(name)
    job.json["metadata"]["namespace"] = run.metadata.namespace.map { .string($0) } ?? .null
    job.json["metadata"]["ownerReferences"] = [
      [
        "apiVersion": .string(owner.apiVersion), "kind": .string(owner.kind), "name": .string(owner.name),
        "uid": .string(owner.uid), "controller": true,
      ]
    ]
    job.json["spec"]["parallelism"] = 1
    job.json["spec"]["completions"] = 1
    keepPodsApart(&job, uid: owner.uid)
    for (key, value) in run.identifyingLabels {
      job.json["metadata"]["labels"][key] = .string(value)
      job.podMetadata["labels"][key] = .string(value)
    }
    return job
  }

  /// Sees to it that a pod which replaces a deleted one does not start while that one still stops.
  ///
  /// The Job controller is told so, which servers before 1.29 ignore; they replace a pod as soon as it is told to go.
  /// So the scheduler is told too: it counts a pod until it is gone, and since all nodes that rclone can run on have
  /// the same value of this label, there is no node for a second pod of the run.
  private static func keepPodsApart(_ job: inout JobManifest, uid: String) {
    job.json["spec"]["podReplacementPolicy"] = "Failed"
    let term: JSONValue = [
      "topologyKey": "kubernetes.io/os",
      "labelSelector": ["matchLabels": [BucketSyncNames.Label.runUID: .string(uid)]],
    ]
    let required = "requiredDuringSchedulingIgnoredDuringExecution"
    let others = job.podSpec["affinity"]["podAntiAffinity"][required].array ?? []
    job.podSpec["affinity"]["podAntiAffinity"][required] = .array(others + [term])
  }

  /// Runs a plugin's code; an error becomes a ``BlockedRun`` that names the plugin.
  private static func blaming<Value>(
    _ plugin: String, point: String, _ body: () async throws -> Value
  ) async throws -> Value {
    do { return try await body() } catch { throw BlockedRun(plugin: plugin, point: point, error: error) }
  }

  private static func blaming(_ plugin: String, point: String, _ body: () throws -> Void) throws(BlockedRun) {
    do { try body() } catch { throw BlockedRun(plugin: plugin, point: point, error: error) }
  }
}

/// A run that cannot go on because of a plugin; it is tried again until the plugin works.
package struct BlockedRun: Error, CustomStringConvertible {
  package let plugin: String
  package let point: String
  package let reason: String

  init(plugin: String, point: String, error: any Error) {
    self.plugin = plugin
    self.point = point
    reason = "\(error)"
  }

  package var description: String { "plugin \(plugin) failed at \(point): \(reason)" }
}

extension BucketSync {
  /// The labels by which the run's Job and pods are known.
  var identifyingLabels: [String: String] {
    var labels = [
      BucketSyncNames.Label.managedBy: BucketSyncNames.controller,
      BucketSyncNames.Label.runUID: metadata.uid ?? "",
    ]
    if metadata.name.utf8.count <= Naming.labelLimit { labels[BucketSyncNames.Label.run] = metadata.name }
    labels[BucketSyncNames.Label.policy] = metadata.labels?[BucketSyncNames.Label.policy]
    return labels
  }
}
