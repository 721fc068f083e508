import FoundationEssentials
import KubernetesModel
import Testing

@testable import KubernetesClient

@Suite("Answers and failures as APIErrors")
struct ErrorMappingTests {
  let request = APIRequest(.post, "/api/v1/namespaces", label: .init(verb: "create", resource: "namespaces"))

  func error(_ status: Int, _ body: String, headers: [String: String] = [:]) -> APIError? {
    APIError(APIResponse(statusCode: status, headers: headers, body: Data(body.utf8)), to: request)
  }

  @Test("a success is no error")
  func success() {
    #expect(error(200, "{}") == nil)
    #expect(error(201, "") == nil)
  }

  @Test("a metav1.Status keeps its reason, details and message")
  func status() {
    let body = #"{"kind":"Status","reason":"AlreadyExists","message":"there is one","code":409,"details":{"name":"x"}}"#
    let refused = error(409, body)
    #expect(refused?.isAlreadyExists == true)
    #expect(refused?.isConflict == false)
    #expect(refused.map { "\($0)" } == "POST /api/v1/namespaces: there is one")
  }

  @Test("the status code of the answer counts, whatever its body says")
  func codeOfAnswer() {
    #expect(error(404, #"{"code":200}"#)?.isNotFound == true)
  }

  @Test("a body that is no Status becomes one short printable line")
  func foreignBody() {
    let html = "<html>\r\n<h1>502\u{7} Bad\tGateway</h1>" + String(repeating: "x", count: 5000)
    let text = error(502, html).map { "\($0)" } ?? ""
    #expect(text.hasPrefix("POST /api/v1/namespaces: status 502: <html> <h1>502 Bad Gateway</h1>xxx"))
    #expect(text.count < 400)
    #expect(error(503, "").map { "\($0)" } == "POST /api/v1/namespaces: status 503")
  }

  @Test("how long to wait comes from the header, unless the Status says it")
  func retryAfter() {
    #expect(error(429, "", headers: ["retry-after": "7"])?.retryAfter == .seconds(7))
    let both = error(429, #"{"details":{"retryAfterSeconds":3}}"#, headers: ["retry-after": "7"])
    #expect(both?.retryAfter == .seconds(3))
    #expect(error(429, "", headers: ["retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"])?.retryAfter == nil)
  }

  @Test("only what was never sent certainly had no effect")
  func transportFailures() {
    func isHarmless(_ kind: TransportError.Kind) -> Bool {
      APIError(TransportError(kind, "x"), of: request)
        == .unreachable("POST /api/v1/namespaces: x", mayHaveApplied: false)
    }
    #expect(isHarmless(.notSent))
    #expect(!isHarmless(.noAnswer))
    #expect(!isHarmless(.timedOut))
    #expect(APIError(CancellationError(), of: request) == .cancelled)
  }
}
