import Testing

/// Every rule of the schema, met and broken. Nothing is stored: the server only tries.
@Suite("Schema rules on a real API server", .serialized, .enabled(if: Cluster.isEnabled))
struct SchemaRulesTests {
  private func create(_ kind: String, spec: String) async throws -> Kubectl.Outcome {
    try await CustomResources.install()
    return try await Kubectl.run(
      "create",
      "--dry-run=server",
      "--validate=false",  // by kubectl: the server is to find what is wrong
      "--filename=-",
      input: """
        apiVersion: bucket-sync.homelab-helper.benfiola.com/v1
        kind: \(kind)
        metadata: {name: schema-rules, namespace: default}
        spec: \(spec)
        """
    )
  }

  @Test(
    "what is right is accepted",
    arguments: [
      "{source: a, destination: b, schedule: '@daily'}",
      "{source: 'source:a/b', destination: 'Destination:ü/my photos', schedule: '0 2 * * *'}",
      "{source: a, destination: b, schedule: '@daily', sourceEnv: [], destinationEnv: [], jobLabels: {}}",
      "{source: a, destination: b, schedule: '@daily', syncHistoryLimit: 1, suspend: true, timeout: 1h30m}",
      "{source: a, destination: b, schedule: '@daily', syncHistoryLimit: 2147483647, suspend: false, timeout: 1.5h}",
      "{source: a, destination: b, schedule: '@daily', jobLabels: {app: sync, example.com/tier: A_b.c-1}}",
      "{source: a, destination: b, schedule: '@daily', sourceEnv: [{name: TYPE, value: s3}, {name: _x9}]}",
    ]
  )
  func acceptedPolicy(spec: String) async throws {
    let outcome = try await create("BucketSyncPolicy", spec: spec)
    #expect(outcome.succeeded, "\(outcome.errors)")
  }

  @Test(
    "every source of a value is accepted",
    arguments: [
      "{secretKeyRef: {name: a, key: b}}",
      "{secretKeyRef: {name: a, key: b, optional: true}}",
      "{configMapKeyRef: {name: a, key: b, optional: false}}",
      "{fieldRef: {fieldPath: metadata.name}}",
      "{fieldRef: {apiVersion: v1, fieldPath: status.hostIP}}",
      "{resourceFieldRef: {resource: limits.memory}}",
      "{resourceFieldRef: {containerName: rclone, resource: limits.memory, divisor: 1Mi}}",
      "{resourceFieldRef: {resource: limits.memory, divisor: 1}}",
      "{fileKeyRef: {volumeName: a, path: b, key: c, optional: true}}",
    ]
  )
  func acceptedSource(source: String) async throws {
    let spec = "{source: a, destination: b, destinationEnv: [{name: X, valueFrom: \(source)}]}"
    let outcome = try await create("BucketSync", spec: spec)
    #expect(outcome.succeeded, "\(outcome.errors)")
  }

  @Test(
    "duplicate variables are left to the controller, which reports them in words",
    arguments: ["sourceEnv", "destinationEnv"]
  )
  func duplicates(field: String) async throws {
    let spec = "{source: a, destination: b, \(field): [{name: X, value: a}, {name: X, value: b}]}"
    #expect(try await create("BucketSync", spec: spec).succeeded)
  }

  @Test(
    "what is wrong is refused, naming the field",
    arguments: [
      ("{destination: b, schedule: x}", "spec.source: Required value"),
      ("{source: a, schedule: x}", "spec.destination: Required value"),
      ("{source: a, destination: b}", "spec.schedule: Required value"),
      ("{source: '', destination: b, schedule: x}", "spec.source"),
      ("{source: a, destination: '', schedule: x}", "spec.destination"),
      ("{source: a, destination: b, schedule: ''}", "spec.schedule"),
      (#"{source: "a\nb", destination: b, schedule: x}"#, "spec.source"),
      (#"{source: a, destination: "b\t", schedule: x}"#, "spec.destination"),
      ("{source: 7, destination: b, schedule: x}", "spec.source"),
      ("{source: a, destination: b, schedule: x, syncHistoryLimit: 0}", "spec.syncHistoryLimit"),
      ("{source: a, destination: b, schedule: x, syncHistoryLimit: 1.5}", "spec.syncHistoryLimit"),
      ("{source: a, destination: b, schedule: x, suspend: 'yes'}", "spec.suspend"),
      ("{source: a, destination: b, schedule: x, timeout: 90}", "spec.timeout"),
      ("{source: a, destination: b, schedule: x, timeout: '90'}", "spec.timeout"),
      ("{source: a, destination: b, schedule: x, timeout: -5m}", "spec.timeout"),
      ("{source: a, destination: b, schedule: x, jobLabels: {a: b c}}", "spec.jobLabels.a"),
      ("{source: a, destination: b, schedule: x, jobLabels: {a: 7}}", "spec.jobLabels.a"),
      ("{source: a, destination: b, schedule: x, sourceEnv: [{value: x}]}", "spec.sourceEnv"),
      ("{source: a, destination: b, schedule: x, sourceEnv: [{name: A-B}]}", "spec.sourceEnv"),
      ("{source: a, destination: b, schedule: x, sourceEnv: [{name: 1ST}]}", "spec.sourceEnv"),
      ("{source: a, destination: b, schedule: x, destinationEnv: [{name: A, value: 7}]}", "spec.destinationEnv"),
    ]
  )
  func refusedPolicy(spec: String, field: String) async throws {
    let outcome = try await create("BucketSyncPolicy", spec: spec)
    #expect(!outcome.succeeded)
    #expect(outcome.errors.contains(field), "\(outcome.errors)")
  }

  @Test(
    "a source of a value that is incomplete or not exactly one is refused",
    arguments: [
      "{}", "{secretKeyRef: {key: b}}", "{secretKeyRef: {name: a}}", "{configMapKeyRef: {name: a}}",
      "{secretKeyRef: {name: a, key: b}, configMapKeyRef: {name: a, key: b}}", "{fieldRef: {}}",
      "{resourceFieldRef: {divisor: 1}}", "{resourceFieldRef: {resource: a, divisor: zz}}",
      "{fileKeyRef: {volumeName: a, path: b}}",
    ]
  )
  func refusedSource(source: String) async throws {
    let spec = "{source: a, destination: b, destinationEnv: [{name: X, valueFrom: \(source)}]}"
    let outcome = try await create("BucketSync", spec: spec)
    #expect(!outcome.succeeded)
    #expect(outcome.errors.contains("spec.destinationEnv"), "\(outcome.errors)")
  }

  @Test("texts, lists and maps beyond their limits are refused")
  func limits() async throws {
    let long = String(repeating: "x", count: 1_025)
    let variables = (0..<129).map { "{name: X\($0)}" }.joined(separator: ", ")
    let labels = (0..<65).map { "x\($0): a" }.joined(separator: ", ")
    for (change, field) in [
      ("source: \(long)", "spec.source"), ("sourceEnv: [\(variables)]", "spec.sourceEnv"),
      ("jobLabels: {\(labels)}", "spec.jobLabels"), ("jobLabels: {a: \(long)}", "spec.jobLabels"),
    ] {
      let start = change.hasPrefix("source:") ? "" : "source: a, "
      let outcome = try await create("BucketSync", spec: "{\(start)destination: b, \(change)}")
      #expect(!outcome.succeeded)
      #expect(outcome.errors.contains(field), "\(outcome.errors)")
    }
  }

  @Test("a missing spec is refused", arguments: ["BucketSync", "BucketSyncPolicy"])
  func missingSpec(kind: String) async throws {
    let outcome = try await create(kind, spec: "null")
    #expect(outcome.errors.contains("spec"), "\(outcome.errors)")
    #expect(!outcome.succeeded)
  }

  @Test("servers that know CEL refuse equal places, and a value together with valueFrom")
  func rules() async throws {
    guard try await Kubectl.serverMinorVersion() >= 25 else { return }
    let equal = try await create("BucketSyncPolicy", spec: "{source: a, destination: a, schedule: '@daily'}")
    #expect(equal.errors.contains("source and destination must not be the same"), "\(equal.errors)")
    let variable = "{name: X, value: a, valueFrom: {secretKeyRef: {name: a, key: b}}}"
    let both = try await create("BucketSync", spec: "{source: a, destination: b, sourceEnv: [\(variable)]}")
    #expect(both.errors.contains("a variable takes either value or valueFrom"), "\(both.errors)")
  }
}
