// Kubeconfig files: reading, merging and finding what the current context means.
//
// Merging as kubectl does it: of entries with the same name, and of current-context, the first file's wins. Relative
// paths are relative to the file they are in, so every entry remembers its file.

import FoundationEssentials
import KubernetesModel

/// One or several kubeconfig files.
struct Kubeconfig {
  private var currentContext: String?
  private var clusters: [String: KubeconfigEntry] = [:]
  private var users: [String: KubeconfigEntry] = [:]
  private var contexts: [String: KubeconfigEntry] = [:]
  private var paths: [String]

  /// Reads and merges. As with kubectl, files that do not exist are passed over when there are several.
  init(paths: [String]) throws(ConfigurationError) {
    self.paths = paths
    var isAnyRead = false
    for path in paths where !path.isEmpty {
      guard let bytes = FileManager.default.contents(atPath: path) else {
        let why = FileManager.default.fileExists(atPath: path) ? "it cannot be read" : "there is no such file"
        if paths.count > 1 && !FileManager.default.fileExists(atPath: path) { continue }
        throw ConfigurationError("\(path): \(why): set --kubeconfig or KUBECONFIG to a readable kubeconfig file")
      }
      isAnyRead = true
      try merge(bytes, from: path)
    }
    guard isAnyRead else {
      throw ConfigurationError(
        "\(paths.joined(separator: ":")): none of these files exists: set --kubeconfig or KUBECONFIG to one that does"
      )
    }
  }

  private mutating func merge(_ bytes: Data, from path: String) throws(ConfigurationError) {
    let document: JSONValue
    do {
      document = try YAML.document(in: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw ConfigurationError("\(path): \(error): this is no YAML, write the file anew or name another one")
    }
    // An empty file is an empty configuration.
    guard document.object != nil || document.isNull else {
      throw ConfigurationError("\(path): this is no kubeconfig: it must be a mapping with clusters, users and contexts")
    }
    if let kind = document["kind"].string, kind != "Config" {
      throw ConfigurationError("\(path): kind: this is a \(kind), not a kubeconfig: name a file whose kind is Config")
    }
    let root = KubeconfigEntry(path: path, place: "", value: document)
    if currentContext == nil { currentContext = try root.string("current-context") }
    try clusters.merge(root.named("clusters", holding: "cluster")) { first, _ in first }
    try users.merge(root.named("users", holding: "user")) { first, _ in first }
    try contexts.merge(root.named("contexts", holding: "context")) { first, _ in first }
  }

  /// What the current context says.
  func configuration(
    environment: [String: String],
    time: any TimeSource
  ) throws(ConfigurationError) -> ClientConfiguration {
    let files = paths.joined(separator: ":")
    guard let currentContext else {
      throw ConfigurationError(
        "\(files): current-context is not set: choose one with kubectl config use-context NAME"
          + known(contexts)
      )
    }
    guard let context = contexts[currentContext] else {
      throw ConfigurationError(
        "\(files): current-context: there is no context \(currentContext): "
          + "choose one with kubectl config use-context NAME" + known(contexts)
      )
    }
    let cluster = try referred("cluster", by: context, in: clusters)
    let connection = try cluster.connection()
    let credentials: any CredentialSource =
      try context.string("user") == nil
      ? FixedCredential(cluster.credentialInServer() ?? .none)
      : try referred("user", by: context, in: users)
        .credentials(cluster: cluster, environment: environment, time: time)
    return ClientConfiguration(
      connection: connection,
      credentials: credentials,
      namespace: try context.string("namespace")
    )
  }

  private func referred(
    _ member: String,
    by context: KubeconfigEntry,
    in entries: [String: KubeconfigEntry]
  ) throws(ConfigurationError) -> KubeconfigEntry {
    guard let name = try context.string(member) else {
      throw context.error(member, "is missing: name one of \(member)s" + known(entries))
    }
    guard let entry = entries[name] else {
      throw context.error(member, "there is no \(member) \(name): name one of \(member)s" + known(entries))
    }
    return entry
  }

  private func known(_ entries: [String: KubeconfigEntry]) -> String {
    entries.isEmpty ? " (there are none)" : " (\(entries.keys.sorted().joined(separator: ", ")))"
  }
}
