// A server over a file, and a client of it.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Logging
import TestSupport

@testable import StandaloneAPI

/// An embedded API server that can be left and opened again.
struct Server {
  let folder: TemporaryFolder
  let api: EmbeddedAPIServer
  let client: KubernetesClient

  /// A new server on a folder that may hold the objects of an earlier one.
  init(in folder: TemporaryFolder, time: any TimeSource = SystemTime()) throws {
    self.folder = folder
    api = try EmbeddedAPIServer(
      file: folder.path + "/objects", catalog: ResourceCatalog(ResourceDefinition.builtIn), makesNamespaces: true,
      time: time, logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
    client = KubernetesClient(transport: api, time: time)
  }

  func map(_ name: String, owner: ConfigMap? = nil) -> ConfigMap {
    let owners = owner.map {
      [OwnerReference(apiVersion: "v1", kind: "ConfigMap", name: $0.metadata.name, uid: $0.metadata.uid ?? "")]
    }
    return ConfigMap(metadata: ObjectMeta(name: name, namespace: "default", ownerReferences: owners), data: ["a": "1"])
  }

  /// Names of all ConfigMaps.
  var names: [String] {
    get async throws { try await client.list(ConfigMap.self).items.map(\.metadata.name) }
  }

  func watch(from version: String) async throws -> WatchStream<ConfigMap> {
    try await client.watch(
      ConfigMap.self, namespace: nil, labels: nil, fields: nil, from: version, timeout: .seconds(60))
  }
}
