// The environment of a container, resolved at the last moment: Secrets and ConfigMaps are read from the API when the
// program is about to be started, and kept nowhere.
//
// Order and messages are the kubelet's: envFrom first, env after it, each value may refer to variables before it.

internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel

/// Why a container cannot be started yet, in the kubelet's words: reason `CreateContainerConfigError`.
struct ConfigurationProblem: Error, Sendable, Hashable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The variables of one container; values are bytes, as Secrets may hold any.
struct ContainerEnvironment: Sendable {
  private(set) var values: [String: [UInt8]] = [:]

  /// Reads what the container's `envFrom` and `env` say.
  /// - Throws: ``ConfigurationProblem``, or the `APIError` of a request that was not answered.
  static func resolve(_ pod: LocalPod, nodeName: String, client: KubernetesClient) async throws -> Self {
    var resolver = Resolver(pod: pod, nodeName: nodeName, client: client)
    for source in pod.container["envFrom"].array ?? [] { try await resolver.addAll(of: source) }
    for variable in pod.container["env"].array ?? [] { try await resolver.add(variable) }
    return resolver.environment
  }

  /// Sets a variable unless it is set.
  mutating func setDefault(_ name: String, _ value: String?) {
    if values[name] == nil, let value { values[name] = Array(value.utf8) }
  }

  /// The text with its references expanded.
  func expand(_ text: String) -> [UInt8] { VariableExpansion.expand(Array(text.utf8)) { values[$0] } }

  /// `NAME=VALUE`, in the order of names.
  var entries: [Data] { values.sorted { $0.key < $1.key }.map { Data("\($0.key)=".utf8) + $0.value } }

  fileprivate mutating func set(_ name: String, _ value: [UInt8]) throws(ConfigurationProblem) {
    guard !name.isEmpty, !name.contains("="), !value.contains(0), !name.utf8.contains(0) else {
      throw ConfigurationProblem(
        "variable \(name.debugDescription) cannot be set: its name or value has a zero byte or =")
    }
    values[name] = value
  }
}

/// Looks values up.
private struct Resolver {
  let pod: LocalPod
  let nodeName: String
  let client: KubernetesClient
  var environment = ContainerEnvironment()
  private var sources: [String: [String: [UInt8]]?] = [:]

  init(pod: LocalPod, nodeName: String, client: KubernetesClient) {
    self.pod = pod
    self.nodeName = nodeName
    self.client = client
  }

  private var namespace: String { pod.metadata.namespace ?? "" }

  mutating func addAll(of source: JSONValue) async throws {
    let prefix = source["prefix"].string ?? ""
    for (field, kind) in [("configMapRef", Kind.configMap), ("secretRef", .secret)] where !source[field].isNull {
      let name = source[field]["name"].string ?? ""
      guard let content = try await content(kind, name) else {
        if source[field]["optional"].bool == true { continue }
        throw ConfigurationProblem("\(kind.rawValue.lowercased()) \(name.debugDescription) not found")
      }
      // What cannot be a variable is left out, as the kubelet does.
      for (key, value) in content.sorted(by: { $0.key < $1.key }) where !key.contains("=") && !value.contains(0) {
        try environment.set(prefix + key, value)
      }
    }
  }

  mutating func add(_ variable: JSONValue) async throws {
    guard let name = variable["name"].string else { return }
    if let value = variable["value"].string, !value.isEmpty {
      return try environment.set(name, environment.expand(value))
    }
    guard variable["valueFrom"].object != nil else { return try environment.set(name, []) }
    if let value = try await value(variable["valueFrom"]) { try environment.set(name, value) }
  }

  /// `nil` when it is missing and may be.
  private mutating func value(_ source: JSONValue) async throws -> [UInt8]? {
    if source["secretKeyRef"].object != nil { return try await value(.secret, source["secretKeyRef"]) }
    if source["configMapKeyRef"].object != nil { return try await value(.configMap, source["configMapKeyRef"]) }
    if let path = source["fieldRef"]["fieldPath"].string {
      guard let value = field(path) else { throw ConfigurationProblem("unsupported fieldPath: \(path)") }
      return Array(value.utf8)
    }
    let kind = source.object?.keys.sorted().first ?? "valueFrom"
    throw ConfigurationProblem("\(kind) has no meaning without a cluster; give the variable a value")
  }

  private mutating func value(_ kind: Kind, _ reference: JSONValue) async throws -> [UInt8]? {
    let name = reference["name"].string ?? ""
    let key = reference["key"].string ?? ""
    let isOptional = reference["optional"].bool == true
    guard let content = try await content(kind, name) else {
      if isOptional { return nil }
      throw ConfigurationProblem("\(kind.rawValue.lowercased()) \(name.debugDescription) not found")
    }
    if let value = content[key] { return value }
    if isOptional { return nil }
    throw ConfigurationProblem("couldn't find key \(key) in \(kind.rawValue) \(namespace)/\(name)")
  }

  private enum Kind: String { case secret = "Secret", configMap = "ConfigMap" }

  /// What a Secret or ConfigMap holds; `nil` if there is none.
  private mutating func content(_ kind: Kind, _ name: String) async throws -> [String: [UInt8]]? {
    let id = "\(kind)/\(name)"
    if let known = sources[id] { return known }
    let content: [String: [UInt8]]?
    do throws(APIError) {
      let key = ObjectKey(namespace: namespace, name: name)
      switch kind {
      case .secret: content = try Self.decoded(try await client.get(Secret.self, key))
      case .configMap: content = (try await client.get(ConfigMap.self, key).data ?? [:]).mapValues { Array($0.utf8) }
      }
    } catch {
      guard error.isNotFound else { throw error }
      content = nil
    }
    sources[id] = .some(content)
    return content
  }

  private static func decoded(_ secret: Secret) throws(APIError) -> [String: [UInt8]] {
    var content: [String: [UInt8]] = [:]
    for (key, text) in secret.data ?? [:] {
      guard let data = Data(base64Encoded: text) else {
        throw .malformed("Secret \(secret.key): the value of \(key) is not base64")
      }
      content[key] = Array(data)
    }
    return content
  }

  /// A field of the pod.
  private func field(_ path: String) -> String? {
    for (field, values) in [("labels", pod.metadata.labels), ("annotations", pod.metadata.annotations)] {
      let prefix = "metadata.\(field)['"
      if path.hasPrefix(prefix), path.hasSuffix("']") {
        return values?[String(path.dropFirst(prefix.count).dropLast(2))] ?? ""
      }
    }
    return switch path {
    case "metadata.name": pod.metadata.name
    case "metadata.namespace": namespace
    case "metadata.uid": pod.uid
    case "spec.nodeName": nodeName
    case "spec.serviceAccountName": pod.spec?["serviceAccountName"].string ?? ""
    case "status.hostIP", "status.podIP", "status.hostIPs", "status.podIPs": "127.0.0.1"
    default: nil
    }
  }
}
