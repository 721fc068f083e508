// Where a bucket, or a part of one, is found: what `spec.source` and `spec.destination` say.
//
//     data/backups          the prefix "backups" of the bucket "data", at the field's own remote
//     source:data/backups   the same with the remote spelled out
//
// There are two remotes, `source` and `destination`, configured by `sourceEnv` and `destinationEnv`. Paths are kept in
// a canonical form (no empty and no `.` segments), so that one place has one spelling and locks can go by it.

/// A place in one of the two remotes.
public struct BucketPath: Sendable, Hashable, CustomStringConvertible {
  /// The two remotes of a run; also the two fields that name a place.
  public enum Remote: String, Sendable, Hashable, CaseIterable {
    case source
    case destination
  }

  /// The remote that `path` lies in.
  public let remote: Remote
  /// The first segment of ``path``: the unit that is locked.
  public let bucket: String
  /// Bucket and prefix in canonical form, `data/backups`.
  public let path: String

  /// Reads what the field `field` says; `field` is also the remote when the text names none.
  public init(_ text: String, field: Remote) throws(BucketPathError) {
    func refuse(_ reason: BucketPathError.Reason) -> BucketPathError { BucketPathError(field, text, reason) }
    // By scalars: a slash with a combining mark is one Character, but to rclone it is a slash all the same.
    let scalars = text.unicodeScalars
    guard !scalars.contains(where: { $0.properties.generalCategory == .control }) else {
      throw refuse(.controlCharacter)
    }
    var remote = field
    var path = scalars[...]
    if let colon = scalars.prefix(while: { $0 != "/" }).firstIndex(of: ":") {
      let name = String(scalars[..<colon])
      guard !name.isEmpty, !name.contains(",") else { throw refuse(.connectionString) }
      guard let known = Remote(rawValue: name.lowercased()) else { throw refuse(.unknownRemote(name)) }
      remote = known
      path = scalars[scalars.index(after: colon)...]
    }
    let segments = path.split(separator: "/").map(String.init).filter { $0 != "." }
    guard !segments.contains("..") else { throw refuse(.parentSegment) }
    guard let bucket = segments.first else { throw refuse(.noBucket) }
    self.remote = remote
    self.bucket = bucket
    self.path = segments.joined(separator: "/")
  }

  /// The place as rclone takes it on its command line, `source:data/backups`.
  public var rclone: String { "\(remote.rawValue):\(path)" }

  public var description: String { rclone }

  /// Whether `other` has the same path or one below it. Remotes are not compared: both may be the same storage.
  public func contains(_ other: BucketPath) -> Bool {
    path == other.path || other.path.utf8.starts(with: "\(path)/".utf8)
  }

  /// Whether one of both places lies in the other, so that syncing them would make rclone eat its own tail.
  public func overlaps(_ other: BucketPath) -> Bool { contains(other) || other.contains(self) }
}

/// Why a text names no place.
public struct BucketPathError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Reason: Sendable, Hashable {
    /// Nothing is left of the path once slashes and `.` are taken off.
    case noBucket
    case parentSegment
    case controlCharacter
    case unknownRemote(String)
    /// rclone's remotes made up on the spot, `:s3,endpoint=…:bucket`.
    case connectionString
  }

  /// The field in question, `spec.source`.
  public let field: String
  public let reason: Reason
  /// What is wrong, and the way out. A connection string may hold credentials, so it is not repeated.
  public let message: String

  init(_ side: BucketPath.Remote, _ text: String, _ reason: Reason) {
    field = "spec.\(side.rawValue)"
    self.reason = reason
    let quoted = text.debugDescription
    message =
      switch reason {
      case .noBucket:
        "\(quoted) names no bucket; write <bucket> or <bucket>/<prefix>"
      case .parentSegment:
        "\(quoted) has a segment \"..\"; write the path that is meant, without it"
      case .controlCharacter:
        "\(quoted) has a control character; take it out"
      case .unknownRemote(let name):
        "\(quoted) names the remote \(name.debugDescription), but there are only \"source\" and \"destination\"; "
          + "leave the remote out (<bucket>/<prefix>) or write \(side.rawValue):<bucket>/<prefix>"
      case .connectionString:
        "rclone connection strings (\":<type>,<option>=…:\") are not supported; write <bucket>/<prefix> and put the "
          + "options into spec.\(side.rawValue)Env (TYPE, ENDPOINT, …)"
      }
  }

  public var description: String { "\(field): \(message)" }
}
