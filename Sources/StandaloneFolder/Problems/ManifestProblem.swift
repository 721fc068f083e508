// What is wrong with a manifest, so that whoever wrote it finds the place.
//
//     policies/nightly.yaml:12:5: BucketSyncPolicy default/nightly: spec.schedule: "@dayly" is no schedule

package import KubernetesClient

/// Something in the folder that is not applied, or not as it is written.
package struct ManifestProblem: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Severity: Sendable, Hashable {
    /// Left out on purpose; nothing is to be done unless the author thinks otherwise.
    case notice
    /// Somebody has to look at it.
    case error
    /// It will be tried again.
    case passing
  }

  package var severity: Severity
  /// The file, relative to the folder; empty for the folder itself.
  package var file: String
  package var place: YAMLPlace?
  /// The object, `BucketSyncPolicy default/nightly`.
  package var object: String?
  /// The field, `spec.schedule`.
  package var field: String?
  package var message: String

  package init(
    _ message: String, severity: Severity = .error, file: String, place: YAMLPlace? = nil, object: String? = nil,
    field: String? = nil
  ) {
    self.severity = severity
    self.file = file
    self.place = place
    self.object = object
    self.field = field
    self.message = message
  }

  /// Where and what, in one line.
  package var description: String { ([location, object, field].compactMap { $0 } + [message]).joined(separator: ": ") }

  /// `policies/nightly.yaml:12:5`, as compilers write it.
  private var location: String? {
    guard !file.isEmpty else { return nil }
    return file + (place.map { ":\($0.line):\($0.column)" } ?? "")
  }
}
