// `users[…].user.exec` of a kubeconfig: the credential plugin to run.

import FoundationEssentials
import KubernetesModel

extension KubeconfigEntry {
  private static let versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]

  /// The plugin described here, for `cluster`.
  func plugin(
    cluster: KubeconfigEntry,
    environment: [String: String]
  ) throws(ConfigurationError) -> ExecPlugin {
    guard let command = try string("command") else {
      throw error("command", "is missing: name the program that prints the credential")
    }
    let known = Self.versions.joined(separator: " or ")
    guard let version = try string("apiVersion") else { throw error("apiVersion", "is missing: set it to \(known)") }
    guard Self.versions.contains(version) else {
      throw error("apiVersion", "\(version) is not supported: set it to \(known), and update the plugin if need be")
    }
    if try string("interactiveMode") == "Always" {
      throw error("interactiveMode", "a controller has no terminal: use a plugin that works without one")
    }
    var variables = environment
    for variable in try sequence("env") {
      guard let name = try variable.string("name") else { throw variable.error("name", "is missing") }
      variables[name] = try variable.string("value") ?? ""
    }
    var arguments: [String] = []
    for argument in value["args"].array ?? [] {
      guard let text = argument.string else { throw error("args", "every argument must be text: put it in quotes") }
      arguments.append(text)
    }
    return ExecPlugin(
      command: command.contains("/") ? Self.resolve(command, beside: path) : command,
      arguments: arguments,
      environment: variables,
      apiVersion: version,
      cluster: try bool("provideClusterInfo") ? try cluster.execInfo() : nil,
      installHint: try string("installHint")
    )
  }

  /// `spec.cluster` of an ExecCredential, from a cluster's entry.
  private func execInfo() throws(ConfigurationError) -> JSONValue {
    var info: JSONValue = [:]
    for name in ["server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url"] where !value[name].isNull {
      info[name] = value[name]
    }
    if let authority = try data("certificate-authority") {
      info["certificate-authority-data"] = .string(authority.base64EncodedString())
    }
    // The extension of this name is meant for plugins.
    let own = "client.authentication.k8s.io/exec"
    for entry in value["extensions"].array ?? [] where entry["name"].string == own {
      info["config"] = entry["extension"]
    }
    return info
  }
}
