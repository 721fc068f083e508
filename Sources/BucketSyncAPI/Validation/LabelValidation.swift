// Checks of `jobLabels`: syntax, and keys that belong to Kubernetes or to the controller.
//
// A pod label can steer what selects the pod: the Job controller's own selector, Services, network policies. So keys of
// Kubernetes' domains are refused, except the recommended labels `app.kubernetes.io/…`, which are there for users;
// `managed-by` is not, since the controller sets it itself.

import KubernetesModel

enum LabelValidation {
  /// Problems of `labels`, by key.
  static func problems(in labels: [String: String], field: String) -> [FieldProblem] {
    labels.sorted { $0.key < $1.key }.flatMap { key, value in
      [keyProblem(key), valueProblem(value)].compactMap { message in
        message.map { FieldProblem(field: "\(field)[\(key.debugDescription)]", message: $0) }
      }
    }
  }

  private static func keyProblem(_ key: String) -> String? {
    let parts = key.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let name = parts.last, Naming.isLabelName(name) else {
      return "the key is no label's name; use letters, digits, -, _ and ., a letter or digit at both ends, "
        + "at most \(Naming.labelLimit) characters"
    }
    guard parts.count == 2, let domain = parts.first else {
      return setByJobController.contains(key) ? "is set by the Job controller; use another key" : nil
    }
    guard Naming.isSubdomain(domain) else {
      return "\(domain.debugDescription) in front of the slash is no DNS name; use one such as example.com/\(name)"
    }
    if key == BucketSyncNames.Label.managedBy { return "is set by bucket-sync; use another key" }
    guard let owner = reservedDomains.first(where: { domain == $0 || domain.hasSuffix(".\($0)") }) else { return nil }
    if domain == recommendedDomain { return nil }
    return "the domain \(owner) is reserved; use a domain of your own, none at all, or one of the recommended "
      + "labels \(recommendedDomain)/…"
  }

  private static func valueProblem(_ value: String) -> String? {
    guard !Naming.isLabelValue(value) else { return nil }
    return "the value \(value.debugDescription) is no label's value; use letters, digits, -, _ and ., a letter or "
      + "digit at both ends, at most \(Naming.labelLimit) characters"
  }

  private static let reservedDomains = ["kubernetes.io", "k8s.io", BucketSyncNames.group]
  private static let recommendedDomain = "app.kubernetes.io"
  /// Labels without a domain that the Job controller selects its pods by.
  private static let setByJobController: Set = ["controller-uid", "job-name"]
}
