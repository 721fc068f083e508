// What a campaign prints: its figures, and for each kind of failure the simplest case with the end of its timeline.

import ArgumentParser
import Glibc
import KubernetesModel

enum Report {
  /// How many kinds of failure are shown with their timeline.
  private static let shown = 12
  private static let lines = 45

  /// Prints what came of a campaign.
  /// - Throws: `ExitCode.failure` if anything was broken.
  static func print(_ title: String, _ result: CampaignResult) throws {
    // The next campaign may take an hour.
    defer { fflush(nil) }
    let seconds = result.took / .seconds(1)
    let days = result.simulated / .seconds(86400)
    Swift.print(
      "\(title): \(result.worlds) worlds, \(result.failures.count) broken, \(Int(seconds)) s, "
        + "\(Int(Double(result.worlds) / max(seconds, 0.001))) worlds/s, \(rounded(days / max(seconds, 0.001))) days/s")
    for item in result.fickle { Swift.print("NOT DETERMINED BY ITS SEED: \(item.replay)") }
    let kinds = Dictionary(grouping: result.failures) { kind($0.violations[0]) }
    for (kind, failures) in kinds.sorted(by: { $0.value.count > $1.value.count }).prefix(shown) {
      show(kind, failures)
    }
    if !result.isClean { throw ExitCode.failure }
  }

  private static func show(_ kind: String, _ failures: [CampaignResult.Failure]) {
    let simplest = failures.min { $0.failed.plan.faults.count < $1.failed.plan.faults.count }?.failed.simplified
    guard let simplest else { return }
    Swift.print("\n\(failures.count) × \(kind)")
    let outcome = simplest.outcome(isRecording: true)
    let broken = outcome.timeline.prefix { !$0.contains("no more input from here on") }
    for line in broken.suffix(lines) { Swift.print("    \(line)") }
    for violation in outcome.violations { Swift.print("  BROKEN \(violation)") }
    Swift.print("  \(simplest.replay)")
    for other in failures.prefix(4) { Swift.print("  also: \(other.failed.replay)") }
  }

  /// A violation without what differs from case to case.
  private static func kind(_ violation: String) -> String {
    let words = violation.split(separator: " ").map { word in
      word.contains(where: \.isNumber) && !word.hasPrefix("S") && !word.hasPrefix("L") ? "…" : String(word)
    }
    return words.joined(separator: " ")
  }

  private static func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}
