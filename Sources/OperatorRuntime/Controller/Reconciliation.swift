// What a reconcile comes to.

/// The end of one reconcile that did not fail.
package enum Reconciliation: Sendable, Hashable {
  /// Nothing more to do until something changes.
  case done
  /// Look again after this long, whether something changed or not.
  case again(after: Duration)

  /// The same, but look again after `delay` at the latest; `nil` changes nothing.
  package func atLatest(after delay: Duration?) -> Reconciliation {
    guard let delay else { return self }
    guard case .again(let own) = self else { return .again(after: delay) }
    return .again(after: min(own, delay))
  }
}
