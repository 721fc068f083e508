// How answers and failures of the transport become APIErrors.

import FoundationEssentials
import KubernetesModel

extension APIError {
  /// The refusal that `response` is; `nil` when it is a success.
  init?(_ response: APIResponse, to request: APIRequest) {
    guard !(200..<300).contains(response.statusCode) else { return nil }
    var status =
      (try? JSON.decode(APIStatus.self, from: response.body)) ?? APIStatus(code: nil, reason: nil, message: nil)
    // What is no metav1.Status comes from something in between, a proxy say; its first words still help.
    if status.message == nil && status.reason == nil {
      let words = String(decoding: response.body.prefix(300), as: UTF8.self).oneLine
      status.message = "status \(response.statusCode)" + (words.isEmpty ? "" : ": \(words)")
    }
    status.code = response.statusCode
    if status.details?.retryAfterSeconds == nil, let seconds = response.headers["retry-after"].flatMap({ Int($0) }) {
      var details = status.details ?? APIStatus.Details()
      details.retryAfterSeconds = max(0, seconds)
      status.details = details
    }
    self = .refused(status, request: request.summary)
  }

  /// What `error`, thrown on the way to an answer, means.
  init(_ error: any Error, of request: APIRequest) {
    switch error {
    case let error as APIError:
      self = error
    case is CancellationError:
      self = .cancelled
    case let error as TransportError:
      self = .unreachable("\(request.summary): \(error)", mayHaveApplied: error.kind != .notSent)
    default:
      self = .unreachable("\(request.summary): \(error)", mayHaveApplied: true)
    }
  }
}

extension APIRequest {
  /// What was asked, for messages: `POST /apis/batch/v1/namespaces/default/jobs`.
  var summary: String { "\(method.rawValue) \(path)" }
}

extension APIStream {
  /// What has arrived of the body, as far as `limit` bytes.
  func start(ofBody limit: Int) async throws -> Data {
    var start = Data()
    for try await piece in body {
      start.append(piece)
      if start.count >= limit { break }
    }
    return start
  }
}

/// Where and why decoding failed, in one line.
func explain(_ error: any Error) -> String {
  func place(_ path: [any CodingKey]) -> String {
    path.isEmpty ? "" : " at " + path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
  }
  return switch error {
  case DecodingError.keyNotFound(let key, let context): "\(key.stringValue) is missing\(place(context.codingPath))"
  case DecodingError.typeMismatch(let type, let context): "no \(type)\(place(context.codingPath))"
  case DecodingError.valueNotFound(let type, let context): "null instead of \(type)\(place(context.codingPath))"
  case DecodingError.dataCorrupted(let context): "\(context.debugDescription)\(place(context.codingPath))"
  case EncodingError.invalidValue(_, let context): "\(context.debugDescription)\(place(context.codingPath))"
  default: "\(error)"
  }
}
