// From an HTTP request to an APIRequest.

import FoundationEssentials
import KubernetesClient
import NIOCore
import NIOHTTP1

enum FrontRequest {
  /// What cannot be a request to the API, by its head.
  static func refusal(of head: HTTPRequestHead) -> Refusal? {
    guard head.version == .http1_1 else {
      return Refusal(505, "HTTPVersionNotSupported", "this server speaks HTTP/1.1")
    }
    guard head.uri.hasPrefix("/") else { return .badRequest("the request's target is no path") }
    guard method(head) != nil else {
      return Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }
    return nil
  }

  static func request(_ head: HTTPRequestHead, _ body: ByteBuffer) throws(Refusal) -> APIRequest {
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let method = method(head), let path = String(percentEncoded: parts[0]) else {
      throw .badRequest("the request's target cannot be read")
    }
    var query: [APIRequest.QueryItem] = []
    for item in parts.count > 1 ? parts[1].split(separator: "&") : [] {
      let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = String(percentEncoded: pair[0], plusIsSpace: true),
        let value = pair.count > 1 ? String(percentEncoded: pair[1], plusIsSpace: true) : ""
      else { throw .badRequest("the request's query cannot be read") }
      query.append(.init(name, value))
    }
    let accept = head.headers["accept"]
    return APIRequest(
      method, path, query: query, body: body.readableBytes > 0 ? Data(body.readableBytesView) : nil,
      contentType: head.headers.first(name: "content-type").map(mediaType),
      accept: accept.isEmpty ? nil : accept.joined(separator: ","),
      label: .init(verb: method.rawValue.lowercased(), resource: "http"))
  }

  /// Whether the answer comes bit by bit.
  static func isStream(_ request: APIRequest) -> Bool {
    guard request.method == .get else { return false }
    let isLog = request.path.hasSuffix("/log")
    return request.query.contains {
      ["true", "1"].contains($0.value) && ($0.name == "watch" || ($0.name == "follow" && isLog))
    }
  }

  private static func method(_ head: HTTPRequestHead) -> APIRequest.Method? {
    head.method == .HEAD ? .get : APIRequest.Method(rawValue: head.method.rawValue)
  }

  /// Without parameters, such as `charset`.
  private static func mediaType(_ value: String) -> String {
    (value.split(separator: ";").first.map(String.init) ?? "").filter { $0 != " " }.lowercased()
  }
}
