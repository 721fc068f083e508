// Byte strings in the form that exec takes.

internal import FoundationEssentials

/// A list of strings, each ended by a zero byte, with a null pointer behind the last.
struct CStrings {
  private let bytes: [[CChar]]

  init(_ strings: [Data]) { bytes = strings.map { $0.map { CChar(bitPattern: $0) } + [0] } }

  init(strings: [String]) { self.init(strings.map { Data($0.utf8) }) }

  /// Calls `body` with the list, which is valid during the call.
  func withPointers<Result>(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
    let storage = bytes.map { string in
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count)
      copy.initialize(from: string, count: string.count)
      return copy
    }
    defer { for copy in storage { copy.deallocate() } }
    let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: storage.count + 1)
    defer { list.deallocate() }
    list.initialize(from: storage + [nil], count: storage.count + 1)
    return body(list)
  }
}
