// Making one object what its file says: a request that changes nothing first, to learn whether the server takes all of
// it, and then the one that counts. Without a difference there is no write at all.

import KubernetesClient
package import KubernetesModel

/// Applies and deletes single objects.
struct ManifestApplier: Sendable {
  enum Outcome: Sendable {
    case unchanged
    case created
    case changed
    /// Nothing will change that but a change of the file, or of the object.
    case refused([ManifestProblem], stored: ObjectReference?)
    /// To be tried again.
    case later(ManifestProblem, after: Duration?)
  }

  enum Pruning: Sendable {
    /// It is gone, or on its way.
    case deleted
    /// It does not carry the mark any more.
    case released
    case later(ManifestProblem)
  }

  /// How often somebody else may be faster before a pause is made.
  private static let mostConflicts = 5

  let client: KubernetesClient
  let veto: ManifestVeto?

  /// Makes the object what the manifest says.
  /// - Parameter mayExist: Whether there can be one; if not, nothing is asked for first.
  func apply(_ manifest: Manifest, mayExist: Bool) async -> Outcome {
    var mayExist = mayExist
    var conflict: APIError?
    for _ in 0..<Self.mostConflicts {
      do {
        if mayExist, let stored = try await find(manifest.id) { return try await change(stored, manifest) }
        return try await create(manifest)
      } catch {
        guard error.isConflict || error.isAlreadyExists else { return outcome(of: error, manifest, stored: nil) }
        mayExist = true
        conflict = error
      }
    }
    return .later(manifest.problem("\(conflict ?? .cancelled)", severity: .passing), after: nil)
  }

  /// Deletes an object that no file has any more, provided that it came from `file`.
  func prune(_ id: ManifestID, from file: String) async -> Pruning {
    do throws(APIError) {
      guard let stored = try await find(id) else { return .deleted }
      let metadata = stored["metadata"]
      guard metadata["annotations"][ManifestAnnotations.manifest].string == file else { return .released }
      guard metadata["deletionTimestamp"].isNull else { return .deleted }
      try await client.delete(
        id.type, id.key, DeleteOptions(uid: metadata["uid"].string, propagation: .background))
      return .deleted
    } catch {
      if error.isNotFound { return .deleted }
      return .later(
        ManifestProblem(
          "the object is in no file any more, but cannot be deleted: \(error)", severity: .passing, file: file,
          object: "\(id)"))
    }
  }

  private func find(_ id: ManifestID) async throws(APIError) -> JSONValue? {
    do {
      return try await client.get(id.type, id.key)
    } catch {
      guard error.isNotFound else { throw error }
      return nil
    }
  }

  private func create(_ manifest: Manifest) async throws(APIError) -> Outcome {
    let id = manifest.id
    let object = marked(manifest)
    let trial = try await client.create(
      object, of: id.type, namespace: id.key.namespace, WriteOptions(dryRun: true, refusesUnknownFields: true))
    if let refusal = refusal(of: manifest, answer: trial, stored: nil) { return refusal }
    _ = try await client.create(object, of: id.type, namespace: id.key.namespace)
    return .created
  }

  private func change(_ stored: JSONValue, _ manifest: Manifest) async throws(APIError) -> Outcome {
    let id = manifest.id
    let reference = ObjectReference(to: stored)
    guard stored["metadata"]["deletionTimestamp"].isNull else {
      let message = "the object of that name is being deleted; it is made anew when that one is gone"
      return .later(manifest.problem(message, severity: .passing), after: nil)
    }
    let content = ThreeWayMerge.patch(
      wanted: manifest.object, last: ManifestAnnotations.lastApplied(to: stored), stored: stored)
    var patch = content ?? [:]
    for (name, text) in marked(manifest)["metadata"]["annotations"].object ?? [:]
    where Self.ownAnnotations.contains(name) && stored["metadata"]["annotations"][name] != text {
      patch["metadata"]["annotations"][name] = text
    }
    guard patch != [:] else { return .unchanged }
    if content != nil, let veto = veto?(stored, manifest.object) {
      return .refused([manifest.problem(veto.message, field: veto.field)], stored: reference)
    }
    patch["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"]
    do throws(APIError) {
      if content != nil {
        let trial = try await client.patch(
          id.type, id.key, .merge(patch), WriteOptions(dryRun: true, refusesUnknownFields: true))
        if let refusal = refusal(of: manifest, answer: trial, stored: reference) { return refusal }
      }
      _ = try await client.patch(id.type, id.key, .merge(patch))
      return .changed
    } catch {
      guard !error.isConflict, !error.isNotFound else { throw error }
      return outcome(of: error, manifest, stored: reference)
    }
  }

  private static let ownAnnotations = [ManifestAnnotations.lastApplied, ManifestAnnotations.manifest]

  /// The manifest's object as it is to be stored.
  private func marked(_ manifest: Manifest) -> JSONValue {
    var object = manifest.object
    if let text = ManifestAnnotations.lastApplied(of: object) {
      object["metadata"]["annotations"][ManifestAnnotations.lastApplied] = .string(text)
    }
    object["metadata"]["annotations"][ManifestAnnotations.manifest] = .string(manifest.file)
    return object
  }

  /// The refusal that it is when the server has not taken everything.
  private func refusal(of manifest: Manifest, answer: JSONValue, stored: ObjectReference?) -> Outcome? {
    let dropped = DroppedFields.paths(written: manifest.object, answer: answer)
    guard !dropped.isEmpty else { return nil }
    return .refused(dropped.map { manifest.unknown(field: $0) }, stored: stored)
  }

  private func outcome(of error: APIError, _ manifest: Manifest, stored: ObjectReference?) -> Outcome {
    if error.isPassing || error.isNamespaceTerminating {
      return .later(manifest.problem("\(error)", severity: .passing), after: error.retryAfter)
    }
    return .refused(manifest.problems(of: error), stored: stored)
  }
}

/// Says what cannot be done to a stored object although the API would take it, and why: for example, that a run has
/// finished and a change of its spec means nothing.
package typealias ManifestVeto =
  @Sendable (_ stored: JSONValue, _ wanted: JSONValue) -> (field: String?, message: String)?

extension Manifest {
  func unknown(field: String) -> ManifestProblem {
    problem("is no field of \(id.type.kind), or stands in the wrong place", field: field)
  }

  /// What a refusal says about which fields.
  fileprivate func problems(of error: APIError) -> [ManifestProblem] {
    guard case .refused(let status, _) = error else { return [problem("\(error)")] }
    let message = status.message ?? status.reason ?? "status \(status.code ?? 0)"
    let unknown = Self.unknownFields(in: message)
    if !unknown.isEmpty { return unknown.map { self.unknown(field: $0) } }
    let causes = (status.details?.causes ?? []).filter { $0.field?.isEmpty == false }
    // The server quotes values that it does not like; a Secret's must not get into logs.
    let isSecret = id.type.kind == "Secret"
    guard !causes.isEmpty else {
      return [problem(isSecret ? "refused (\(status.reason ?? "invalid")); values of Secrets are not shown" : message)]
    }
    return causes.map { cause in
      problem(isSecret ? cause.reason ?? "is refused" : cause.message ?? message, field: cause.field)
    }
  }

  /// The fields of `strict decoding error: unknown field "spec.schedul", unknown field "spec.x"`.
  private static func unknownFields(in message: String) -> [String] {
    guard message.contains("strict decoding error") else { return [] }
    return message.split(separator: "unknown field \"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
  }
}

extension ObjectReference {
  fileprivate init(to stored: JSONValue) {
    self.init(
      apiVersion: stored["apiVersion"].string, kind: stored["kind"].string,
      namespace: stored["metadata"]["namespace"].string, name: stored["metadata"]["name"].string,
      uid: stored["metadata"]["uid"].string, resourceVersion: stored["metadata"]["resourceVersion"].string)
  }
}
