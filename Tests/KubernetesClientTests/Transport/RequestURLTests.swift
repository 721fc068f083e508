import Testing

@testable import KubernetesClient

@Suite("Request URLs")
struct RequestURLTests {
  let request = APIRequest(.get, "/api/v1/pods", label: .init(verb: "list", resource: "pods"))

  @Test(
    "with a TLS server name the URL carries it, and the way to the real server is kept",
    arguments: [
      ("https://10.0.0.1:6443", "https://k8s:6443/api/v1/pods", "k8s:6443:10.0.0.1:6443", "10.0.0.1:6443"),
      ("https://h", "https://k8s:443/api/v1/pods", "k8s:443:h:443", "h"),
      ("https://[fd00::1]/p/", "https://k8s:443/p/api/v1/pods", "k8s:443:[fd00::1]:443", "[fd00::1]"),
      ("https://[fd00::1]:1", "https://k8s:1/api/v1/pods", "k8s:1:[fd00::1]:1", "[fd00::1]:1"),
    ]
  )
  func tlsServerName(server: String, url: String, route: String, authority: String) {
    var connection = ConnectionSettings(server: server)
    #expect(connection.connectTo == nil)
    connection.tlsServerName = "k8s"
    #expect(connection.url(of: request) == url)
    #expect(connection.connectTo == route)
    #expect(connection.authority == authority)
  }

  @Test(
    "no proxy is asked for the way to this machine",
    arguments: [
      ("http://127.0.0.1:8001", true), ("http://localhost:8001", true), ("http://[::1]:8001", true),
      ("https://10.0.0.1:6443", false), ("https://127.example.com", false), ("https://[::2]:6443", false),
    ])
  func loopback(server: String, expected: Bool) {
    #expect(ConnectionSettings(server: server).isLoopback == expected)
  }
}
