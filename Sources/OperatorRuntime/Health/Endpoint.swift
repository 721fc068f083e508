// What is to be had by HTTP from the operator: one path at one address each.

/// One path and what it answers.
package struct Endpoint: Sendable {
  package struct Response: Sendable, Hashable {
    package var statusCode: Int
    package var contentType: String
    package var body: String

    package init(statusCode: Int = 200, contentType: String = "text/plain; charset=utf-8", body: String) {
      self.statusCode = statusCode
      self.contentType = contentType
      self.body = body
    }
  }

  package let path: String
  /// Answers a request, given the parameters of its query.
  package let respond: @Sendable (_ query: Set<String>) async -> Response

  /// An endpoint at `path`.
  package init(_ path: String, respond: @escaping @Sendable (_ query: Set<String>) async -> Response) {
    self.path = path
    self.respond = respond
  }

  /// `/metrics`: what `registry` holds.
  package static func metrics(_ registry: MetricsRegistry) -> Endpoint {
    Endpoint("/metrics") { _ in Response(contentType: MetricsRegistry.contentType, body: registry.exposition()) }
  }

  /// `/healthz` or `/readyz`: whether all checks pass.
  package static func checks(_ path: String, _ checks: [HealthCheck]) -> Endpoint {
    Endpoint(path) { query in
      var failures = false
      var lines = ""
      for check in checks {
        let failure = await check.failure()
        failures = failures || failure != nil
        lines += failure.map { "[-]\(check.name) failed: \($0)\n" } ?? "[+]\(check.name) ok\n"
      }
      let name = path.dropFirst()
      if failures { return Response(statusCode: 503, body: lines + "\(name) check failed\n") }
      return Response(body: query.contains("verbose") ? lines + "\(name) check passed\n" : "ok")
    }
  }
}

/// Something that has to hold for the process to be healthy, or ready.
package struct HealthCheck: Sendable {
  package let name: String
  /// What is wrong; `nil` when nothing is.
  let failure: @Sendable () async -> String?

  package init(_ name: String, failure: @escaping @Sendable () async -> String?) {
    self.name = name
    self.failure = failure
  }

  /// Passes whenever the process can answer at all.
  package static let ping = HealthCheck("ping") { nil }

  /// Passes once the cache has been filled.
  package static func synced(_ cache: any CacheSource) -> HealthCheck {
    HealthCheck("\(cache.name)-cache") { cache.isSynced ? nil : "not filled yet" }
  }
}
