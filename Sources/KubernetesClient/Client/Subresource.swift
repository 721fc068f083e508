// Subresources: parts of an object with an address, and rights, of their own.

/// A part of an object that is read or written by itself.
public struct Subresource: Sendable, Hashable {
  /// The last part of its path, `status`.
  public var name: String

  /// The subresource called `name`.
  public init(_ name: String) { self.name = name }

  /// What the controller writes, while users write the rest.
  public static let status = Subresource("status")
  /// A pod's log.
  static let log = Subresource("log")
}
