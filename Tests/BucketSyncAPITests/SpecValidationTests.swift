import BucketSyncAPI
import KubernetesModel
import Testing

@Suite("Validation of specs")
struct SpecValidationTests {
  private static let good = BucketSyncPolicy.Spec(source: "data/in", destination: "archive", schedule: "@daily")

  private func problems(_ change: (inout BucketSyncPolicy.Spec) -> Void) -> [String] {
    var spec = Self.good
    change(&spec)
    return SpecValidation.problems(in: spec).map(\.description)
  }

  @Test("a good spec has no problems")
  func good() {
    let problems = problems {
      $0.sourceEnv = [
        EnvVar(name: "TYPE", value: "s3"),
        EnvVar(name: "ACCESS_KEY_ID", valueFrom: ["secretKeyRef": ["name": "keys", "key": "id"]]),
        EnvVar(name: "EMPTY", value: "", valueFrom: ["fieldRef": ["fieldPath": "metadata.name"]]),
        EnvVar(name: "NOTHING"),
      ]
      $0.destinationEnv = [EnvVar(name: "TYPE", value: "s3")]
      $0.syncHistoryLimit = 1
      $0.timeout = "1h30m"
      $0.jobLabels = ["app": "sync", "app.kubernetes.io/name": "sync", "example.com/tier": "", "team_a": "B"]
    }
    #expect(problems == [])
  }

  @Test("an empty spec gets a problem per required field instead of a decoding error")
  func empty() {
    let fields = SpecValidation.problems(in: BucketSyncPolicy.Spec(source: "", destination: "", schedule: ""))
    #expect(fields.map(\.field) == ["spec.source", "spec.destination", "spec.schedule"])
    let run = SpecValidation.problems(in: BucketSync.Spec(source: "", destination: ""))
    #expect(run.map(\.field) == ["spec.source", "spec.destination"])
  }

  @Test(
    "equal and nested places are refused",
    arguments: [("data", "is the same as"), ("data/in", "lies inside of"), ("destination:data", "is the same as")]
  )
  func overlap(destination: String, relation: String) {
    let problems = problems {
      $0.source = "data"
      $0.destination = destination
    }
    #expect(problems.count == 1)
    #expect(problems.first?.contains("\(relation) spec.source (\"data\")") == true)
    #expect(problems.first?.hasPrefix("spec.destination: ") == true)
  }

  @Test("a source inside of the destination is refused")
  func overlapAbove() {
    #expect(problems { $0.destination = "data" }.first?.contains("contains spec.source (\"data/in\")") == true)
  }

  @Test("a bad schedule, timeout or limit is named")
  func scalars() {
    let problems = problems {
      $0.schedule = "0 0 32 * *"
      $0.timeout = "90"
      $0.syncHistoryLimit = 0
    }
    #expect(
      problems == [
        "spec.schedule: field 3 (day of month): 32 is out of range 1–31",
        "spec.syncHistoryLimit: 0 is too few, at least 1 is kept; leave it out to keep all",
        #"spec.timeout: "90" is not a usable duration: "90" has no unit; write for example 90s, 30m or 1h30m"#,
      ]
    )
  }

  @Test("bad variables are named by their place, and no value is repeated")
  func variables() {
    let problems = problems {
      $0.sourceEnv = [
        EnvVar(name: "TYPE", value: "hunter2"),
        EnvVar(name: "TYPE", value: "hunter2"),
        EnvVar(name: "1ST", value: "hunter2"),
        EnvVar(name: "A-B", value: "hunter2"),
        EnvVar(name: "", value: "hunter2"),
        EnvVar(name: "BOTH", value: "hunter2", valueFrom: ["secretKeyRef": ["name": "keys", "key": "id"]]),
      ]
      $0.destinationEnv = [EnvVar(name: "NONE", valueFrom: [:]), EnvVar(name: "TWO", valueFrom: ["a": 1, "b": 2])]
    }
    let one = "must have exactly one of secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef and fileKeyRef"
    let letters = "is no name of a variable; use letters, digits and _ only, and no digit in front"
    #expect(
      problems == [
        "spec.sourceEnv[1].name: TYPE is already set by spec.sourceEnv[0]; keep one of the two",
        "spec.sourceEnv[2].name: \"1ST\" \(letters)",
        "spec.sourceEnv[3].name: \"A-B\" \(letters)",
        "spec.sourceEnv[4].name: is empty; write the name of an rclone option such as TYPE",
        "spec.sourceEnv[5].valueFrom: is set together with value; keep one of the two",
        "spec.destinationEnv[0].valueFrom: \(one)",
        "spec.destinationEnv[1].valueFrom: \(one)",
      ]
    )
  }

  @Test(
    "labels of Kubernetes and of the controller are refused",
    arguments: [
      "kubernetes.io/os", "node.kubernetes.io/role", "k8s.io/x", "x.k8s.io/y", "app.kubernetes.io/managed-by",
      "batch.kubernetes.io/job-name", "job-name", "controller-uid", BucketSyncNames.Label.runUID,
      "x.app.kubernetes.io/y",
    ]
  )
  func reservedLabels(key: String) {
    let problems = problems { $0.jobLabels = [key: "x"] }
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix("spec.jobLabels[\"\(key)\"]: ") == true)
  }

  @Test("domains that only look reserved are allowed", arguments: ["notkubernetes.io/x", "k8s.io.example.com/x"])
  func similarLabels(key: String) {
    #expect(problems { $0.jobLabels = [key: "x"] } == [])
  }

  @Test(
    "labels that Kubernetes would not take are refused",
    arguments: [
      ("", "x"), ("-a", "x"), ("a b", "x"), ("/a", "x"), ("Example.com/a", "x"), ("a/b/c", "x"), ("a/", "x"),
      ("a", "b c"), ("a", "-"), ("a", "0123456789012345678901234567890123456789012345678901234567890123"),
    ]
  )
  func malformedLabels(key: String, value: String) {
    #expect(problems { $0.jobLabels = [key: value] }.count == 1)
  }

  @Test("parameters with odd names or huge values are refused, without telling the values")
  func parameters() {
    #expect(problems { $0.parameters = ["limit": "10M", "night.limit-2_a": "", "Ж": "x"] }.count == 1)
    let message = problems { $0.parameters = ["limit": String(repeating: "s3cret", count: 1000)] }
    #expect(message == [#"spec.parameters["limit"]: the value has 6000 bytes; at most 4096 are taken"#])
  }

  @Test("the run of a policy has the policy's parameters")
  func runParameters() {
    var policy = Self.good
    policy.parameters = ["limit": "10M"]
    #expect(BucketSync.Spec(policy).parameters == ["limit": "10M"])
  }

  @Test("the run of a policy has the policy's problems, without those of its schedule")
  func run() {
    var policy = Self.good
    policy.sourceEnv = [EnvVar(name: "A-B")]
    policy.destinationEnv = [EnvVar(name: "A-B")]
    policy.jobLabels = ["-": "x"]
    policy.timeout = "0s"
    let problems = SpecValidation.problems(in: policy)
    #expect(problems.count == 4)
    #expect(SpecValidation.problems(in: BucketSync.Spec(policy)) == problems)
  }
}
