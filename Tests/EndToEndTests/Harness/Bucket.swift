// Buckets: directories behind an S3 endpoint.

import FoundationEssentials
import KubernetesModel

/// Where buckets are, as rclone in a pod sees it.
struct Endpoint: Sendable {
  let address: String
  let accessKey: String
  let secretKey: String
  /// Holds a directory per bucket.
  let directory: String
  /// The name of the Secret with the keys, in each test's namespace.
  let secret: String

  /// One of the testbed's endpoints: `A`, `B` or `C`.
  static func testbed(_ name: String) throws -> Endpoint {
    Endpoint(
      address: try Testbed.required("S3_\(name)_ENDPOINT"),
      accessKey: try Testbed.required("S3_\(name)_ACCESS_KEY"),
      secretKey: try Testbed.required("S3_\(name)_SECRET_KEY"),
      directory: try Testbed.required("S3_\(name)_DIRECTORY"),
      secret: "keys-\(name.lowercased())"
    )
  }
}

/// A bucket.
struct Bucket: Sendable {
  let name: String
  let endpoint: Endpoint
  private var path: String { "\(endpoint.directory)/\(name)" }

  /// Makes an empty bucket.
  static func make(_ name: String, at endpoint: Endpoint) throws -> Bucket {
    let bucket = Bucket(name: name, endpoint: endpoint)
    try FileManager.default.createDirectory(atPath: bucket.path, withIntermediateDirectories: true)
    return bucket
  }

  /// Stores an object.
  func write(_ object: String, _ text: String) throws { try write(object, Data(text.utf8)) }

  /// Stores an object.
  func write(_ object: String, _ content: Data) throws {
    if let folder = object.lastIndex(of: "/") {
      try FileManager.default.createDirectory(
        atPath: "\(path)/\(object[..<folder])",
        withIntermediateDirectories: true
      )
    }
    try content.write(to: URL(filePath: "\(path)/\(object)"))
  }

  /// Deletes an object.
  func remove(_ object: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(object)") }

  /// Every object with its content.
  func objects() throws -> [String: Data] {
    var objects: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
      var isDirectory = false
      guard FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory), !isDirectory
      else { continue }
      objects[name] = try Data(contentsOf: URL(filePath: "\(path)/\(name)"))
    }
    return objects
  }

  /// Deletes the bucket and everything in it.
  func delete() { try? FileManager.default.removeItem(atPath: path) }
}
