import FoundationEssentials
import KubernetesModel
import Testing

@testable import StandaloneAPI

/// Bodies as kubectl 1.36 sends them.
@Suite("Protobuf")
struct ProtobufTests {
  private func object(_ body: String) throws -> JSONValue {
    try ProtobufReader.object(try #require(Data(base64Encoded: body)))
  }

  /// The magic number, and an object of a type in its envelope.
  private func wrapped(_ apiVersion: String, _ kind: String, _ raw: [UInt8]) -> Data {
    func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
    let type = field(1, Array(apiVersion.utf8)) + field(2, Array(kind.utf8))
    return Data([0x6b, 0x38, 0x73, 0] + field(1, type) + field(2, raw))
  }

  @Test("a Secret")
  func secret() throws {
    let secret = try object("azhzAAoMCgJ2MRIGU2VjcmV0Eh8KEwoDZm9vEgAaACIAKgAyADgAQgASBgoBYRIBYhoAGgAiAA==")
    #expect(
      secret == ["apiVersion": "v1", "kind": "Secret", "metadata": ["name": "foo"], "data": ["a": "Yg=="]])
  }

  @Test("a Job, whose zero values are left out")
  func job() throws {
    let job = try object(
      "azhzAAoPCghiYXRjaC92MRIDSm9iEnoKEQoBeBIAGgAiACoAMgA4AEIAElsyWQoQCgASABoAIgAqADIAOABCABJFEiIKAXgSA2Zvbxo"
        + "BYRoBYioAQgBqAHIAgAEAiAEAkAEAogEAGgVOZXZlcjIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAGgggACgAMAA6ABoAIgA=")
    #expect(job["metadata"] == ["name": "x"])
    #expect(
      job["spec"] == [
        "template": [
          "spec": [
            "restartPolicy": "Never", "containers": [["name": "x", "image": "foo", "command": ["a", "b"]]],
          ]
        ]
      ])
  }

  @Test("a zero that was set is kept")
  func setZero() throws {
    let job = try ProtobufReader.object(wrapped("batch/v1", "Job", [0x12, 2, 0x38, 0]))
    #expect(job["spec"] == ["backoffLimit": 0])
  }

  @Test("what is not known is refused rather than lost, unless it says nothing")
  func unknown() throws {
    let field: [UInt8] = [0x9a, 0x06, 1, 0x78]
    let refusal = #expect(throws: Refusal.self) { try ProtobufReader.object(wrapped("v1", "ConfigMap", field)) }
    #expect(refusal?.code == 415)
    #expect(try ProtobufReader.object(wrapped("v1", "ConfigMap", [0x9a, 0x06, 0]))["kind"] == "ConfigMap")
    #expect(throws: Refusal.self) { try ProtobufReader.object(wrapped("v1", "Service", [])) }
  }

  @Test(
    "what is broken is refused", arguments: ["", "azhz", "azhzAAo=", "azhzAAoPCg==", "azhzAA//////////////", "e30="])
  func broken(body: String) throws {
    #expect(throws: Refusal.self) { try object(body) }
  }
}
