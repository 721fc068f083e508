// What a test puts into its world, and how it looks at it.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import SystemPackage
import Testing

extension World {
  /// Makes a bucket at one of the testbed's endpoints, with a name that no other test uses.
  func bucket(_ name: String, at endpoint: String) async throws -> Bucket {
    try await bucket(name, at: try Endpoint.testbed(endpoint))
  }

  /// Makes a bucket at an endpoint, and the Secret with the endpoint's keys.
  func bucket(_ name: String, at endpoint: Endpoint) async throws -> Bucket {
    try await createSecret(
      endpoint.secret,
      ["ACCESS_KEY_ID": endpoint.accessKey, "SECRET_ACCESS_KEY": endpoint.secretKey]
    )
    return keep(try Bucket.make("\(namespace)-\(name)", at: endpoint))
  }

  /// Two buckets at an endpoint that does not exist, for tests that never come to sync: Jobs get no pods here.
  func imaginaryBuckets() async throws -> (source: Bucket, destination: Bucket) {
    try await forbidPods()
    let nowhere = Endpoint(
      address: "http://nowhere.invalid",
      accessKey: "",
      secretKey: "",
      directory: directory.string,
      secret: "keys"
    )
    return (
      Bucket(name: "\(namespace)-from", endpoint: nowhere), Bucket(name: "\(namespace)-to", endpoint: nowhere)
    )
  }

  /// An endpoint of the test's own, which it can hold.
  func holdableEndpoint() async throws -> HoldableEndpoint {
    let endpoint = try await HoldableEndpoint.start(
      in: directory.appending("s3").string,
      log: directory.appending("endpoint.log")
    )
    return keep(endpoint)
  }

  /// Starts a controller that looks after this world.
  @discardableResult
  func startController(
    _ flags: String...,
    program: String = Testbed.executable,
    environment: [String: String] = [:],
    waitUntilReady: Bool = true
  ) async throws -> Controller {
    keep(
      try await Controller.start(
        program,
        namespace: namespace,
        flags,
        environment: environment,
        log: log,
        waitUntilReady: waitUntilReady
      )
    )
  }

  /// A run, still to be created.
  func run(_ name: String, from source: Bucket, to destination: Bucket) -> BucketSync {
    BucketSync(
      metadata: ObjectMeta(name: name, namespace: namespace),
      spec: BucketSync.Spec(
        source: source.name,
        destination: destination.name,
        sourceEnv: source.endpoint.variables,
        destinationEnv: destination.endpoint.variables
      )
    )
  }

  /// A policy, still to be created. Unless told otherwise, its next tick is far away.
  func policy(
    _ name: String,
    from source: Bucket,
    to destination: Bucket,
    schedule: String = "0 0 29 2 *"
  ) -> BucketSyncPolicy {
    BucketSyncPolicy(
      metadata: ObjectMeta(name: name, namespace: namespace),
      spec: BucketSyncPolicy.Spec(
        source: source.name,
        destination: destination.name,
        schedule: schedule,
        sourceEnv: source.endpoint.variables,
        destinationEnv: destination.endpoint.variables
      )
    )
  }

  /// Creates an object.
  @discardableResult
  func create<Object: KubernetesObject>(_ object: Object) async throws -> Object { try await client.create(object) }

  /// Creates a Secret, unless it exists.
  func createSecret(_ name: String, _ values: [String: String]) async throws {
    let secret = Secret(metadata: ObjectMeta(name: name, namespace: namespace), stringData: values)
    do { _ = try await client.create(secret) } catch {
      guard error.isAlreadyExists else { throw error }
    }
  }

  /// Lets no more pods into the namespace.
  func forbidPods() async throws {
    try await apply([
      "apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "no-pods"], "spec": ["hard": ["pods": "0"]],
    ])
    try await until("the quota is in force") {
      try await kubectl("get", "resourcequota", "no-pods", "--output", "jsonpath={.status.hard.pods}") == "0"
    }
  }

  /// Creates whatever `manifest` describes, as kubectl would.
  func apply(_ manifest: JSONValue) async throws {
    try await kubectl("create", "--filename", "-", input: String(decoding: try JSON.encode(manifest), as: UTF8.self))
  }

  /// Triggers a policy as its users do.
  func syncNow(_ policy: String, _ value: String = "") async throws {
    try await kubectl(
      "annotate",
      "bucketsyncpolicy",
      policy,
      "\(BucketSyncNames.Annotation.syncNow)=\(value)",
      "--overwrite"
    )
  }

  /// Lets a policy make no more scheduled runs, or lets it go on.
  func suspend(_ policy: String, _ suspended: Bool = true) async throws {
    try await change(policy, ["suspend": .bool(suspended)])
  }

  /// Changes fields of a policy's spec.
  func change(_ policy: String, _ fields: JSONValue) async throws {
    let key = ObjectKey(namespace: namespace, name: policy)
    _ = try await client.patch(BucketSyncPolicy.self, key, .merge(["spec": fields]))
  }

  /// The object called `name`, now.
  func get<Object: KubernetesObject>(_ type: Object.Type, _ name: String) async throws -> Object {
    try await client.get(type, ObjectKey(namespace: namespace, name: name))
  }

  /// The object called `name`, if there is one.
  func find<Object: KubernetesObject>(_ type: Object.Type, _ name: String) async throws -> Object? {
    do { return try await get(type, name) } catch let error as APIError where error.isNotFound { return nil }
  }

  /// All objects of a type.
  func all<Object: KubernetesObject>(_ type: Object.Type) async throws -> [Object] {
    try await client.list(type, namespace: namespace).items
  }

  /// All lock ConfigMaps.
  func locks() async throws -> [ConfigMap] {
    try await client.list(ConfigMap.self, namespace: namespace, labels: "\(BucketSyncNames.group)/lock=true").items
  }
}
