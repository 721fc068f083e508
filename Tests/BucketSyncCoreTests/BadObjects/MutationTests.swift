import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import TestSupport
import Testing

@testable import BucketLock
@testable import BucketSyncCore
@testable import KubernetesClient
@testable import RcloneJob

/// Whatever bytes come instead of an object, reading them ends with an object or with an error that says where.
///
///     MUTATIONS=10000000 swift test -c release …    more of them
///
/// One after the other, and with pauses: all tests share as many threads as there are cores.
@Suite("Spoilt answers of the API server", .serialized, .timeLimit(.minutes(60)))
struct MutationTests {
  static let shards = 8
  static let names = ["BucketSyncPolicy", "BucketSync", "Job", "Pod", "ConfigMap", "Lease", "Event", "Status"]

  @Test("are read, or refused with the place that is wrong, and never crash", arguments: 0..<shards)
  func mutations(shard: Int) async throws {
    let count = Trials.count("MUTATIONS", usual: 100_000) / Self.shards
    var read = 0
    var problems: [String] = []
    for trial in 0..<count {
      if trial % 20 == 0 { await Task.yield() }
      let seed = Trials.onlySeed ?? UInt64(shard * 1_000_000_000 + trial)
      let index = Int(seed % UInt64(Self.names.count))
      var mutator = Mutator(chance: SeededChance(seed: seed))
      let specimen = Specimens.all[index]
      let form = mutator.chance.below(4)
      let bytes = mutator.bytes(of: Self.wrapped(specimen, form), or: Specimens.all)
      do {
        let isRead = try Self.read(bytes, index, form)
        read += isRead ? 1 : 0
      } catch {
        problems.append("SEED=\(seed): \(error)")
      }
      if Trials.onlySeed != nil || problems.count > 5 { break }
    }
    print("spoilt answers: \(count), of which \(read) could be read")
    #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
  }

  /// The object as it comes: alone, in a list, in a watch.
  private static func wrapped(_ object: JSONValue, _ form: Int) -> JSONValue {
    switch form {
    case 0: ["metadata": ["resourceVersion": "42", "continue": ""], "items": [object, object]]
    case 1: ["type": "MODIFIED", "object": object]
    default: object
    }
  }

  /// - Returns: Whether there was anything to be read.
  private static func read(_ bytes: Data, _ index: Int, _ form: Int) throws -> Bool {
    switch index {
    case 0: try read(bytes, BucketSyncPolicy.self, form) { _ = SpecValidation.problems(in: $0.spec) }
    case 1:
      try read(bytes, BucketSync.self, form) { run in
        _ = try? RunContext.resolve(run) { _ in nil }
        _ = (run.buckets, run.standsInLine, run.isOlder(than: run), RunOutcome(stored: run.status))
      }
    case 2: try read(bytes, Job.self, form) { _ = JobReading(job: $0, pods: []).assessment }
    case 3:
      try read(bytes, Pod.self, form) { pod in
        _ = JobReading(job: Job(metadata: pod.metadata), pods: [pod]).assessment
        _ = (FailedPod(pod), pod.hasStopped)
      }
    case 4: try read(bytes, ConfigMap.self, form) { _ = try? LockRecord($0) }
    case 5: try read(bytes, Lease.self, form) { _ in }
    case 6: try read(bytes, Event.self, form) { _ in }
    default: refusal(bytes)
    }
  }

  private static func read<O: KubernetesObject & Hashable>(
    _ bytes: Data, _ type: O.Type, _ form: Int, use: (O) -> Void
  ) throws -> Bool {
    switch form {
    case 0:
      guard let page = try typed({ try ListPage<O>(bytes, of: O.resource) }) else { return false }
      return try page.items.reduce(false) { try checked($1, use) || $0 }
    case 1:
      guard let event = try typed({ try WatchEvent<O>(line: bytes) }) else { return false }
      switch event {
      case .added(let object), .modified(let object), .deleted(let object): return try checked(.whole(object), use)
      case .unreadable(let object, _): return try checked(ObjectReading<O>.unreadable(object), use)
      case .bookmark, .failed: return true
      }
    default:
      return try checked(ObjectReading(JSONSlice(bytes), of: O.resource, as: O.self), use)
    }
  }

  /// What can be read is used as the operator does, and can be written again; what cannot says where and why.
  private static func checked<O: KubernetesObject & Hashable>(
    _ reading: ObjectReading<O>, _ use: (O) -> Void
  ) throws -> Bool {
    switch reading {
    case .whole(let object):
      use(object)
      // A document that says the same, but for what is finer than a microsecond.
      let written = try JSON.encode(object)
      guard try JSON.encode(JSON.decode(O.self, from: written)).count == written.count else {
        throw Untrue("changed by writing it")
      }
      return true
    case .unreadable(let object):
      if object.problem.isEmpty { throw Untrue("no problem is named") }
      if let remains = object.metadata.flatMap(O.remains) { use(remains) }
      return false
    }
  }

  private static func refusal(_ bytes: Data) -> Bool {
    let error = APIError(
      APIResponse(statusCode: 422, body: bytes), to: APIRequest(.get, "/x", label: .init(verb: "get", resource: "x")))
    return error?.description.isEmpty == false && error?.retryAfter != .seconds(-1)
  }

  /// The value, or `nil` for an error of the kind that reading ends with.
  private static func typed<Value>(_ body: () throws -> Value) throws -> Value? {
    do { return try body() } catch let error as DecodingError {
      if explain(error).isEmpty { throw Untrue("no problem is named") }
      return nil
    }
  }

  private struct Untrue: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }
}
