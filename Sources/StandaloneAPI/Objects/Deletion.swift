// Deleting: at once, or by a mark that finalizers, the garbage collector or a pod's grace period hold up.

import KubernetesModel

extension ObjectVerbs {
  /// What a deletion came to.
  struct Deleted: Sendable {
    /// The object as it last was, or as it now waits.
    var object: JSONValue
    var isGone: Bool
  }

  /// - Parameter request: `metav1.DeleteOptions`.
  mutating func delete(
    _ target: RequestTarget, _ request: JSONValue, _ options: WriteOptions
  ) throws(Refusal) -> Deleted {
    let old = try object(target)
    guard let address = target.address else { throw .notFound(target) }
    try checkPreconditions(request["preconditions"], old, target)
    var new = old
    new["metadata"]["finalizers"] = .array(finalizers(of: old, address, request).map { .string($0) })
    if new.finalizers.isEmpty { new["metadata"].removeMember("finalizers") }
    let grace = gracePeriod(of: old, target, request)
    if new.finalizers.isEmpty, grace == 0, !target.hasContents {
      return Deleted(object: try remove(address, old, options), isGone: true)
    }
    if target.hasContents { new["status"]["phase"] = "Terminating" }
    // Asking again can shorten what is left, never lengthen it.
    let given = old["metadata"]["deletionGracePeriodSeconds"].integer
    if !old.isBeingDeleted || grace < given ?? 0 {
      let end = Timestamp(unixSeconds: options.now.unixSeconds + grace)
      new["metadata"]["deletionTimestamp"] = .string(end.description)
      new["metadata"]["deletionGracePeriodSeconds"] = .integer(grace)
    }
    let object = try store(address, new, over: old, target, options)
    return Deleted(object: object, isGone: false)
  }

  private func checkPreconditions(
    _ preconditions: JSONValue, _ old: JSONValue, _ target: RequestTarget
  ) throws(Refusal) {
    for (field, name) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
      guard let wanted = preconditions[field].string, wanted != old["metadata"][field].string else { continue }
      throw .conflict(
        target,
        "Precondition failed: \(name) in precondition: \(wanted), \(name) in object meta: "
          + "\(old["metadata"][field].string ?? "")")
    }
  }

  private func finalizers(of old: JSONValue, _ address: ObjectAddress, _ request: JSONValue) -> [String] {
    let isJob = address.resource == ResourceDefinition.jobs.storageName
    let before = old.finalizers.filter { ![Self.foreground, Self.orphan].contains($0) }
    // Jobs have kept their pods by default ever since, unlike everything else.
    switch request["propagationPolicy"].string ?? (request["orphanDependents"] == true || isJob ? "Orphan" : "") {
    case "Foreground": return before + [Self.foreground]
    case "Orphan": return before + [Self.orphan]
    case "Background": return before
    default: return old.finalizers
    }
  }

  /// In seconds; zero for everything but pods that somebody runs.
  private func gracePeriod(of old: JSONValue, _ target: RequestTarget, _ request: JSONValue) -> Int64 {
    guard target.definition.storageName == ResourceDefinition.pods.storageName else { return 0 }
    let hasEnded = ["Succeeded", "Failed"].contains(old["status"]["phase"].string)
    guard let node = old["spec"]["nodeName"].string, !node.isEmpty, !hasEnded else { return 0 }
    return max(
      0, request["gracePeriodSeconds"].integer ?? old["spec"]["terminationGracePeriodSeconds"].integer ?? 30)
  }
}
