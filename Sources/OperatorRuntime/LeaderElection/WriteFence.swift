// The fence: no write leaves a process that cannot be sure any more that it leads.
//
// A leader that was stopped for a minute (SIGSTOP, a suspended machine, a starved one) does not know on waking that
// another one leads by now, and goes on where it was: possibly right before a write. So every write is checked
// against the time up to which the last renewal of the lease vouches for us, counted from when that renewal was
// *sent*, on a clock that counts suspension.

import FoundationEssentials
package import KubernetesClient
package import KubernetesModel
import Synchronization

/// Lets reads through always, and writes only while the process is sure to lead. The lease itself may be written.
package final class WriteFence: APITransport {
  private let transport: any APITransport
  private let time: any TimeSource
  private let leasePath: String
  private let leasesPath: String
  private let openUntil = Mutex<Duration?>(nil)

  /// A closed fence before `transport`; LeaderElector opens it.
  package init(transport: any APITransport, lease: ObjectKey, time: any TimeSource) {
    self.transport = transport
    self.time = time
    leasesPath = Lease.resource.path(namespace: lease.namespace)
    leasePath = "\(leasesPath)/\(lease.name)"
  }

  /// Lets writes through up to this uptime.
  package func open(until uptime: Duration) { openUntil.withLock { $0 = uptime } }

  /// Lets no more writes through.
  package func close() { openUntil.withLock { $0 = nil } }

  package func send(_ request: APIRequest) async throws -> APIResponse {
    try await transport.send(checked(request))
  }

  package func stream(_ request: APIRequest) async throws -> APIStream {
    try await transport.stream(checked(request))
  }

  /// The request, with no more time to be answered than the lease vouches for if it is a write: what has not been
  /// sent when the process is stopped shall not be sent when it goes on.
  private func checked(_ request: APIRequest) throws -> APIRequest {
    guard request.method != .get, !isForLease(request) else { return request }
    guard let limit = openUntil.withLock({ $0 }) else {
      throw TransportError(.notSent, "not written, because this process does not lead")
    }
    let left = limit - time.uptime
    // A shorter time-out could be taken for none at all.
    guard left >= .milliseconds(1) else {
      throw TransportError(
        .notSent,
        "not written, because the leader lease was due to be renewed \(-left.components.seconds) s ago"
      )
    }
    var request = request
    request.timeout = min(request.timeout ?? left, left)
    return request
  }

  private func isForLease(_ request: APIRequest) -> Bool {
    request.path == leasePath || (request.path == leasesPath && request.method == .post)
  }
}
