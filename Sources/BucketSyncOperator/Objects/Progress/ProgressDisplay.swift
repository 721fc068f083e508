// Shows how a run gets on: on a terminal one line that is written anew, elsewhere a line now and then.

internal import KubernetesModel

/// What is shown of a run that goes on.
struct ProgressDisplay: Sendable {
  /// How often there may be another line where lines stay.
  static let pause = Duration.seconds(5)

  private let terminal: Terminal
  private let time: any TimeSource
  /// What is on the terminal's last line.
  private var isLineOpen = false
  private var lastText = ""
  private var lastState = ""
  private var lastTold: Duration?

  init(_ terminal: Terminal, time: any TimeSource) {
    self.terminal = terminal
    self.time = time
  }

  /// A line that stays.
  mutating func tell(_ line: String) {
    clear()
    terminal.write(line + "\n")
  }

  /// The state of things, which the next one replaces. Parts that do not fit are left out, from the end.
  /// - Parameter isNumbers: Whether only numbers change, and not every change is worth a line.
  mutating func show(_ state: String, _ parts: [String], isNumbers: Bool = false) {
    guard terminal.canRewrite else {
      return showLine(([state] + parts).joined(separator: ", "), isPatient: isNumbers && lastState == state, state)
    }
    let width = max(20, terminal.width() - 1)
    var line = state
    for part in parts where line.count + part.count + 2 <= width { line += "  " + part }
    line = String(line.prefix(width))
    guard line != lastText || !isLineOpen else { return }
    lastText = line
    isLineOpen = true
    terminal.write("\r\u{1B}[K" + line)
  }

  /// Makes room for other output.
  mutating func clear() {
    guard isLineOpen else { return }
    isLineOpen = false
    terminal.write("\r\u{1B}[K")
  }

  private mutating func showLine(_ text: String, isPatient: Bool, _ state: String) {
    let now = time.uptime
    guard text != lastText, !isPatient || lastTold.map({ now - $0 >= Self.pause }) ?? true else { return }
    lastText = text
    lastState = state
    lastTold = now
    terminal.write(text + "\n")
  }
}
