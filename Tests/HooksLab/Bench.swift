// What a call of build_job costs with a real Job: a state is made, the script compiled, the Job turned into a table,
// the function called, and the Job turned back.

import Glibc
import HookCases
import KubernetesModel
import LuaSandbox

enum Bench {
  private static let script = LuaScript(
    name: "bwlimit.lua",
    source: """
      return {
        api = 1,
        build_job = function(ctx, job)
          rclone.flag(job, "bwlimit", ctx.params.limit or "10M")
          rclone.flag(job, "fast-list", true)
          job.spec.template.spec.nodeSelector = { disk = "ssd" }
          return job
        end,
      }
      """)

  static func run(calls: Int) async -> Bool {
    let sandbox = LuaSandbox(limits: LuaLimits())
    let context = LuaValue.table([
      "point": .json("build_job"), "params": .json(["limit": "10M"]),
      "run": .json([
        "name": "nightly-1714521600", "namespace": "default", "uid": "5f0e", "labels": [:], "annotations": [:],
      ]),
      "time": .time(Timestamp(unixSeconds: 1_714_521_600)),
    ])
    let job = realJob
    guard let cost = await measure(calls, sandbox, context, job) else { return false }
    print("build_job: \(cost.time.microseconds.formatted) µs of computing time per call, over \(calls) calls")
    print("memory: \(cost.growth / 1024) KiB more resident after \(calls) calls")
    let threads = HookThreads(time: SystemTime(), limit: 2)
    let began = ContinuousClock.now
    for _ in 0..<(calls / 10) {
      _ = try? await threads.run(patience: .seconds(5)) {
        sandbox.call(.buildJob, of: script, with: [context, .json(job)])
      }
    }
    let withThread = (ContinuousClock.now - began) / max(1, calls / 10)
    print("with a thread of its own, by the clock: \(withThread.microseconds.formatted) µs per call")
    // Sixteen bytes left behind by each call would be more; what malloc happens to keep is less.
    return cost.growth < 1 << 20
  }

  private struct Cost: Sendable {
    var time: Duration
    var growth: Int
  }

  /// The cost of `calls` calls, once a tenth of them have warmed everything up on the same thread.
  private static func measure(
    _ calls: Int, _ sandbox: LuaSandbox, _ context: LuaValue, _ job: JSONValue
  ) async -> Cost? {
    try? await HookThreads(time: SystemTime(), limit: 1).run(patience: .seconds(3600)) { () -> Cost? in
      func call(_ count: Int) -> Bool {
        for _ in 0..<count {
          if case .failure(let failure) = sandbox.call(.buildJob, of: script, with: [context, .json(job)]).result {
            print(failure)
            return false
          }
        }
        return true
      }
      guard call(max(1, calls / 10)) else { return nil }
      let resident = residentMemory()
      let began = computingTime()
      guard call(calls) else { return nil }
      return Cost(time: (computingTime() - began) / max(1, calls), growth: residentMemory() - resident)
    }
  }

  /// What this thread has computed, whatever else the machine does.
  private static func computingTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// Bytes of this process in memory.
  private static func residentMemory() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, 256, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(getpagesize())
  }

  /// The Job that RcloneJob makes for a policy with two S3 remotes.
  private static let realJob: JSONValue = {
    let variables = ["SOURCE", "DESTINATION"].flatMap { side -> [JSONValue] in
      [
        ["name": .string("RCLONE_CONFIG_\(side)_TYPE"), "value": "s3"],
        ["name": .string("RCLONE_CONFIG_\(side)_PROVIDER"), "value": "Minio"],
        ["name": .string("RCLONE_CONFIG_\(side)_ENDPOINT"), "value": "https://minio.example.com:9000"],
        ["name": .string("RCLONE_CONFIG_\(side)_REGION"), "value": "us-east-1"],
        [
          "name": .string("RCLONE_CONFIG_\(side)_ACCESS_KEY_ID"),
          "valueFrom": ["secretKeyRef": ["name": "minio", "key": "access-key"]],
        ],
        [
          "name": .string("RCLONE_CONFIG_\(side)_SECRET_ACCESS_KEY"),
          "valueFrom": ["secretKeyRef": ["name": "minio", "key": "secret-key"]],
        ],
      ]
    }
    let labels: JSONValue = ["team": "storage", "app.kubernetes.io/name": "nightly"]
    return [
      "apiVersion": "batch/v1", "kind": "Job",
      "metadata": ["name": "nightly-1714521600", "labels": labels],
      "spec": [
        "backoffLimit": 0, "completions": 1, "parallelism": 1, "podReplacementPolicy": "Failed",
        "activeDeadlineSeconds": 3600,
        "template": [
          "metadata": ["labels": labels],
          "spec": [
            "restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
            "terminationGracePeriodSeconds": 30,
            "securityContext": [
              "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
              "seccompProfile": ["type": "RuntimeDefault"],
            ],
            "containers": [
              [
                "name": "rclone", "image": "docker.io/rclone/rclone:1.75.2", "command": ["rclone"],
                "args": ["sync", "source:data/photos", "destination:backup/photos"],
                "env": .array(
                  [["name": "RCLONE_CONFIG", "value": ""], ["name": "RCLONE_CACHE_DIR", "value": "/tmp/rclone"]]
                    + variables),
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "securityContext": [
                  "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": ["drop": ["ALL"]],
                ],
                "volumeMounts": [["name": "tmp", "mountPath": "/tmp"]],
              ]
            ],
            "volumes": [["name": "tmp", "emptyDir": [:]]],
          ],
        ],
      ],
    ]
  }()
}

extension Duration {
  fileprivate var microseconds: Double { self / .microseconds(1) }
}

extension Double {
  /// With one digit behind the point.
  fileprivate var formatted: String { "\((self * 10).rounded() / 10)" }
}
