// What this process has seen of the lease, and what follows from it, without I/O.
//
// Clocks of two machines are never compared: the times inside the lease are for people. A lease has run out when its
// record has not changed for its duration as measured here, since we first saw it as it is.

import KubernetesModel

/// The lease as last seen, and since when it has been so.
struct LeaseObservation {
  private(set) var lease: Lease?
  private var since: Duration = .zero

  /// Takes note of the lease as just read, or of its absence.
  mutating func see(_ lease: Lease?, at uptime: Duration) {
    if self.lease?.spec != lease?.spec { since = uptime }
    self.lease = lease
  }

  /// The holder, unless the lease was released.
  var holder: String? { lease?.spec?.holderIdentity.flatMap { $0.isEmpty ? nil : $0 } }

  /// Whether `identity` may take, or go on holding, the lease.
  func isFree(for identity: String, at uptime: Duration, leaseDuration: Duration) -> Bool {
    guard let holder, holder != identity else { return true }
    // The holder goes by the duration it has written down, which need not be ours.
    let promised = lease?.spec?.leaseDurationSeconds.map { Duration.seconds($0) } ?? leaseDuration
    return uptime >= since + max(promised, leaseDuration)
  }
}
