// The agenda: what happens when, in virtual time. Nothing else makes time pass.
//
// What is due at the same moment happens in an order by chance, so that no test rests on an order nobody promised.

import HeapModule

/// Things to come, by time.
final class Agenda {
  /// Takes a thing off the agenda.
  struct Ticket: Hashable {
    fileprivate var number: Int
  }

  private struct Entry: Comparable {
    var time: Duration
    var chance: UInt64
    var number: Int

    static func < (left: Entry, right: Entry) -> Bool {
      (left.time, left.chance, left.number) < (right.time, right.chance, right.number)
    }
  }

  /// Since the beginning of the world.
  private(set) var now: Duration = .zero
  private var entries = Heap<Entry>()
  private var bodies: [Int: () -> Void] = [:]
  private var count = 0
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// Has `body` happen after `delay`.
  @discardableResult
  func after(_ delay: Duration, _ body: @escaping () -> Void) -> Ticket {
    count += 1
    bodies[count] = body
    entries.insert(Entry(time: now + max(.zero, delay), chance: random.next(), number: count))
    return Ticket(number: count)
  }

  func cancel(_ ticket: Ticket) { bodies[ticket.number] = nil }

  /// When the next thing happens.
  var next: Duration? {
    while let entry = entries.min, bodies[entry.number] == nil { entries.removeMin() }
    return entries.min?.time
  }

  /// Lets the next thing happen, if it is due by `end`; otherwise time goes on to `end`.
  /// - Returns: Whether anything happened.
  func step(until end: Duration) -> Bool {
    guard let time = next, time <= end, let entry = entries.popMin() else {
      now = max(now, end)
      return false
    }
    now = max(now, time)
    bodies.removeValue(forKey: entry.number)?()
    return true
  }

  /// Drops everything.
  func clear() {
    bodies = [:]
    entries = Heap()
  }
}
