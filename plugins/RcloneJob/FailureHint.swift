// What a person can do about failures that everybody meets sooner or later.

import BucketSyncAPI

/// A well-known failure.
struct FailureHint: Sendable, Hashable {
  /// CamelCase word.
  let reason: String
  /// What is wrong and the way out.
  let advice: String

  /// `nil` if the failure is none of the well-known ones.
  init?(_ digest: LogDigest) {
    let text = digest.text
    let place = Place(Self.side(in: text))
    func tells(_ words: [String]) -> Bool { words.contains { text.contains($0) } }
    if tells(Self.badCredentials) {
      reason = "CredentialsRefused"
      advice = "\(place.name) refused the credentials; check \(place.env) and the Secrets named there"
    } else if tells(["AccessDenied", "status 403", "403 Forbidden", "AuthorizationFailure"]) {
      reason = "AccessDenied"
      advice = "\(place.name) denied access; check what the credentials in \(place.env) are allowed to do"
    } else if tells(["didn't find backend", "didn't find section in config file"]) {
      reason = "InvalidConfiguration"
      advice = "\(place.name) has no storage type that rclone knows; check TYPE in \(place.env)"
    } else if tells(["couldn't parse config item", "Failed to create file system"]) {
      reason = "InvalidConfiguration"
      advice = "\(place.name) is not configured well; check \(place.env)"
    } else if tells(["NoSuchBucket", "directory not found"]) {
      reason = "BucketNotFound"
      advice = "\(place.name) does not exist; create the bucket or correct \(place.field)"
    } else if tells(Self.unreachable) {
      reason = "EndpointUnreachable"
      advice = "\(place.name) cannot be reached; check ENDPOINT in \(place.env) and the network"
    } else {
      return nil
    }
  }

  private static let badCredentials = [
    "SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "TokenRefreshRequired", "status 401",
    "401 Unauthorized", "AuthenticationFailed", "invalid_grant", "couldn't fetch token", "cannot fetch token",
    "static credentials are empty", "no valid credential", "failed to refresh cached credentials",
  ]
  private static let unreachable = [
    "no such host", "connection refused", "i/o timeout", "no route to host", "network is unreachable", "x509:",
    "server gave HTTP response to HTTPS client", "TLS handshake timeout",
  ]

  /// The side that the failure is about, as far as rclone's words tell.
  private static func side(in text: String) -> BucketPath.Remote? {
    let isSource = text.contains(/source root directory|file system for "source:|open source object/)
    let isDestination = text.contains(
      /destination root directory|file system for "destination:|prepare upload|S3 (Put|Create|Upload|Complete|Delete)/
    )
    return isSource == isDestination ? nil : isSource ? .source : .destination
  }

  /// What to call a side, or both.
  private struct Place {
    let name: String
    let env: String
    let field: String

    init(_ side: BucketPath.Remote?) {
      let sides = (side.map { [$0] } ?? BucketPath.Remote.allCases).map(\.rawValue)
      func joined(_ text: (String) -> String) -> String { sides.map(text).joined(separator: " or ") }
      name = joined { "the \($0)" }
      env = joined { "spec.\($0)Env" }
      field = joined { "spec.\($0)" }
    }
  }
}
