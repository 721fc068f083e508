// Why an expression is no schedule, in words for the person who wrote it.

/// A bad expression: what is wrong with it, and where.
package struct CronError: Error, Sendable, Hashable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }

  /// A problem of one field: `field 3 (day of month): 32 is out of range 1–31`.
  init(_ field: CronField, _ what: String) { self.init("field \(field.position) (\(field.name)): \(what)") }
}
