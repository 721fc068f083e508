// Leader election on a Lease, compatible with client-go's: of several processes one leads, and another takes over
// when it stops renewing.

import FoundationEssentials
package import KubernetesClient
package import KubernetesModel
package import Logging

/// The lease could not be kept.
package struct LeadershipLost: Error, Sendable, Hashable, CustomStringConvertible {
  package let description: String
}

/// Waits for its turn to lead, and leads for as long as the lease can be kept.
package struct LeaderElector: Sendable {
  /// How long things may take.
  package struct Timing: Sendable {
    /// Others wait so long after the last renewal they saw before they take over.
    package var lease: Duration = .seconds(15)
    /// A leader that cannot renew for so long gives up. Less than `lease`, so that it has when others take over.
    package var renewDeadline: Duration = .seconds(10)
    /// The pause between two tries to take or renew the lease.
    package var retry: Duration = .seconds(2)

    package init() {}
  }

  private enum Attempt {
    case held(sentAt: Duration)
    case heldBy(String)
    case failed(APIError)
  }

  private let client: KubernetesClient
  private let lease: ObjectKey
  private let identity: String
  private let timing: Timing
  private let fence: WriteFence?
  private let time: any TimeSource
  private let random: RandomSource
  private let logger: Logger
  private let status: Gauge

  /// Stands for election.
  /// - Parameters:
  ///   - identity: Unique to this process: two with the same identity would both lead.
  ///   - fence: What keeps writes back while this process does not lead.
  package init(
    client: KubernetesClient,
    lease: ObjectKey,
    identity: String,
    timing: Timing = .init(),
    fence: WriteFence? = nil,
    time: any TimeSource,
    random: RandomSource,
    logger: Logger,
    metrics: MetricsRegistry
  ) {
    self.client = client
    self.lease = lease
    self.identity = identity
    self.timing = timing
    self.fence = fence
    self.time = time
    self.random = random
    var logger = logger
    logger[metadataKey: "lease"] = "\(lease)"
    logger[metadataKey: "identity"] = "\(identity)"
    self.logger = logger
    status = metrics.gauge(
      "leader_election_master_status",
      "1 while this process leads, else 0.",
      labels: ["name": lease.name]
    )
  }

  /// Waits until this process leads, then runs `lead`, and gives the lease up when that has ended.
  ///
  /// - Throws: ``LeadershipLost`` when the lease could not be kept; `lead` is cancelled then and has ended.
  ///   What `lead` throws; `CancellationError` when the task is cancelled, which leaves the lease to run out.
  package func run(_ lead: @escaping @Sendable () async throws -> Void) async throws {
    var observation = LeaseObservation()
    let renewed = try await acquire(&observation)
    logger.info("this process leads")
    status.set(1)
    defer {
      status.set(0)
      fence?.close()
    }
    let start = observation
    let result: Result<Void, any Error> = await withThrowingTaskGroup { group in
      group.addTask { try await lead() }
      group.addTask { throw await keep(start, renewedAt: renewed) }
      let first = await group.nextResult()
      group.cancelAll()
      return first ?? .success(())
    }
    if case .failure(let error) = result, error is LeadershipLost || Task.isCancelled { throw error }
    await release()
    try result.get()
  }

  /// Returns when the request that got the lease was sent.
  private func acquire(_ observation: inout LeaseObservation) async throws -> Duration {
    var told: String?
    while true {
      let attempt = await attempt(&observation)
      try Task.checkCancellation()
      let message: String
      let level: Logger.Level
      switch attempt {
      case .held(let sentAt): return sentAt
      case .heldBy(let holder): (level, message) = (.info, "waiting: \(holder) leads")
      case .failed(let error): (level, message) = (.warning, "cannot take the lease, trying again: \(error)")
      }
      if told != message { logger.log(level: level, "\(message)") }
      told = message
      // Spread, so that those who wait do not all try at the same moments.
      try await time.sleep(for: timing.retry * random(in: 1...2.2))
    }
  }

  /// Renews until that is impossible, and returns why.
  private func keep(_ start: LeaseObservation, renewedAt: Duration) async -> any Error {
    var observation = start
    var deadline = renewedAt + timing.renewDeadline
    var lastFailure = "this process was not running"
    do {
      while true {
        try await time.sleep(for: min(timing.retry, max(.zero, deadline - time.uptime)))
        guard time.uptime < deadline else { return LeadershipLost(description: "lease not renewed: \(lastFailure)") }
        switch try await attempt(&observation, until: deadline) {
        case .held(let sentAt): deadline = sentAt + timing.renewDeadline
        case .heldBy(let holder): return LeadershipLost(description: "lease taken by \(holder)")
        case .failed(let error):
          lastFailure = "\(error)"
          logger.warning("cannot renew the lease", metadata: ["error": "\(error)"])
        case nil: lastFailure = "no answer within \(timing.renewDeadline)"
        }
      }
    } catch {
      return error
    }
  }

  /// An attempt that ends at `deadline` at the latest, with `nil` then.
  private func attempt(_ observation: inout LeaseObservation, until deadline: Duration) async throws -> Attempt? {
    let start = observation
    let end = try await withThrowingTaskGroup { group in
      group.addTask { () -> (Attempt, LeaseObservation)? in
        var observation = start
        let attempt = await self.attempt(&observation)
        return (attempt, observation)
      }
      group.addTask {
        try await time.sleep(for: deadline - time.uptime)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    try Task.checkCancellation()
    if let end { observation = end.1 }
    return end?.0
  }

  /// One try to take or renew the lease.
  ///
  /// Whoever holds it renews what it wrote last without reading it first: if anybody else has touched it since, the API
  /// server refuses, and only then it is read.
  private func attempt(_ observation: inout LeaseObservation) async -> Attempt {
    do throws(APIError) {
      if let held = observation.lease, observation.holder == identity {
        do throws(APIError) {
          return try await hold(over: held, &observation)
        } catch  where error.isConflict || error.isNotFound {}
      }
      let read = try await find()
      observation.see(read, at: time.uptime)
      guard observation.isFree(for: identity, at: time.uptime, leaseDuration: timing.lease) else {
        return .heldBy(observation.holder ?? "")
      }
      return try await hold(over: read, &observation)
    } catch {
      return .failed(error)
    }
  }

  /// Writes down that this process holds the lease, for as long as `read` is what it is.
  private func hold(over read: Lease?, _ observation: inout LeaseObservation) async throws(APIError) -> Attempt {
    let sentAt = time.uptime
    let written = try await write(claim(over: read), over: read)
    observation.see(written, at: time.uptime)
    fence?.open(until: sentAt + timing.renewDeadline)
    return .held(sentAt: sentAt)
  }

  /// What to write to hold the lease.
  private func claim(over read: Lease?) -> Lease.Spec {
    let now = MicroTimestamp(time.now)
    let isRenewal = read?.spec?.holderIdentity == identity
    let transitions = read?.spec?.leaseTransitions ?? 0
    return Lease.Spec(
      holderIdentity: identity,
      leaseDurationSeconds: Int(timing.lease.components.seconds),
      acquireTime: isRenewal ? read?.spec?.acquireTime ?? now : now,
      renewTime: now,
      leaseTransitions: read == nil || isRenewal ? transitions : transitions + 1
    )
  }

  /// Lets the next one lead at once, instead of when the lease has run out.
  private func release() async {
    do throws(APIError) {
      guard let held = try await find(), held.spec?.holderIdentity == identity else { return }
      var spec = claim(over: held)
      spec.holderIdentity = ""
      spec.leaseDurationSeconds = 1
      _ = try await write(spec, over: held)
      logger.info("lease released")
    } catch {
      logger.warning("cannot release the lease, it will run out", metadata: ["error": "\(error)"])
    }
  }

  private func find() async throws(APIError) -> Lease? {
    do {
      return try await client.get(Lease.self, lease)
    } catch  where error.isNotFound {
      return nil
    }
  }

  /// Creates the lease, or replaces exactly the version that was read.
  private func write(_ spec: Lease.Spec, over read: Lease?) async throws(APIError) -> Lease {
    guard var lease = read else {
      return try await client.create(
        Lease(metadata: ObjectMeta(name: self.lease.name, namespace: self.lease.namespace), spec: spec)
      )
    }
    lease.spec = spec
    return try await client.update(lease)
  }
}
