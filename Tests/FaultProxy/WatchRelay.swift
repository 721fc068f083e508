// One watch: its events, one a line, as they come; some of them twice, late, by half or not at all.

import NIOCore
import NIOHTTP1

/// Relays one watch.
struct WatchRelay: Sendable {
  /// The answer is complete, though the server's is not.
  private struct Enough: Error {}

  let proxy: FaultProxy
  let kind: String
  let number: Int
  let channel: any Channel

  private var what: String { "\(kind) #\(number)" }

  /// Relays the answer of the server to its end.
  func relay(_ parts: Upstream.Parts, to outbound: ProxyConnection.Outbound) async throws {
    var lines = ByteBuffer()
    var events = 0
    do {
      for try await part in parts {
        switch part {
        case .head(let head):
          if head.status == .gone { proxy.sawExpiration(what) }
          try await outbound.write(.head(head.forwarded))
        case .body(var piece):
          lines.writeBuffer(&piece)
          while let line = lines.readLine() {
            events += 1
            try await relay(line, event: events, to: outbound)
          }
        case .end:
          // What has no line break at its end is a refusal.
          if lines.readableBytes > 0 { try await outbound.write(.body(.byteBuffer(lines))) }
          return try await outbound.write(.end(nil))
        }
      }
      throw Upstream.BrokenOff()
    } catch is Enough {
      try await outbound.write(.end(nil))
    }
  }

  private func relay(_ line: ByteBuffer, event: Int, to outbound: ProxyConnection.Outbound) async throws {
    if line.readableBytesView.starts(with: Self.errorEvent), line.contains(#""code":410"#) { proxy.sawExpiration(what) }
    let decision = proxy.plan.event(kind, number, event: event)
    guard let fault = decision.fault else { return try await outbound.write(.body(.byteBuffer(line))) }
    proxy.timeline.add(what, fault, detail(of: line, event, decision))
    switch fault {
    case .duplicatedEvent:
      try await outbound.write(.body(.byteBuffer(line)))
      try await outbound.write(.body(.byteBuffer(line)))
    case .heldEvent:
      try await Task.sleep(for: decision.delay)
      try await outbound.write(.body(.byteBuffer(line)))
    case .endedWatch:
      throw Enough()
    case .expired:
      let event = ByteBuffer(string: #"{"type":"ERROR","object":\#(OwnAnswer.expired.json)}"# + "\n")
      try await outbound.write(.body(.byteBuffer(event)))
      throw Enough()
    case .cutEvent:
      if let half = line.getSlice(at: line.readerIndex, length: line.readableBytes / 2) {
        try await outbound.write(.body(.byteBuffer(half)))
      }
      // As the end of a complete answer, or as a broken connection.
      if decision.variant % 2 == 0 { throw Enough() }
      await channel.reset()
      throw ProxyConnection.Over()
    default:
      try await outbound.write(.body(.byteBuffer(line)))
    }
  }

  private static let errorEvent = Array(#"{"type":"ERROR""#.utf8)

  /// Which event of which object: `MODIFIED nightly-1705316400, 1.2 s`.
  private func detail(of line: ByteBuffer, _ event: Int, _ decision: FaultPlan.Decision) -> String {
    let text = String(buffer: line)
    let type = text.value(after: #""type":""#) ?? "?"
    let name = text.value(after: #""metadata":{"name":""#) ?? ""
    return "event \(event): \(type) \(name)\(decision.fault == .heldEvent ? " for \(decision.delay)" : "")"
  }
}

extension String {
  /// What stands between `mark` and the next quotation mark.
  fileprivate func value(after mark: String) -> String? {
    guard let range = firstRange(of: mark) else { return nil }
    return self[range.upperBound...].prefix { $0 != "\"" }.description
  }
}

extension ByteBuffer {
  /// The next line with its line break, once it is complete.
  fileprivate mutating func readLine() -> ByteBuffer? {
    guard let end = readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    return readSlice(length: end - readerIndex + 1)
  }

  fileprivate func contains(_ text: String) -> Bool { String(buffer: self).contains(text) }
}
