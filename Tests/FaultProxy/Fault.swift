// What can happen to a request, or to a watch, on its way between a controller and the API server.

/// A kind of fault. Its raw value is what timelines and figures call it.
package enum Fault: String, Sendable, CaseIterable {
  // MARK: To any request

  /// Passed on, or answered, late.
  case slow = "slow"
  /// The connection is reset; the server never sees the request.
  case resetBefore = "reset before"
  /// The server does what it was asked, but the connection is reset instead of an answer.
  case resetAfter = "reset after"
  /// The server does what it was asked, and the connection is reset in the middle of the answer.
  case halfAnswer = "half an answer"
  /// 429 with Retry-After.
  case tooManyRequests = "429"
  /// 500; the server never sees the request.
  case serverError = "500"
  /// 503, with and without Retry-After; the server never sees the request.
  case unavailable = "503"
  /// 504, though the server has done what it was asked.
  case timedOut = "504 after"

  // MARK: To a watch

  /// 410 as the answer's status code.
  case expiredStatus = "410 status"
  /// 410 as an ERROR event.
  case expired = "410 event"
  /// The connection ends, or is reset, in the middle of an event.
  case cutEvent = "cut event"
  /// The answer ends in good order, between two events.
  case endedWatch = "ended watch"
  /// An event comes twice.
  case duplicatedEvent = "duplicated event"
  /// An event and all that follow it come late.
  case heldEvent = "held event"

  // MARK: Ordered by a test

  /// No watch is let through.
  case blockedWatch = "blocked watch"
}

/// How often each fault is met, in thousandths.
package struct FaultRates: Sendable {
  package typealias Table = [(fault: Fault, perMille: Int)]

  /// Of the requests that are no watches.
  package var requests: Table
  /// Of the beginnings of watches.
  package var watches: Table
  /// Of the events of watches, bookmarks included.
  package var events: Table

  /// None at all.
  package static let calm = FaultRates(requests: [], watches: [], events: [])

  /// Every third request and every seventh event meets something.
  package static let storm = FaultRates(
    requests: [
      (.slow, 120), (.resetBefore, 40), (.resetAfter, 50), (.halfAnswer, 20), (.tooManyRequests, 30),
      (.serverError, 30), (.unavailable, 30), (.timedOut, 20),
    ],
    watches: [
      (.slow, 100), (.resetBefore, 50), (.tooManyRequests, 30), (.serverError, 30), (.unavailable, 30),
      (.expiredStatus, 40),
    ],
    // A watch lasts for some dozen events: where none lasts, a controller hears of nothing.
    events: [(.cutEvent, 10), (.endedWatch, 5), (.duplicatedEvent, 90), (.heldEvent, 25), (.expired, 7)]
  )
}
