// The client that everything in this package talks to Kubernetes with. Start reading here: this file holds what all
// verbs share (sending, bounded retries, errors, metrics); ReadVerbs, WriteVerbs and WatchVerb hold the verbs, and
// the wire is behind APITransport.

import FoundationEssentials
package import KubernetesModel

/// A typed client of the Kubernetes API.
///
///     let job = try await client.get(Job.self, ObjectKey(namespace: "default", name: "sync"))
///     try await client.delete(Job.self, job.key, DeleteOptions(uid: job.metadata.uid, propagation: .background))
///
/// A request is repeated here only when that is certain to be harmless, and not for long; every other failure is the
/// caller's, whose work queue knows what to do about it.
public struct KubernetesClient: Sendable {
  /// Told about every answer, or missing answer: its label, the status code or `error`, and how long it took.
  package typealias Observer = @Sendable (_ label: APIRequest.Label, _ code: String, _ duration: Duration) -> Void

  let transport: any APITransport
  let time: any TimeSource
  private let observer: Observer?

  /// A client that sends through `transport`.
  package init(transport: any APITransport, time: any TimeSource, observer: Observer? = nil) {
    self.transport = transport
    self.time = time
    self.observer = observer
  }
}

extension KubernetesClient {
  /// The answer to a request that does not depend on any object type, such as `/version` or `/apis/batch/v1`.
  package func get(path: String) async throws(APIError) -> JSONValue {
    let request = APIRequest(.get, path, label: .init(verb: "get", resource: "discovery"))
    return try decode(JSONValue.self, from: await send(request), of: request)
  }

  /// Whether the server knows `type`, in that version of its group.
  package func serves(_ type: ResourceType) async throws(APIError) -> Bool {
    let path = type.group.isEmpty ? "/api/\(type.version)" : "/apis/\(type.group)/\(type.version)"
    do {
      let resources = try await get(path: path)["resources"].array ?? []
      return resources.contains { $0["name"].string == type.plural }
    } catch {
      guard error.isNotFound else { throw error }
      return false
    }
  }
}

extension KubernetesClient {
  /// Sends `request` and returns a successful answer's body.
  func send(_ request: APIRequest) async throws(APIError) -> Data {
    let response = try await retrying(request) { () async throws -> APIResponse in
      let response = try await transport.send(request)
      if let refusal = APIError(response, to: request) { throw refusal }
      return response
    }
    return response.body
  }

  /// Sends `request` and returns a successful answer whose body is still to be read.
  func stream(_ request: APIRequest) async throws(APIError) -> APIStream {
    try await retrying(request) { () async throws -> APIStream in
      let stream = try await transport.stream(request)
      guard !(200..<300).contains(stream.statusCode) else { return stream }
      let response = APIResponse(
        statusCode: stream.statusCode,
        headers: stream.headers,
        body: try await stream.start(ofBody: 64 << 10)
      )
      throw APIError(response, to: request) ?? .malformed("\(request.summary): status \(stream.statusCode)")
    }
  }

  /// Sends `value` as JSON.
  func send(_ request: APIRequest, body value: some Encodable) async throws(APIError) -> Data {
    var request = request
    do {
      request.body = try JSON.encode(value)
    } catch {
      throw .malformed("\(request.summary): the object cannot be written as JSON: \(explain(error))")
    }
    request.contentType = request.contentType ?? "application/json"
    return try await send(request)
  }

  func decode<Value: Decodable>(
    _ type: Value.Type,
    from body: Data,
    of request: APIRequest
  ) throws(APIError) -> Value {
    do {
      return try JSON.decode(type, from: body)
    } catch {
      throw .malformed("\(request.summary): the answer is no \(type): \(explain(error))")
    }
  }

  private func retrying<Answer: APIAnswer>(
    _ request: APIRequest,
    attempt: () async throws -> Answer
  ) async throws(APIError) -> Answer {
    var retries = RetryPolicy()
    while true {
      let start = time.uptime
      let failure: APIError
      do {
        let answer = try await attempt()
        observer?(request.label, "\(answer.statusCode)", time.uptime - start)
        return answer
      } catch {
        failure = APIError(error, of: request)
      }
      guard failure != .cancelled else { throw failure }
      observer?(request.label, failure.statusCode.map { "\($0)" } ?? "error", time.uptime - start)
      guard let pause = retries.pause(after: failure, of: request.method) else { throw failure }
      do {
        try await time.sleep(for: pause)
      } catch {
        throw .cancelled
      }
    }
  }
}
