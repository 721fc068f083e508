import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import Testing

@Suite("Decoding objects")
struct DecodingTests {
  private func run(_ json: String) throws -> BucketSync { try JSON.decode(BucketSync.self, from: Data(json.utf8)) }

  private func policy(_ json: String) throws -> BucketSyncPolicy {
    try JSON.decode(BucketSyncPolicy.self, from: Data(json.utf8))
  }

  @Test("a policy with every field survives decoding and encoding")
  func policyRoundTrip() throws {
    let json = """
      {"metadata":{"name":"p"},"spec":{"destination":"b","destinationEnv":[{"name":"TYPE","value":"s3"}],\
      "jobLabels":{"a":"b"},"parameters":{"limit":"10M"},"schedule":"@daily","source":"a","sourceEnv":[{"name":"KEY","valueFrom":\
      {"secretKeyRef":{"key":"k","name":"n","optional":true}}}],"suspend":true,"syncHistoryLimit":3,"timeout":"1h"},\
      "status":{"active":1,"conditions":[{"lastTransitionTime":"2024-01-15T02:00:00Z","message":"m","reason":"R",\
      "status":"True","type":"Ready"}],"error":"e","lastManualRun":"r","lastReconciledTime":"2024-01-15T02:00:00Z",\
      "lastScheduleTime":"2024-01-15T02:00:01Z","lastSuccessfulTime":"2024-01-15T02:00:02Z",\
      "lastSyncTime":"2024-01-15T02:00:03Z","nextSyncTime":"2024-01-15T02:00:04Z","observedGeneration":2}}
      """
    #expect(String(decoding: try JSON.encode(policy(json)), as: UTF8.self) == json)
  }

  @Test("a run with every field survives decoding and encoding")
  func runRoundTrip() throws {
    let json = """
      {"metadata":{"name":"r"},"spec":{"destination":"b","destinationEnv":[],"jobLabels":{},"parameters":{"x":""},"source":"a",\
      "sourceEnv":[{"name":"X","valueFrom":{"tomorrowsRef":{"deep":[1,{}]}}}],"timeout":"1h"},\
      "status":{"conditions":[],"duration":"1m5s","error":"e","finishTime":"2024-01-15T02:00:00Z","job":"j",\
      "jobUID":"u","lastReconciledTime":"2024-01-15T02:00:00Z","notes":{"objects":"7"},"observedGeneration":1,\
      "phase":"Finished","result":"Cancelled","startTime":"2024-01-15T02:00:00Z"}}
      """
    #expect(String(decoding: try JSON.encode(run(json)), as: UTF8.self) == json)
  }

  @Test("null counts as absent")
  func null() throws {
    let run = try run(
      """
      {"metadata":{"name":"r"},"spec":{"source":null,"destination":"b","sourceEnv":null},
       "status":{"phase":"Sync","finishTime":null,"error":null,"conditions":null}}
      """
    )
    #expect(run.spec == BucketSync.Spec(source: "", destination: "b"))
    #expect(run.status?.phase == .sync)
    #expect(run.status?.finishTime == nil)
    #expect(try self.run(#"{"metadata":{"name":"r"},"spec":{},"status":null}"#).status == nil)
  }

  @Test("missing specs and fields decode as empty, so that validation can report them")
  func missing() throws {
    #expect(try policy(#"{"metadata":{"name":"p"}}"#).spec == .init(source: "", destination: "", schedule: ""))
    #expect(
      try policy(#"{"metadata":{"name":"p"},"spec":{}}"#).spec == .init(source: "", destination: "", schedule: "")
    )
    #expect(try run(#"{"metadata":{"name":"r"}}"#).spec == .init(source: "", destination: ""))
  }

  @Test("phases and results of other versions are kept as they are")
  func unknownText() throws {
    let json =
      #"{"metadata":{"name":"r"},"spec":{"destination":"b","source":"a"},"status":{"phase":"Verify","result":"Partial"}}"#
    let run = try run(json)
    #expect(run.status?.phase == .unknown("Verify"))
    #expect(run.status?.result == .unknown("Partial"))
    #expect(!run.isFinished)
    #expect(String(decoding: try JSON.encode(run), as: UTF8.self) == json)
  }

  @Test("an odd field costs that field, not the object")
  func odd() throws {
    let run = try run(
      """
      {"metadata":{"name":"r"},"spec":{"source":7,"destination":"b","sourceEnv":[{"value":"x"},{"name":"A"}]},
       "status":{"phase":"Sync","startTime":"yesterday","observedGeneration":"x",
       "conditions":[{"type":"Complete","status":"Maybe"},{"type":"Failed","status":"True","reason":"R",
       "message":"","lastTransitionTime":"2024-01-15T02:00:00Z"}]}}
      """
    )
    #expect(run.spec.source == "")
    #expect(run.spec.sourceEnv == [EnvVar(name: "", value: "x"), EnvVar(name: "A")])
    #expect(run.status?.phase == .sync)
    #expect(run.status?.startTime == nil)
    #expect(run.status?.conditions?.map(\.type) == ["Failed"])
  }
}
