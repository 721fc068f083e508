// Metrics of the Kubernetes client, under client-go's names.

package import KubernetesClient

extension MetricsRegistry {
  /// An observer for the client of the API server at `host`.
  package func clientObserver(host: String) -> KubernetesClient.Observer {
    { label, code, duration in
      self.counter(
        "rest_client_requests_total",
        "Requests to the API server.",
        labels: ["code": code == "error" ? "<error>" : code, "method": httpMethod(ofVerb: label.verb), "host": host]
      ).increment()
      // A watch is answered at once and then lasts; its duration says nothing.
      guard label.verb != "watch" else { return }
      self.histogram(
        "rest_client_request_duration_seconds",
        "How long requests to the API server take.",
        labels: ["verb": label.verb, "host": host]
      ).observe(duration)
    }
  }
}

private func httpMethod(ofVerb verb: String) -> String {
  switch verb {
  case "create": "POST"
  case "update": "PUT"
  case "patch": "PATCH"
  case "delete": "DELETE"
  default: "GET"
  }
}
