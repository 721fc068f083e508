// What is wrong with the configuration, said so that the reader can put it right.

/// One sentence: the file, where in it, what is wrong and the way out. Never holds a credential.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}
