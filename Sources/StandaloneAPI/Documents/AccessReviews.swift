// What may I do, who am I (`kubectl auth`): whoever gets as far as asking may do everything.

import KubernetesClient
import KubernetesModel

enum AccessReviews {
  private static let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
  private static let rules = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
  private static let identity = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

  /// The answer to a review; `nil` when the request is none.
  static func answer(_ request: APIRequest) throws(Refusal) -> APIResponse? {
    guard request.method == .post else { return nil }
    let answer: JSONValue
    switch request.path {
    case review:
      answer = [
        "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": [:], "spec": [:],
        "status": ["allowed": true],
      ]
    case rules:
      answer = [
        "kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "metadata": [:], "spec": [:],
        "status": [
          "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
          "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]], "incomplete": false,
        ],
      ]
    case identity:
      answer = [
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": [:],
        "status": ["userInfo": ["username": "bucket-sync", "groups": ["system:masters"]]],
      ]
    default: return nil
    }
    return .json(201, try ObjectVerbs.encoded(answer))
  }
}
