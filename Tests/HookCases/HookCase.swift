// Scripts that try to get out of the sandbox or to exhaust it, each with what must become of it. The tests run them,
// and so does `hooks-lab`, under AddressSanitizer.

package import KubernetesModel
package import LuaSandbox

/// One script and its fate.
package struct HookCase: Sendable {
  package enum Fate: Sendable {
    /// It fails, with this text in the message.
    case fails(LuaFailure.Reason, String)
    /// It returns just this; `nil` stands for nothing at all.
    case returns(JSONValue?)
  }

  package let name: String
  /// The body of `build_job = function(ctx, job)`.
  package let source: String
  /// Whether `source` is a whole script instead.
  var isWhole = false
  package let fate: Fate

  /// What the scripts are given for a Job.
  package static let job: JSONValue = [
    "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "nightly-1714521600", "labels": [:]],
    "spec": [
      "backoffLimit": 0,
      "template": [
        "spec": [
          "restartPolicy": "Never",
          "containers": [
            [
              "name": "rclone", "image": "rclone/rclone", "args": ["sync", "source:data", "destination:backup"],
              "env": [["name": "RCLONE_CONFIG", "value": ""]],
            ]
          ],
          "volumes": [["name": "tmp", "emptyDir": [:]]],
          "tolerations": [],
        ]
      ],
    ],
  ]

  /// The script.
  package var script: LuaScript {
    LuaScript(
      name: "case.lua",
      source: isWhole ? source : "return { api = 1, build_job = function(ctx, job)\n\(source)\nend }")
  }

  /// Runs the script in `sandbox`.
  package func run(in sandbox: LuaSandbox) -> LuaAnswer {
    sandbox.call(.buildJob, of: script, with: [.table(["params": .json(["limit": "10M"])]), .json(Self.job)])
  }

  /// What is wrong with an answer; `nil` if it is as it must be.
  package func complaint(about answer: LuaAnswer) -> String? {
    switch (fate, answer.result) {
    case (.fails(let reason, let text), .failure(let failure)):
      failure.reason == reason && failure.message.contains(text)
        ? nil : "\(name): failed otherwise: \(failure.reason.rawValue): \(failure.message)"
    case (.returns(let wanted), .success(let value)):
      value == wanted ? nil : "\(name): returned \(value.map { "\($0)" } ?? "nothing")"
    case (.fails, .success(let value)): "\(name): did not fail, but returned \(value.map { "\($0)" } ?? "nothing")"
    case (.returns, .failure(let failure)): "\(name): failed: \(failure.reason.rawValue): \(failure.message)"
    }
  }
}
