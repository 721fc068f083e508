// JobManifest: a whole `batch/v1` Job, open to any change.
//
//     job.podSpec["nodeSelector"]["disk"] = "ssd"
//     job.updateContainer { $0["args"] = .array(($0["args"].array ?? []) + ["--fast-list"]) }

public import KubernetesModel

/// A `batch/v1` Job to be created.
public struct JobManifest: Sendable, Hashable {
  /// The Job as JSON.
  public var json: JSONValue

  /// Wraps a Job.
  public init(_ json: JSONValue) { self.json = json }

  /// `spec.template.spec`.
  public var podSpec: JSONValue {
    get { json["spec"]["template"]["spec"] }
    set { json["spec"]["template"]["spec"] = newValue }
  }

  /// `spec.template.metadata`.
  public var podMetadata: JSONValue {
    get { json["spec"]["template"]["metadata"] }
    set { json["spec"]["template"]["metadata"] = newValue }
  }

  /// Changes the container called `name`, the first one if `nil`; nothing happens when there is none.
  public mutating func updateContainer(_ name: String? = nil, _ change: (inout JSONValue) -> Void) {
    let containers = podSpec["containers"].array ?? []
    guard let index = containers.firstIndex(where: { name == nil || $0["name"].string == name }) else { return }
    var container = containers[index]
    change(&container)
    podSpec["containers"][index] = container
  }
}
