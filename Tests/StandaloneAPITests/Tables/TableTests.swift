import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport
import Testing

@testable import StandaloneAPI

@Suite("Tables")
struct TableTests {
  private let now = Timestamp(unixSeconds: 1_700_000_000)

  @Test(
    "ages are told in two units at most",
    arguments: [
      (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (200, "3m20s"), (600, "10m"),
      (10_799, "179m"), (10_800, "3h"), (18_720, "5h12m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"),
      (360_000, "4d4h"), (691_200, "8d"), (63_072_000, "2y"), (66_528_000, "2y40d"), (315_360_000, "10y"),
    ] as [(Int64, String)])
  func ages(seconds: Int64, text: String) {
    #expect(AgeText(seconds: seconds).description == text)
  }

  @Test(
    "paths lead to values",
    arguments: [
      (".a.b", ["1"]), (".list[0].name", ["x"]), (".list[-1].name", ["y"]), (".list[*].name", ["x", "y"]),
      (#".list[?(@.name=="y")].value"#, ["2"]), (".list[?(@.name!='y')].value", ["1"]), (".none.b", []),
      (".list[7].name", []), (".a['c.d/e']", ["z"]), (#".list[?(@.name=="none")].value"#, []),
    ])
  func paths(text: String, values: [String]) throws {
    let object: JSONValue = [
      "a": ["b": 1, "c.d/e": "z"], "list": [["name": "x", "value": 1], ["name": "y", "value": 2]],
    ]
    #expect(try #require(JSONPath(text)).values(in: object).map(\.plain) == values)
  }

  @Test("what is no path is none", arguments: ["a.b", ".a[", ".a[?(x)]", ".a[b]"])
  func noPath(text: String) {
    #expect(JSONPath(text) == nil)
  }

  @Test("columns of a custom resource show their kinds of value")
  func customColumns() {
    var definition = ResourceDefinition(
      ResourceType(group: "example.com", version: "v1", kind: "Thing", plural: "things"), isCustom: true)
    definition.columns = [
      .init("Text", "string", ".text"), .init("Number", "integer", ".number"), .init("When", "date", ".when"),
      .init("Ready", "string", #".conditions[?(@.type=="Ready")].status"#, priority: 1),
    ]
    let object: JSONValue = [
      "metadata": ["name": "one"], "text": 7, "number": 3, "when": "2023-11-14T22:12:20Z",
      "conditions": [["type": "Ready", "status": "True"]],
    ]
    let table = ObjectTable(definition, version: "v1", inclusion: .metadata)
      .table([object, ["metadata": ["name": "two"]]], resourceVersion: "9", now: now)
    #expect(table["kind"] == "Table")
    #expect(table["apiVersion"] == "meta.k8s.io/v1")
    #expect(table["metadata"]["resourceVersion"] == "9")
    #expect(table["columnDefinitions"].array?.map(\.["name"]) == ["Name", "Text", "Number", "When", "Ready"])
    #expect(table["columnDefinitions"][4]["priority"] == 1)
    #expect(table["rows"][0]["cells"] == ["one", "7", 3, "60s", "True"])
    #expect(table["rows"][1]["cells"] == ["two", nil, nil, nil, nil])
    #expect(table["rows"][0]["object"]["kind"] == "PartialObjectMetadata")
  }

  private func pod(_ status: JSONValue, isBeingDeleted: Bool = false) -> JSONValue {
    var pod: JSONValue = ["metadata": ["name": "p"], "spec": ["containers": [["name": "c"]]], "status": status]
    if isBeingDeleted { pod["metadata"]["deletionTimestamp"] = "2023-11-14T22:13:20Z" }
    return pod
  }

  private static func container(_ state: JSONValue, ready: Bool = false, restarts: Int64 = 0) -> JSONValue {
    [["name": "c", "state": state, "ready": .bool(ready), "restartCount": .integer(restarts)]]
  }

  @Test(
    "a pod is summed up as kubectl does",
    arguments: [
      (["phase": "Pending"], "0", "Pending", "0"),
      (
        ["phase": "Running", "containerStatuses": container(["running": [:]], ready: true, restarts: 2)], "1",
        "Running",
        "2"
      ),
      (
        [
          "phase": "Succeeded", "containerStatuses": container(["terminated": ["reason": "Completed", "exitCode": 0]]),
        ],
        "0", "Completed", "0"
      ),
      (
        ["phase": "Failed", "containerStatuses": container(["terminated": ["exitCode": 3]])], "0", "ExitCode:3", "0"
      ),
      (
        ["phase": "Failed", "containerStatuses": container(["terminated": ["signal": 9, "exitCode": 137]])], "0",
        "Signal:9", "0"
      ),
      (
        ["phase": "Pending", "containerStatuses": container(["waiting": ["reason": "ImagePullBackOff"]])], "0",
        "ImagePullBackOff", "0"
      ),
      (["phase": "Failed", "reason": "Evicted"], "0", "Evicted", "0"),
      (["phase": "Pending", "initContainerStatuses": container(["running": [:]])], "0", "Init:0/1", "0"),
    ] as [(JSONValue, String, String, String)])
  func pods(status: JSONValue, ready: String, reason: String, restarts: String) {
    let summary = PodSummary(pod(status), now)
    #expect(["\(summary.ready)", summary.reason, summary.restarts] == [ready, reason, restarts])
  }

  @Test("a pod that is being deleted says so, unless it has ended")
  func terminating() {
    #expect(PodSummary(pod(["phase": "Running"], isBeingDeleted: true), now).reason == "Terminating")
    #expect(PodSummary(pod(["phase": "Failed"], isBeingDeleted: true), now).reason == "Failed")
  }

  @Test(
    "the first form in the list that this server has is answered",
    arguments: [
      (nil, .objects), ("application/json", .objects), ("*/*", .objects),
      ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", .table(version: "v1")),
      ("application/json;as=Table;g=meta.k8s.io;v=v1beta1", .table(version: "v1beta1")),
      ("application/json;as=Table;v=v9;g=meta.k8s.io, application/json", .objects),
      ("application/vnd.kubernetes.protobuf,application/json", .objects),
      ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", .metadata),
    ] as [(String?, AnswerForm)])
  func forms(accept: String?, form: AnswerForm) throws {
    let request = APIRequest(.get, "/", accept: accept, label: .init(verb: "get", resource: "x"))
    #expect(try AnswerForm(request) == form)
  }

  @Test("a form that this server does not have is not acceptable")
  func notAcceptable() throws {
    let request = APIRequest(
      .get, "/", accept: "application/vnd.kubernetes.protobuf", label: .init(verb: "", resource: ""))
    let refusal = #expect(throws: StandaloneAPI.Refusal.self) { try AnswerForm(request) }
    #expect(refusal?.code == 406)
  }

  @Test("a watch that asks for tables gets each change as one of one row")
  func watch() async throws {
    let server = try Server(in: try TemporaryFolder())
    var request = APIRequest(
      .get, "/api/v1/configmaps", query: [.init("watch", "true"), .init("includeObject", "None")],
      label: .init(verb: "watch", resource: "configmaps"))
    request.accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    let stream = try await server.api.stream(request)
    _ = try await server.client.create(server.map("one"))
    var pieces = stream.body.makeAsyncIterator()
    let event = try JSON.decode(JSONValue.self, from: try #require(try await pieces.next()))
    #expect(event["type"] == "ADDED")
    #expect(event["object"]["kind"] == "Table")
    #expect(event["object"]["rows"][0]["cells"].array?.prefix(2) == ["one", 1])
    #expect(event["object"]["rows"][0]["object"].isNull)
  }
}
