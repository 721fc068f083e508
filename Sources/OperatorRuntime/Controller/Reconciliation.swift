// What a reconcile comes to.

/// The end of one reconcile that did not fail.
package enum Reconciliation: Sendable, Hashable {
  /// Nothing more to do until something changes.
  case done
  /// Look again after this long, whether something changed or not.
  case again(after: Duration)
}
