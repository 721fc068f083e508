// The timeline: what happened when, as people read it. Its fingerprint tells whether two worlds went the same way.

import KubernetesModel

/// What has happened in a world.
final class Timeline {
  private let agenda: Agenda
  private let isRecording: Bool
  private(set) var lines: [String] = []
  /// FNV-1a over all lines, recorded or not.
  private(set) var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325

  /// - Parameter isRecording: Whether the lines are kept; the fingerprint always is.
  init(_ agenda: Agenda, isRecording: Bool) {
    self.agenda = agenda
    self.isRecording = isRecording
  }

  func note(_ text: String) {
    let line = "\(Self.format(agenda.now))  \(text)"
    for byte in line.utf8 { fingerprint = (fingerprint ^ UInt64(byte)) &* 0x100_0000_01b3 }
    if isRecording { lines.append(line) }
  }

  /// A line for people that is no part of the fingerprint.
  func log(_ text: String) {
    if isRecording { lines.append("\(Self.format(agenda.now))  \(text)") }
  }

  /// `0:01:02.345678`
  static func format(_ time: Duration) -> String {
    let (seconds, attoseconds) = time.components
    func padded(_ number: Int64, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let micros = attoseconds / 1_000_000_000_000
    return "\(seconds / 3600):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2)).\(padded(micros, 6))"
  }
}
