// Randomness, injected: whatever spreads load by chance (backoff, watch timeouts, elections) draws from here, so that
// tests and the simulator decide what chance brings.

/// Where code gets its random numbers from.
package struct RandomSource: Sendable {
  private let draw: @Sendable (ClosedRange<Double>) -> Double

  /// Numbers from `draw`, which must lie in the range it is given.
  package init(_ draw: @escaping @Sendable (ClosedRange<Double>) -> Double) { self.draw = draw }

  /// The random numbers of this machine.
  package static let system = RandomSource { Double.random(in: $0) }

  /// A number in `range`.
  package func callAsFunction(in range: ClosedRange<Double>) -> Double { draw(range) }
}
