// The Kubernetes objects that only tests have to do with.

import KubernetesModel

/// `v1 Secret`, to be created.
struct Secret: KubernetesObject {
  static let resource = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")

  var metadata: ObjectMeta
  var stringData: [String: String]?
}

/// `v1 Namespace`, as far as tests need it.
struct Namespace: KubernetesObject {
  static let resource = ResourceType(
    group: "",
    version: "v1",
    kind: "Namespace",
    plural: "namespaces",
    isNamespaced: false
  )

  var metadata: ObjectMeta
}
