// A folder of manifests, an API server in memory, and what keeps the one applied to the other.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import StandaloneFolder
import Synchronization
import TestSupport

/// The world of one test.
final class Site: Sendable {
  static let policies = ResourceType(
    group: "bucket-sync.homelab-helper.benfiola.com", version: "v1", kind: "BucketSyncPolicy",
    plural: "bucketsyncpolicies")
  static let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")
  static let configMaps = ResourceType(group: "", version: "v1", kind: "ConfigMap", plural: "configmaps")
  static let mark = "bucket-sync.homelab-helper.benfiola.com/manifest"
  static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

  let folder: TemporaryFolder
  let server: InMemoryAPIServer
  let connection: FaultyConnection
  let log = Lines()
  private let time: any TimeSource
  private let subfolder: String?
  private let transport: (any APITransport)?

  /// - Parameter subfolder: The folder's name below the temporary one, when it is to be moved about.
  init(
    time: any TimeSource = SystemTime(), subfolder: String? = nil, transport: (any APITransport)? = nil,
    fault: @escaping @Sendable (_ number: Int, APIRequest) -> Fault? = { _, _ in nil }
  ) throws {
    folder = try TemporaryFolder()
    server = InMemoryAPIServer(time: time)
    connection = FaultyConnection(to: transport ?? server, fault: fault)
    self.time = time
    self.subfolder = subfolder
    self.transport = transport
  }

  var path: String { folder.path + (subfolder.map { "/" + $0 } ?? "") }

  func manifests(
    types: [ResourceType] = [policies, secrets, configMaps], veto: ManifestVeto? = nil, mostWatches: Int = .max,
    followsMounts: Bool = false
  ) -> ManifestFolder {
    let client = KubernetesClient(transport: connection, time: time)
    return ManifestFolder(
      path: path, client: client, types: types, time: time, random: RandomSource { $0.lowerBound },
      logger: Logger(label: "test") { _ in log.handler }, veto: veto, mostWatches: mostWatches,
      followsMounts: followsMounts)
  }

  /// Runs the folder while `body` runs, which starts when it has been applied once.
  func whileApplied(_ manifests: ManifestFolder? = nil, _ body: (ManifestFolder) async throws -> Void) async throws {
    let manifests = manifests ?? self.manifests()
    try await withThrowingTaskGroup { group in
      group.addTask { try await manifests.run() }
      defer { group.cancelAll() }
      try await eventually("the first pass") { manifests.firstPassDone.isRaised }
      try await body(manifests)
    }
  }

  func object(_ type: ResourceType, _ name: String, namespace: String = "default") -> JSONValue? {
    server.objects[ResourcePath(type, ObjectKey(namespace: namespace, name: name))]
  }

  func policy(_ name: String) -> JSONValue? { object(Self.policies, name) }

  /// The policies' names.
  var policyNames: [String] {
    server.objects.keys.filter { $0.plural == Self.policies.plural }.compactMap(\.name).sorted()
  }

  /// Writes that were stored: what was only tried does not count.
  var revision: Int { server.revision }

  /// Writes a file as editors do: beside, then renamed.
  func save(_ name: String, _ text: String) throws {
    try folder.write(prefixed(".\(name.replacing("/", with: "-")).tmp"), text)
    guard rename("\(path)/.\(name.replacing("/", with: "-")).tmp", "\(path)/\(name)") == 0 else {
      throw CocoaError(.fileWriteUnknown)
    }
  }

  func write(_ name: String, _ text: String) throws { try folder.write(prefixed(name), text) }

  private func prefixed(_ name: String) -> String { subfolder.map { "\($0)/\(name)" } ?? name }
}

/// Manifests as text.
func policyText(_ name: String, schedule: String = "@daily", more: String = "") -> String {
  """
  apiVersion: bucket-sync.homelab-helper.benfiola.com/v1
  kind: BucketSyncPolicy
  metadata:
    name: \(name)
  spec:
    source: a
    destination: b
    schedule: "\(schedule)"
  \(more)

  """
}

/// What was logged.
final class Lines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  var handler: any LogHandler { Handler(lines: self) }

  private struct Handler: LogHandler {
    let lines: Lines
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      lines.lines.withLock { $0.append("\(event.level): \(event.message)\(details)") }
    }
  }
}

/// A server that drops fields of a spec that it does not know, without a word, as old ones do.
struct ForgetfulServer: APITransport {
  let server: InMemoryAPIServer
  let known: Set<String>

  func send(_ request: APIRequest) async throws -> APIResponse {
    var request = request
    if let body = request.body, request.method == .post || request.method == .patch {
      var object = try JSON.decode(JSONValue.self, from: body)
      if let spec = object["spec"].object { object["spec"] = .object(spec.filter { known.contains($0.key) }) }
      request.body = try JSON.encode(object)
    }
    return try await server.send(request)
  }

  func stream(_ request: APIRequest) async throws -> APIStream { try await server.stream(request) }
}
