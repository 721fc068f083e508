// What scripts may answer, and what they are told when they answer otherwise.

import BucketSyncAPI
import BucketSyncCore
import KubernetesModel
import Testing

@testable import LuaHooks

@Suite("Answers of scripts")
struct AnswerTests {
  private func problem<Value>(_ body: () throws(BadAnswer) -> Value) -> String? {
    do throws(BadAnswer) {
      _ = try body()
      return nil
    } catch {
      return error.problem
    }
  }

  // MARK: pre_lock

  @Test(
    "pre_lock decides",
    arguments: [
      (nil, .proceed),
      (["wait": "full", "after": "10m"], .wait(reason: "full", after: .seconds(600))),
      (["wait": "full", "after": 90], .wait(reason: "full", after: .seconds(90))),
      (["wait": "full", "after": 1.5], .wait(reason: "full", after: .milliseconds(1500))),
      (["wait": "full", "after": "168h"], .wait(reason: "full", after: .seconds(604_800))),
      (["skip": "empty"], .skip(reason: "empty")),
      (["reject": "no"], .reject(reason: "no")),
    ] as [(JSONValue?, PreLockResult)])
  func preLock(answer: JSONValue?, decision: PreLockResult) throws {
    #expect(try HookAnswers.preLock(answer) == decision)
  }

  @Test(
    "what pre_lock must not answer is told",
    arguments: [
      (true, "it is a boolean"), (.null, "it is null"), ([], "it is a list"), ("wait", "it is a text"),
      ([:], "has none of wait, skip and reject"), (["wait": "x", "skip": "y"], "has wait and skip"),
      (["wiat": "x"], "wiat: is unknown"), (["skip": ""], "skip: must be a text"),
      (["reject": 1], "reject: must be a text"), (["skip": "x", "after": 1], "after: only goes with wait"),
      (["wait": "x"], "after: is missing"), (["wait": "x", "after": "soon"], "after: "),
      (["wait": "x", "after": 0], "after: must be between a second and a week"),
      (["wait": "x", "after": -1], "after: must be between a second and a week"),
      (["wait": "x", "after": 604_801], "after: must be between a second and a week"),
      (["wait": "x", "after": .integer(.max)], "after: must be between a second and a week"),
      (["wait": "x", "after": 1e300], "after: must be between a second and a week"),
      (["wait": "x", "after": [1]], "after: must be a duration"),
    ] as [(JSONValue, String)])
  func badPreLock(answer: JSONValue, words: String) throws {
    let problem = try #require(problem { () throws(BadAnswer) in try HookAnswers.preLock(answer) })
    #expect(problem.contains(words))
  }

  // MARK: job_name

  @Test("job_name gives a name, or leaves the one there is")
  func jobName() throws {
    #expect(try HookAnswers.jobName("berlin-1", proposed: "a") == "berlin-1")
    #expect(try HookAnswers.jobName(nil, proposed: "a") == "a")
  }

  @Test(
    "what is no name of a Job is told",
    arguments: [
      (.null, "must be a name, not null"), (1, "must be a name, not a number"), ("", "is no Job name"),
      ("Berlin", "\"Berlin\" is no Job name"), ("a_b", "is no Job name"), ("-a", "is no Job name"),
      (.string(String(repeating: "a", count: 64)), "at most 63"),
    ] as [(JSONValue, String)])
  func badJobName(answer: JSONValue, words: String) throws {
    let problem = try #require(
      problem { () throws(BadAnswer) in try HookAnswers.jobName(answer, proposed: "a") })
    #expect(problem.contains(words))
  }

  // MARK: build_job

  private static let job: JSONValue = [
    "apiVersion": "batch/v1", "kind": "Job",
    "spec": ["template": ["spec": ["containers": [["name": "rclone", "args": []]], "volumes": []]]],
  ]

  @Test("build_job gives a Job as it is")
  func job() throws { #expect(try HookAnswers.job(Self.job).json == Self.job) }

  @Test(
    "what is no Job, or one that would never run, is told with its field",
    arguments: [
      (nil, "end the function with: return job"), ([], "must be the job, not a list"),
      (with { $0["spec"]["template"]["spec"]["containers"] = [] }, "spec.template.spec.containers is empty"),
      (with { $0["spec"]["parallelism"] = 2 }, "spec.parallelism must be 1"),
      (with { $0["spec"]["ttlSecondsAfterFinished"] = 5 }, "spec.ttlSecondsAfterFinished must not be set"),
      (
        with { $0["spec"]["template"]["spec"]["tolerations"] = [:] },
        "job.spec.template.spec.tolerations must be a list; write array{} for an empty one"
      ),
      (
        with { $0["spec"]["template"]["spec"]["containers"][0]["args"] = ["x": 1] },
        "job.spec.template.spec.containers[1].args must be a list"
      ),
      (
        with { $0["spec"]["template"]["spec"]["initContainers"] = [["env": "A=b"]] },
        "job.spec.template.spec.initContainers[1].env must be a list"
      ),
    ] as [(JSONValue?, String)])
  func badJob(answer: JSONValue?, words: String) throws {
    let problem = try #require(problem { () throws(BadAnswer) in try HookAnswers.job(answer) })
    #expect(problem.contains(words))
  }

  private static func with(_ change: (inout JSONValue) -> Void) -> JSONValue {
    var job = job
    change(&job)
    return job
  }

  // MARK: post_sync

  @Test("post_sync leaves notes, annotations and Events; numbers and booleans count as texts")
  func report() throws {
    #expect(try HookAnswers.report(nil) == PostSyncReport())
    #expect(try HookAnswers.report(["events": [:]]) == PostSyncReport())
    let report = try HookAnswers.report([
      "notes": ["count": 3, "share": 0.5, "full": false, "word": "x"], "annotations": ["example.com/x": "y"],
      "events": [
        ["reason": "Told", "message": "so"],
        ["reason": "Warned", "message": .string(String(repeating: "x", count: 5000)), "warning": true],
      ],
    ])
    #expect(report.notes == ["count": "3", "share": "0.5", "full": "false", "word": "x"])
    #expect(report.policyAnnotations == ["example.com/x": "y"])
    #expect(report.events.map(\.reason) == ["Told", "Warned"])
    #expect(report.events.map(\.isWarning) == [false, true])
    #expect(report.events.map(\.message.count) == [2, 1000])
  }

  @Test(
    "what post_sync must not answer is told",
    arguments: [
      ("done", "it is a text"), (["note": [:]], "note: is unknown"), (["notes": ["a"]], "notes: must be a table"),
      (["notes": ["x": [:]]], "notes.x: must be a text, not a table"),
      (["annotations": ["x": .null]], "annotations.x: must be a text, not null"),
      (["annotations": ["\(BucketSyncNames.group)/sync-now": ""]], "use a domain of your own"),
      (["events": ["reason": "X"]], "events: must be a list"), (["events": ["x"]], "events[1]: must be a table"),
      (["events": [["reason": "not a word", "message": "x"]]], "events[1].reason: must be a word LikeThis"),
      (["events": [["reason": "Word"]]], "events[1].message: must be a text that says why, and is missing"),
      (["events": [["reason": "Word", "message": "x", "warning": "yes"]]], "events[1].warning: must be true or false"),
      (["events": [["reason": "Word", "message": "x", "level": 1]]], "events[1].level: is unknown"),
      (["events": .array(Array(repeating: [:], count: 11))], "11 are too many"),
    ] as [(JSONValue, String)])
  func badReport(answer: JSONValue, words: String) throws {
    let problem = try #require(problem { () throws(BadAnswer) in try HookAnswers.report(answer) })
    #expect(problem.contains(words))
  }
}
