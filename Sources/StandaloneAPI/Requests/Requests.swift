// Requests that are answered at once: who answers which. Reading and Writing beside this file do it.

import FoundationEssentials
package import KubernetesClient
import KubernetesModel

extension EmbeddedAPIServer: APITransport {
  package func send(_ request: APIRequest) async throws -> APIResponse {
    try Task.checkCancellation()
    do throws(Refusal) {
      if request.method == .get, let answer = catalog.discovery(request.path) {
        return .json(200, try ObjectVerbs.encoded(answer))
      }
      if request.method == .get, let document = try catalog.openAPI(request) { return document }
      if let review = try AccessReviews.answer(request) { return review }
      let target = try RequestTarget(path: request.path, in: catalog)
      if target.subresource == "log" {
        return try await log(target, request)
      }
      return try answer(request, target)
    } catch {
      return error.response
    }
  }

  private func answer(_ request: APIRequest, _ target: RequestTarget) throws(Refusal) -> APIResponse {
    guard target.subresource == nil || (target.subresource == "status" && target.definition.hasStatus) else {
      throw Refusal(404, "NotFound", "the server could not find the requested resource")
    }
    let definition = target.definition
    guard request.method == .get || !definition.isReadOnly else {
      throw Refusal(
        405, "MethodNotAllowed", "\(definition.type.plural) are those of this program, and cannot be written here")
    }
    switch (request.method, target.name) {
    case (.get, nil): return .json(200, try list(target, request))
    case (.get, _): return .json(200, try get(target, request))
    case (.post, nil):
      let draft = definition.stored(try request.json)
      return try written(201, target, request) { verbs, options throws(Refusal) in
        try verbs.create(target, draft, options)
      }
    case (.put, .some):
      let wanted = definition.stored(try request.json)
      try requireVersion(wanted, target)
      return try written(200, target, request) { verbs, options throws(Refusal) in
        try verbs.change(target, options) { _ throws(Refusal) in wanted }
      }
    case (.patch, .some):
      try Self.checkPatchType(request, target)
      let patch = try request.json
      return try written(200, target, request) { verbs, options throws(Refusal) in
        try verbs.change(target, options) { old throws(Refusal) in
          definition.stored(try Self.patched(definition.served(old), patch, request, target))
        }
      }
    case (.delete, .some): return try delete(target, request)
    case (.delete, nil): return try deleteAll(target, request)
    default: throw Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }
  }
}

extension APIRequest {
  /// The largest body, in bytes: more than any object of ours, and what kube-apiserver takes.
  private static let bodyLimit = 3 << 20

  func value(_ name: String) -> String? { query.first { $0.name == name }?.value }

  var json: JSONValue {
    get throws(Refusal) {
      guard let body, !body.isEmpty else { throw .badRequest("the request has no body") }
      guard body.count <= Self.bodyLimit else {
        throw Refusal(413, "RequestEntityTooLarge", "the body is larger than \(Self.bodyLimit) bytes")
      }
      switch contentType {
      case ProtobufReader.mediaType: return try ProtobufReader.object(body)
      case "application/yaml":
        do {
          return try YAML.document(in: String(decoding: body, as: UTF8.self))
        } catch {
          throw .badRequest("the body of the request cannot be read as YAML: \(error)")
        }
      default:
        do {
          return try JSON.decode(JSONValue.self, from: body)
        } catch {
          throw .badRequest("the body of the request cannot be read as JSON: \(error)")
        }
      }
    }
  }
}

extension APIResponse {
  static func json(_ statusCode: Int, _ body: Data) -> APIResponse {
    APIResponse(statusCode: statusCode, headers: ["content-type": "application/json"], body: body)
  }
}

extension APIStream {
  /// Everything, once it has ended.
  func whole() async throws -> Data {
    var data = Data()
    for try await piece in body { data.append(piece) }
    return data
  }
}
