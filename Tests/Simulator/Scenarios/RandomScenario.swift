// Scenarios by chance: a handful of policies and runs on a few buckets, and people who do things to them at odd times.

import BucketSyncAPI
import BucketSyncCore
import KubernetesModel

extension Scenario {
  /// The scenario that `seed` makes up.
  static func random(_ seed: UInt64) -> Scenario {
    var random = SeededRandom(seed: seed)
    let replicas = random.once(in: 4) ? 2 : 1
    return Scenario("random-\(seed)", "made up", duration: .seconds(150 + random.index(below: 300))) { user in
      var random = SeededRandom(seed: seed &+ 1)
      var author = RandomAuthor(user: user, random: random.next())
      author.write()
    }.with {
      $0.replicas = replicas
      $0.isTampered = true
    }
  }
}

/// Makes up what people and pods do.
private struct RandomAuthor {
  let user: User
  private var random: SeededRandom
  private var names: [String] = []
  private var policies: [String] = []

  private static let buckets = ["a", "b", "c", "d"]
  private static let schedules = ["* * * * *", "*/2 * * * *", "@every 45s", "0 0 1 1 *"]

  init(user: User, random seed: UInt64) {
    self.user = user
    random = SeededRandom(seed: seed)
  }

  mutating func write() {
    for number in 0..<(1 + random.index(below: 4)) { addRun("run-\(number)") }
    for number in 0..<random.index(below: 3) { addPolicy("policy-\(number)") }
    for _ in 0..<random.index(below: 5) { addDeed() }
  }

  private mutating func addRun(_ name: String) {
    let (source, destination) = places()
    let timeout = random.once(in: 3) ? "\(10 + random.index(below: 60))s" : nil
    user.cluster.behaviours[name] = behaviour(isBounded: timeout != nil)
    names.append(name)
    let user = user
    user.at(moment(60)) { user.run(name, from: source, to: destination, timeout: timeout) }
  }

  private mutating func addPolicy(_ name: String) {
    let (source, destination) = places()
    let schedule = random.choice(of: Self.schedules)
    let limit = random.once(in: 2) ? Int64(1 + random.index(below: 3)) : nil
    user.cluster.behaviours[name] = behaviour(isBounded: true)
    policies.append(name)
    let user = user
    user.at(moment(30)) {
      user.policy(name, from: source, to: destination, schedule: schedule, limit: limit, timeout: "90s")
    }
  }

  private mutating func addDeed() {
    let user = user
    let run = random.choice(of: names)
    let policy = policies.isEmpty ? nil : random.choice(of: policies)
    let time = moment(140)
    let value = "value-\(random.next())"
    let schedule = random.choice(of: Self.schedules)
    switch random.index(below: 8) {
    case 0: user.at(time) { user.delete(run: run) }
    case 1: user.at(time) { user.wipeLocks() }
    case 2: user.at(time) { user.restartOperators() }
    case 3: user.at(time) { user.delete(job: run) }
    case 4: if let policy { user.at(time) { user.edit(policy) { $0["spec"]["schedule"] = .string(schedule) } } }
    case 5: if let policy { user.at(time) { user.delete(policy: policy) } }
    default: if let policy { user.at(time) { user.trigger(policy, value) } }
    }
  }

  private mutating func places() -> (source: String, destination: String) {
    let source = random.choice(of: Self.buckets)
    let destination = random.choice(of: Self.buckets.filter { $0 != source })
    return random.once(in: 4) ? ("\(source)/path", destination) : (source, destination)
  }

  private mutating func behaviour(isBounded: Bool) -> PodBehaviour {
    var behaviour = PodBehaviour()
    behaviour.startDelay = random.duration(in: .milliseconds(100)...(.seconds(4)))
    behaviour.duration = isBounded && random.once(in: 5) ? nil : random.duration(in: .milliseconds(50)...(.seconds(70)))
    behaviour.stopDelay = random.duration(in: .zero...(.seconds(35)))
    if random.once(in: 4) { behaviour.exitCode = 3 }
    guard random.once(in: 3) else { return behaviour }
    let delay = random.duration(in: .zero...(.seconds(40)))
    behaviour.accident =
      switch random.index(below: 8) {
      case 0: .evicted(after: delay)
      case 1: .nodeLost(after: delay, for: random.duration(in: .seconds(1)...(.seconds(900))))
      case 2: .nodeDied(after: delay)
      case 3: .deleted(after: delay)
      case 4: .doubled
      case 5: .rejected
      case 6: .deadlineLost
      default: .forgottenByJobController
      }
    return behaviour
  }

  private mutating func moment(_ limit: Int) -> Double { 0.5 + Double(random.index(below: limit * 1000)) / 1000 }
}
