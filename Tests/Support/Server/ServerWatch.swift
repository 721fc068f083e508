// Watches: the server's changes as streams of lines, which real reflectors read.

import FoundationEssentials
package import KubernetesClient
import KubernetesModel
import Synchronization

struct Watcher: Sendable {
  let collection: ResourcePath
  let selector: LabelSelector
  let continuation: AsyncThrowingStream<Data, any Error>.Continuation

  func tell(_ change: ServerChange) {
    guard change.path.isWithin(collection), let kind = change.seen(through: selector) else { return }
    send(kind.rawValue, change.object)
  }

  func send(_ type: String, _ object: JSONValue) {
    let event: JSONValue = ["type": .string(type), "object": object]
    continuation.yield(((try? JSON.encode(event)) ?? Data()) + Data("\n".utf8))
  }
}

extension InMemoryAPIServer {
  package func stream(_ request: APIRequest) async throws -> APIStream {
    try Task.checkCancellation()
    guard let collection = ResourcePath(request.path) else { throw Refusal(404, "NotFound", "no \(request.path)") }
    let (body, continuation) = AsyncThrowingStream<Data, any Error>.makeStream()
    let watcher = Watcher(
      collection: collection, selector: LabelSelector(request.value("labelSelector")), continuation: continuation)
    let start = Int(request.value("resourceVersion") ?? "") ?? 0
    state.withLock { state in
      guard start >= state.storage.oldestKnown else {
        watcher.send("ERROR", Refusal(410, "Expired", "too old resource version: \(start)").status)
        return continuation.finish()
      }
      for change in state.storage.history where change.revision > start { watcher.tell(change) }
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = watcher
    }
    return APIStream(statusCode: 200, body: body)
  }

  /// Forgets the past: watches from before are told that their version has expired.
  package func compact() { state.withLock { $0.storage.compact() } }

  /// Ends all watches in good order, as the server's timeout does.
  package func endWatches() { for watcher in takeWatchers() { watcher.continuation.finish() } }

  /// Breaks the connections of all watches.
  package func breakWatches() {
    for watcher in takeWatchers() { watcher.continuation.finish(throwing: TransportError(.noAnswer, "broken")) }
  }

  /// Sends a bookmark to all watches.
  package func sendBookmarks() {
    state.withLock { state in
      for watcher in state.watchers.values {
        watcher.send("BOOKMARK", ["metadata": ["resourceVersion": .string("\(state.storage.revision)")]])
      }
    }
  }

  /// Number of open watches.
  package var watcherCount: Int { state.withLock { $0.watchers.count } }

  private func takeWatchers() -> [Watcher] {
    state.withLock { state in
      defer { state.watchers = [:] }
      return Array(state.watchers.values)
    }
  }
}
