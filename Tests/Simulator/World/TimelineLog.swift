// The operator's own log, as lines of the timeline.

import Logging

extension LogHandlerFactory {
  /// Writes what `process` logs into `timeline`.
  init(_ timeline: Timeline, process: String) {
    let sink = LogSink(timeline: timeline)
    self.init { _ in TimelineLog(process: process, sink: sink) }
  }
}

/// Only ever touched by the thread of its world.
private struct LogSink: @unchecked Sendable {
  let timeline: Timeline
}

private struct TimelineLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .info
  let process: String
  let sink: LogSink

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let merged = metadata.merging(event.metadata ?? [:]) { $1 }
    let details = merged.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    sink.timeline.log("\(process) says: \(event.message)\(details)")
  }
}
