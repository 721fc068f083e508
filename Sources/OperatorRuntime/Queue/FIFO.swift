// First in, first out, without moving every element when one leaves.

/// A queue of elements.
struct FIFO<Element> {
  private var storage: [Element] = []
  private var head = 0

  var count: Int { storage.count - head }
  var isEmpty: Bool { count == 0 }
  var elements: [Element] { Array(storage[head...]) }

  mutating func append(_ element: Element) { storage.append(element) }

  mutating func popFirst() -> Element? {
    guard head < storage.count else { return nil }
    defer {
      head += 1
      if head > 32, head * 2 > storage.count { dropTaken() }
    }
    return storage[head]
  }

  mutating func removeFirst(where matches: (Element) -> Bool) -> Element? {
    dropTaken()
    return storage.firstIndex(where: matches).map { storage.remove(at: $0) }
  }

  private mutating func dropTaken() {
    storage.removeFirst(head)
    head = 0
  }
}

extension FIFO: Sendable where Element: Sendable {}
