// In which form a client wants objects: as they are, as a table to print, or their metadata only. kubectl asks for
// tables first:
//
//     application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json

import KubernetesClient

/// The form of an answer.
enum AnswerForm: Sendable, Hashable {
  case objects
  /// `metav1.Table` of this version.
  case table(version: String)
  /// `metav1.PartialObjectMetadata`
  case metadata

  /// The first form that a client takes and this server has.
  /// - Throws: A refusal when there is none.
  init(_ request: APIRequest) throws(Refusal) {
    guard let accept = request.accept, !accept.isEmpty else {
      self = .objects
      return
    }
    for range in accept.split(separator: ",") {
      var parts = range.split(separator: ";").map { $0.filter { $0 != " " } }
      guard !parts.isEmpty, ["application/json", "application/*", "*/*"].contains(parts.removeFirst()) else { continue }
      let parameters = Dictionary(
        parts.map { part in
          let pair = part.split(separator: "=", maxSplits: 1)
          return (pair.first.map(String.init) ?? "", pair.count > 1 ? String(pair[1]) : "")
        }, uniquingKeysWith: { first, _ in first })
      guard let form = parameters["as"] else {
        self = .objects
        return
      }
      guard parameters["g"] == "meta.k8s.io", let version = parameters["v"], ["v1", "v1beta1"].contains(version) else {
        continue
      }
      switch form {
      case "Table": self = .table(version: version)
      case "PartialObjectMetadata", "PartialObjectMetadataList": self = .metadata
      default: continue
      }
      return
    }
    throw Refusal(406, "NotAcceptable", "only the following media types are accepted: application/json")
  }
}
