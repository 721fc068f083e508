// A request as the proxy sees it.

import NIOCore
import NIOHTTP1

/// A complete request.
struct ProxiedRequest: Sendable {
  var head: HTTPRequestHead
  var body: ByteBuffer

  /// Without the query.
  var path: String { head.uri.prefix { $0 != "?" }.description }

  /// Whether its answer is a stream of events.
  var isWatch: Bool {
    guard let query = head.uri.split(separator: "?", maxSplits: 1).dropFirst().first else { return false }
    return query.split(separator: "&").contains { $0 == "watch=true" || $0 == "watch=1" }
  }

  /// What is asked for, without names: `POST jobs`, `PATCH bucketsyncs/status`, `WATCH pods`.
  var kind: String {
    "\(isWatch ? "WATCH" : head.method.rawValue) \(Self.resource(of: path))"
  }

  /// The resource in a path of the API, with its subresource.
  static func resource(of path: String) -> String {
    var words = path.split(separator: "/").map(String.init)
    // /api/v1/… and /apis/GROUP/VERSION/…
    let prefix = words.first == "api" ? 2 : words.first == "apis" ? 3 : words.count
    guard words.count > prefix else { return path }
    words.removeFirst(prefix)
    if words.first == "namespaces", words.count > 2 { words.removeFirst(2) }
    return words.count > 2 ? "\(words[0])/\(words[2])" : words[0]
  }
}

/// Answers that the proxy gives itself, as the API server words them.
struct OwnAnswer: Sendable {
  var code: Int
  var reason: String
  var message: String
  /// In seconds.
  var retryAfter: Int?

  /// `metav1.Status`.
  var json: String {
    let details = retryAfter.map { #","details":{"retryAfterSeconds":\#($0)}"# } ?? ""
    return #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"\#(message)","#
      + #""reason":"\#(reason)"\#(details),"code":\#(code)}"#
  }

  static let tooManyRequests = OwnAnswer(
    code: 429, reason: "TooManyRequests", message: "the proxy says: too many requests", retryAfter: 1)
  static let serverError = OwnAnswer(code: 500, reason: "InternalError", message: "the proxy says: internal error")
  static let unavailable = OwnAnswer(code: 503, reason: "ServiceUnavailable", message: "the proxy says: unavailable")
  static let patience = OwnAnswer(
    code: 503, reason: "ServiceUnavailable", message: "the proxy says: unavailable", retryAfter: 1)
  static let timedOut = OwnAnswer(code: 504, reason: "Timeout", message: "the proxy says: it took too long")
  static let expired = OwnAnswer(code: 410, reason: "Expired", message: "the proxy says: too old resource version")
}
