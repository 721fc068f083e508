// The whole of a running operator: what runs beside what, in which order it starts, and in which order it ends.
//
//     start   endpoints listen → caches fill (on followers too) → leadership → controllers
//     end     no new keys → reconciles in work finish → events are delivered → lease is released → everything else stops
//
// What is left after the grace period is cancelled.

package import KubernetesModel
package import Logging
import Synchronization

/// Runs the parts of an operator together. Start reading the runtime here.
package struct OperatorProcess: Sendable {
  /// Reconciles did not finish within the grace period.
  package struct GracePeriodExceeded: Error, Sendable, CustomStringConvertible {
    package let period: Duration
    package var description: String { "what was in work did not finish within \(period)" }
  }

  package var server: EndpointServer?
  package var caches: [any CacheSource]
  package var controllers: [Controller]
  package var events: EventDelivery?
  /// What the caches cannot read, which the leader tells people by events.
  package var unreadable: UnreadableObjects?
  /// `nil`: this process is the only one.
  package var elector: LeaderElector?
  package var gracePeriod: Duration = .seconds(30)
  /// How much of the grace period undelivered events may take.
  package var eventFlushLimit: Duration = .seconds(5)
  private let time: any TimeSource
  private let logger: Logger

  /// A process made of these parts.
  package init(
    server: EndpointServer?,
    caches: [any CacheSource],
    controllers: [Controller],
    events: EventDelivery?,
    elector: LeaderElector?,
    time: any TimeSource,
    logger: Logger,
    unreadable: UnreadableObjects? = nil
  ) {
    self.server = server
    self.caches = caches
    self.controllers = controllers
    self.events = events
    self.elector = elector
    self.time = time
    self.logger = logger
    self.unreadable = unreadable
  }

  /// Runs until `shutdown` is raised and everything has ended in good order.
  /// - Throws: What made the process end otherwise: ``EndpointServer/CannotListen``, ``LeadershipLost``,
  ///   ``GracePeriodExceeded``, `CancellationError`.
  package func run(until shutdown: Signal) async throws {
    let isListening = Signal()
    let isWorking = Signal()
    try await withThrowingTaskGroup { group in
      if let server {
        group.addTask { try await server.run { _ in isListening.raise() } }
      } else {
        isListening.raise()
      }
      for cache in caches { group.addTask { try await cache.run() } }
      if let events { group.addTask { await events.run() } }
      group.addTask { try await work(isListening: isListening, isWorking: isWorking) }
      group.addTask { try await end(on: shutdown, isWorking: isWorking) }
      // Parts that go on for ever end by an error only; the other two end when it is all over.
      defer { group.cancelAll() }
      try await group.next()
    }
    logger.info("ended in good order")
  }

  /// Waits for what the controllers need, and runs them until their queues are shut down.
  private func work(isListening: Signal, isWorking: Signal) async throws {
    try await isListening.wait()
    for cache in caches {
      try await cache.waitUntilSynced()
      logger.debug("cache filled", metadata: ["resource": "\(cache.name)"])
    }
    logger.info("caches filled")
    let lead: @Sendable () async throws -> Void = {
      isWorking.raise()
      if let events { unreadable?.tell(by: events.recorder) }
      await withTaskGroup { group in
        for controller in controllers { group.addTask { await controller.run() } }
      }
      await events?.flush(within: eventFlushLimit)
    }
    if let elector { try await elector.run(lead) } else { try await lead() }
  }

  /// Returns or throws when it is time to cancel what still runs.
  private func end(on shutdown: Signal, isWorking: Signal) async throws {
    try await shutdown.wait()
    for controller in controllers { controller.queue.shutDown() }
    guard isWorking.isRaised else { return }
    logger.info("ending: reconciles in work may finish", metadata: ["limit": "\(gracePeriod)"])
    try await time.sleep(for: gracePeriod)
    throw GracePeriodExceeded(period: gracePeriod)
  }
}
