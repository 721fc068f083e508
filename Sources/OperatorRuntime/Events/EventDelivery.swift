// Events, the writing side: takes what was recorded and writes it to the API server, in the background.

package import KubernetesClient
package import KubernetesModel
package import Logging

/// Writes recorded events. One task runs it for as long as the process lives.
package struct EventDelivery: Sendable {
  private let buffer: EventBuffer
  private let client: KubernetesClient
  private let controller: String
  private let instance: String
  private let time: any TimeSource
  private let random: RandomSource
  private let logger: Logger

  /// Delivers by `client` in the name of `controller` (`example.com/name`) and `instance` (the pod's name).
  package init(
    client: KubernetesClient,
    controller: String,
    instance: String,
    time: any TimeSource,
    random: RandomSource,
    logger: Logger,
    metrics: MetricsRegistry
  ) {
    buffer = EventBuffer(metrics: metrics)
    self.client = client
    self.controller = controller
    self.instance = instance
    self.time = time
    self.random = random
    self.logger = logger
  }

  /// What reconcilers and plugins record events with.
  package var recorder: EventRecorder { EventRecorder(buffer: buffer) }

  /// Delivers until the task is cancelled.
  package func run() async {
    var correlator = EventCorrelator(controller: controller, instance: instance, random: random)
    var refusals = Refusals()
    while !Task.isCancelled {
      guard let occurrence = buffer.popFirst() else {
        try? await buffer.isFilled.wait()
        continue
      }
      buffer.settle(delivered: await deliver(occurrence, &correlator, &refusals))
    }
  }

  /// Returns once everything recorded so far is delivered or given up, or after `limit`.
  package func flush(within limit: Duration) async {
    try? await time.sleep(for: limit, orUntil: buffer.isSettled)
  }

  /// What is not allowed: told once, until it is allowed again.
  private struct Refusals {
    struct Request: Hashable {
      var namespace: String?
      var isCount = false
    }

    var told: Set<Request> = []
  }

  private func deliver(
    _ occurrence: Occurrence, _ correlator: inout EventCorrelator, _ refusals: inout Refusals
  ) async -> Bool {
    var request = Refusals.Request(namespace: occurrence.regarding.namespace)
    do throws(APIError) {
      guard let write = correlator.correlate(occurrence, now: time.now, uptime: time.uptime) else { return false }
      request.isCount = write.isCount
      do throws(APIError) {
        try await persist(write)
      } catch  where error.isNotFound && write.isCount {
        // The event that it was to be counted in has expired meanwhile: it becomes an event of its own.
        correlator.forget(occurrence)
        guard let write = correlator.correlate(occurrence, now: time.now, uptime: time.uptime) else { return false }
        try await persist(write)
      }
      refusals.told.remove(request)
      return true
    } catch {
      correlator.forget(occurrence)
      let level: Logger.Level = error.isForbidden && refusals.told.insert(request).inserted ? .warning : .debug
      logger.log(
        level: level, "an event could not be written",
        metadata: ["reason": "\(occurrence.reason)", "error": "\(error)"])
      return false
    }
  }

  /// Tries a few times, not for long: people do not want to read of what is long past as if it were new.
  private func persist(_ write: EventCorrelator.Write) async throws(APIError) {
    let backoff = Backoff(initial: .seconds(1), limit: .seconds(10))
    var attempt = 1
    while true {
      do throws(APIError) {
        return try await send(write)
      } catch  where error.isAlreadyExists {
        return  // An attempt before, of which no answer came, has succeeded.
      } catch {
        let isHopeless = error.statusCode.map { $0 < 500 && $0 != 429 } ?? false
        if isHopeless || attempt == 3 || Task.isCancelled { throw error }
        try? await time.sleep(for: backoff.delay(afterFailures: attempt))
        attempt += 1
      }
    }
  }

  private func send(_ write: EventCorrelator.Write) async throws(APIError) {
    switch write {
    case .create(let event):
      _ = try await client.create(event)
    case .count(let key, let series):
      let change: JSONValue = [
        "series": [
          "count": .integer(Int64(series.count)), "lastObservedTime": .string("\(series.lastObservedTime)"),
        ]
      ]
      _ = try await client.patch(Event.self, key, .merge(change))
    }
  }
}

extension EventCorrelator.Write {
  fileprivate var isCount: Bool { if case .count = self { true } else { false } }
}
