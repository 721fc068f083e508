// Which occurrences become events, without I/O.
//
// The same thing happening again is counted in the event it became the first time (`series`), as client-go does, and
// an object about which too much is told falls silent for a while: 25 events at once, then one every five minutes.

import FoundationEssentials
import KubernetesModel

/// Turns occurrences into writes to the API.
struct EventCorrelator {
  enum Write: Hashable {
    case create(Event)
    /// The event of this key happened again, so often in all.
    case count(ObjectKey, Event.Series)
  }

  private struct Entry {
    var event: ObjectKey
    var count: Int
    var last: Duration
  }

  /// A token bucket.
  private struct Bucket {
    var tokens: Double
    var filled: Duration
  }

  private static let burst = 25.0
  private static let refill = Duration.seconds(300)
  /// API servers keep an event for an hour after its last change, by default.
  private static let seriesWindow = Duration.seconds(3600)
  private static let limit = 4096

  let controller: String
  let instance: String
  private let processSuffix: String
  private var stamp: UInt64 = 0
  private var entries: [Occurrence: Entry] = [:]
  private var buckets: [ObjectReference: Bucket] = [:]

  init(controller: String, instance: String, random: RandomSource) {
    self.controller = controller
    self.instance = String(instance.prefix(128))
    processSuffix = String(UInt32(random(in: 65_536...16_777_215)), radix: 16)
  }

  /// The write that tells of `occurrence`; `nil` when its object has had its share.
  mutating func correlate(_ occurrence: Occurrence, now: Date, uptime: Duration) -> Write? {
    forgetOld(uptime)
    guard takeToken(occurrence.regarding.withoutVersion, uptime) else { return nil }
    let identity = identity(of: occurrence)
    if var entry = entries[identity], uptime - entry.last < Self.seriesWindow {
      entry.count += 1
      entry.last = uptime
      entries[identity] = entry
      return .count(entry.event, Event.Series(count: entry.count, lastObservedTime: MicroTimestamp(now)))
    }
    let event = event(occurrence, now: now)
    entries[identity] = Entry(event: event.key, count: 1, last: uptime)
    return .create(event)
  }

  /// Forgets the event that this occurrence was counted in: it is not on the server (any more).
  mutating func forget(_ occurrence: Occurrence) { entries[identity(of: occurrence)] = nil }

  /// A new event for an occurrence.
  private mutating func event(_ occurrence: Occurrence, now: Date) -> Event {
    let regarding = occurrence.regarding
    // Unique within the process by the growing stamp, beyond it by chance.
    stamp = max(stamp + 1, UInt64(max(0, now.timeIntervalSince1970) * 1_000_000))
    let suffix = String(stamp, radix: 16) + processSuffix
    var prefix = String((regarding.name ?? "unknown").prefix(253 - 1 - suffix.count))
    while prefix.hasSuffix(".") || prefix.hasSuffix("-") { prefix.removeLast() }
    var event = Event(
      metadata: ObjectMeta(name: "\(prefix).\(suffix)", namespace: regarding.namespace ?? "default")
    )
    event.eventTime = MicroTimestamp(now)
    event.reportingController = controller
    event.reportingInstance = instance
    event.type = occurrence.type.rawValue
    event.action = String(occurrence.action.prefix(128))
    event.reason = String(occurrence.reason.prefix(128))
    event.regarding = regarding
    event.related = occurrence.related
    event.note = occurrence.note.truncated(toBytes: 1024)
    return event
  }

  /// What makes two occurrences the same.
  private func identity(of occurrence: Occurrence) -> Occurrence {
    var identity = occurrence
    identity.regarding = identity.regarding.withoutVersion
    identity.related = identity.related?.withoutVersion
    return identity
  }

  private mutating func takeToken(_ object: ObjectReference, _ uptime: Duration) -> Bool {
    var bucket = buckets[object] ?? Bucket(tokens: Self.burst, filled: uptime)
    bucket.tokens = min(Self.burst, bucket.tokens + (uptime - bucket.filled) / Self.refill)
    bucket.filled = uptime
    defer { buckets[object] = bucket }
    guard bucket.tokens >= 1 else { return false }
    bucket.tokens -= 1
    return true
  }

  /// Keeps the memory of what happened bounded.
  private mutating func forgetOld(_ uptime: Duration) {
    if entries.count >= Self.limit {
      entries = entries.filter { uptime - $0.value.last < Self.seriesWindow }
      if entries.count >= Self.limit { entries = [:] }
    }
    if buckets.count >= Self.limit {
      buckets = buckets.filter { $0.value.tokens + (uptime - $0.value.filled) / Self.refill < Self.burst }
      if buckets.count >= Self.limit { buckets = [:] }
    }
  }
}

extension ObjectReference {
  fileprivate var withoutVersion: ObjectReference {
    var reference = self
    reference.resourceVersion = nil
    return reference
  }
}

extension String {
  /// The text, or as much of its beginning as fits with an ellipsis into so many bytes of UTF-8.
  func truncated(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    let ellipsis = "…"
    var text = ""
    var size = ellipsis.utf8.count
    for character in self {
      size += character.utf8.count
      if size > limit { break }
      text.append(character)
    }
    return text + ellipsis
  }
}
