// What can go wrong at one request of an operator. Each has a name, so that a failing case can be replayed by hand:
// `12:crash-after` means that the process dies when its 12th request has taken effect.

import KubernetesModel

/// Something that goes wrong at one request.
enum Fault: Hashable {
  /// The process dies before the request is sent.
  case crashBefore
  /// The process dies when the request has taken effect, before it hears of it.
  case crashAfter
  /// The connection breaks; the request has no effect.
  case reset
  /// The request takes effect, and the connection breaks before the answer.
  case resetAfter
  /// The request takes effect, and no answer ever comes: the client gives up in the end.
  case lostAnswer
  /// The request is on its way for so long that the client has given up, and takes effect then.
  case late(Duration)
  /// The request has no effect and is refused with this status code.
  case refused(Int)
  /// The request takes effect, and is answered with 504.
  case gatewayTimeout
  /// The watches of the process fall behind: nothing is heard for so long, then everything.
  case watchLag(Duration)
  /// The next watch event gets lost, and nobody notices.
  case dropEvent
  /// The next watch event gets lost together with the connection.
  case dropEventAndCut
  /// The next watch event comes twice.
  case duplicateEvent
  /// The next two events of a watch come the wrong way round.
  case reorderEvents
  /// All watches break off.
  case cutWatches
  /// The server forgets its history, and all watches break off: 410.
  case expire
  /// The process stands still for so long (SIGSTOP, a suspended machine).
  case freeze(Duration)
  /// Somebody deletes all locks.
  case wipeLocks
  /// The wall clock of the process's machine is set by so much.
  case clock(Duration)

  /// Every fault that is tried at each request.
  static let all: [Fault] =
    [
      .crashBefore, .crashAfter, .reset, .resetAfter, .lostAnswer, .late(.seconds(45)), .refused(409), .refused(429),
      .refused(500), .gatewayTimeout, .watchLag(.seconds(3)), .watchLag(.seconds(90)), .dropEvent, .dropEventAndCut,
      .duplicateEvent, .reorderEvents, .cutWatches, .expire, .wipeLocks,
    ] + pauses + clocks
  static let pauses: [Fault] = [1, 20, 60, 3600].map { .freeze(.seconds($0)) }
  static let clocks: [Fault] = [1, -1, 600, -600, 31_536_000, -31_536_000].map { .clock(.seconds($0)) }

  /// Whether the process is another one afterwards.
  var isCrash: Bool { self == .crashBefore || self == .crashAfter }
  var isClock: Bool { if case .clock = self { true } else { false } }
}

extension Fault: CustomStringConvertible {
  var description: String {
    switch self {
    case .crashBefore: "crash-before"
    case .crashAfter: "crash-after"
    case .reset: "reset"
    case .resetAfter: "reset-after"
    case .lostAnswer: "lost-answer"
    case .late(let delay): "late-\(delay.components.seconds)"
    case .refused(let code): "\(code)"
    case .gatewayTimeout: "gateway-timeout"
    case .watchLag(let time): "watch-lag-\(time.components.seconds)"
    case .dropEvent: "drop-event"
    case .dropEventAndCut: "drop-event-and-cut"
    case .duplicateEvent: "duplicate-event"
    case .reorderEvents: "reorder-events"
    case .cutWatches: "cut-watches"
    case .expire: "expire"
    case .freeze(let time): "freeze-\(time.components.seconds)"
    case .wipeLocks: "wipe-locks"
    case .clock(let jump): "clock\(jump < .zero ? "" : "+")\(jump.components.seconds)"
    }
  }

  /// The fault of that name.
  init?(_ name: String) {
    let known = Fault.all + [.refused(503), .refused(403)]
    if let fault = known.first(where: { $0.description == name }) {
      self = fault
      return
    }
    func seconds(_ prefix: String) -> Duration? {
      name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)).map { .seconds($0) } : nil
    }
    if let time = seconds("watch-lag-") {
      self = .watchLag(time)
    } else if let time = seconds("freeze-") {
      self = .freeze(time)
    } else if let time = seconds("late-") {
      self = .late(time)
    } else if let jump = seconds("clock") {
      self = .clock(jump)
    } else {
      return nil
    }
  }
}

/// Which faults strike at which requests, counted from 0: `12:crash-after,30:409`.
struct FaultPlan: CustomStringConvertible {
  private(set) var faults: [(call: Int, fault: Fault)] = []

  static let none = FaultPlan([])

  init(_ faults: [(call: Int, fault: Fault)]) { self.faults = faults.sorted { $0.call < $1.call } }

  /// Reads what ``description`` has written.
  init?(_ text: String) {
    for part in text.split(separator: ",") {
      let pair = part.split(separator: ":", maxSplits: 1).map(String.init)
      guard pair.count == 2, let call = Int(pair[0]), let fault = Fault(pair[1]) else { return nil }
      faults.append((call, fault))
    }
    faults.sort { $0.call < $1.call }
  }

  func at(_ call: Int) -> [Fault] { faults.filter { $0.call == call }.map(\.fault) }

  var description: String { faults.map { "\($0.call):\($0.fault)" }.joined(separator: ",") }
}
