// What programs find in their environment, and what nobody else finds.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import StandaloneJobs
import TestSupport
import Testing

@Suite("The environment of programs", .aFewAtATime, .timeLimit(.minutes(5)))
struct EnvironmentTests {
  let world: LocalWorld

  init() throws { world = try LocalWorld() }

  func secret(_ name: String, _ data: [String: String]) throws {
    let encoded = data.mapValues { JSONValue.string(Data($0.utf8).base64EncodedString()) }
    let json: JSONValue = [
      "apiVersion": "v1", "kind": "Secret", "metadata": ["name": .string(name)], "data": .object(encoded),
    ]
    _ = try world.server.create(TestSecret.self, json, namespace: "default")
  }

  @Test("it is what the container says, with PATH and TMPDIR, and nothing of this process")
  func exact() async throws {
    setenv("LEAKED_FROM_OPERATOR", "1", 1)
    try secret("keys", ["id": "abc", "token": "s3cr3t"])
    _ = try world.server.create(
      ConfigMap(metadata: ObjectMeta(name: "settings", namespace: "default"), data: ["REGION": "eu", "ZONE": "a"]))
    try await world.start().run {
      try world.run(
        "env > \(world.file("env")); printf '%s\\n' \"$@\" > \(world.file("args"))",
        container: [
          "args": ["sh", "$(ID)-$(MISSING)", "$$(ID)", "$ID"],
          "envFrom": [["configMapRef": ["name": "settings"], "prefix": "CFG_"]],
          "env": [
            ["name": "ID", "valueFrom": ["secretKeyRef": ["name": "keys", "key": "id"]]],
            ["name": "COMBINED", "value": "$(ID)/$(CFG_REGION)/$(LATER)"], ["name": "LATER", "value": "x"],
            ["name": "EMPTY", "value": ""],
            ["name": "NONE", "valueFrom": ["secretKeyRef": ["name": "keys", "key": "no", "optional": true]]],
            ["name": "POD", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]],
            ["name": "APP", "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['app']"]]],
          ],
        ])
      try await world.untilEnded()
      let lines = Set((world.text("env") ?? "").split(separator: "\n").map(String.init))
      let pod = world.pod()?.metadata.name ?? ""
      #expect(
        lines.subtracting(["PWD=\(world.podFolder())/tmp", "SHLVL=0", "SHLVL=1", "_=/usr/bin/env"]) == [
          "APP=test", "CFG_REGION=eu", "CFG_ZONE=a", "COMBINED=abc/eu/$(LATER)", "EMPTY=", "ID=abc", "LATER=x",
          "PATH=/usr/bin:/bin", "POD=\(pod)", "TMPDIR=\(world.podFolder())/tmp",
        ])
      #expect(world.text("args") == "abc-$(MISSING)\n$(ID)\n$ID\n")
    }
  }

  @Test(
    "what is missing is told in the kubelet's words, and the program starts when it is there",
    arguments: [true, false])
  func missing(hasSecret: Bool) async throws {
    if hasSecret { try secret("keys", ["other": "x"]) }
    try await world.start().run {
      try world.run(
        "echo $ID > \(world.file("id"))",
        container: ["env": [["name": "ID", "valueFrom": ["secretKeyRef": ["name": "keys", "key": "id"]]]]])
      try await eventually("complaint") {
        let waiting = world.pod()?.status?.containerStatuses?.first?.state?.waiting
        return waiting?.reason == "CreateContainerConfigError"
          && waiting?.message
            == (hasSecret ? "couldn't find key id in Secret default/keys" : "secret \"keys\" not found")
      }
      #expect(world.pod()?.status?.phase == "Pending")
      if hasSecret { world.server.delete(TestSecret.self, world.key("keys")) }
      try secret("keys", ["id": "found"])
      try await world.untilEnded()
      #expect(world.text("id") == "found\n")
    }
  }

  @Test("secrets are in no file and in no command line, and open files of the operator in no program")
  func nothingLeaks() async throws {
    try secret("keys", ["token": "s3cr3t-value"])
    let lab = try LabOperator(world.server, folder: world.state)
    defer { lab.kill() }
    try world.run(
      "ls -l /proc/self/fd > \(world.file("fds")); echo $$ > \(world.file("pid")); exec sleep 600",
      container: ["env": [["name": "TOKEN", "valueFrom": ["secretKeyRef": ["name": "keys", "key": "token"]]]]])
    let pid = try await world.pid("pid")
    try await world.untilRunning()
    let environment = try String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)
    #expect(environment.contains("TOKEN=s3cr3t-value"))
    for process in LocalWorld.all where process != pid {
      let files = ["cmdline", "environ"].map { try? String(contentsOfFile: "/proc/\(process)/\($0)", encoding: .utf8) }
      #expect(files.allSatisfy { $0?.contains("s3cr3t-value") != true }, "process \(process)")
    }
    let found = try FileManager.default.subpathsOfDirectory(atPath: world.folder.path).filter { name in
      (try? String(contentsOfFile: world.file(name), encoding: .utf8))?.contains("s3cr3t-value") == true
    }
    #expect(found.isEmpty)
    // 0, 1, 2, the lock, and the folder that `ls` reads.
    let descriptors = (world.text("fds") ?? "").split(separator: "\n").filter { $0.contains(" -> ") }
    #expect(descriptors.count == 5, "\(descriptors)")
    #expect(descriptors.count { $0.contains("/lock") } == 1)
    #expect(!descriptors.contains { $0.contains("hostname") })
    for supervisor in world.processes where supervisor != pid {
      let folder = "/proc/\(supervisor)/fd"
      let open = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
      }
      #expect(!open.contains { $0.contains("hostname") || $0.contains("memfd") })
    }
  }
}

/// A Secret as tests create it.
struct TestSecret: KubernetesObject {
  static let resource = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")
  var metadata: ObjectMeta
  var data: [String: String]?
}
