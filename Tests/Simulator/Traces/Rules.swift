// Requests that scenarios make seldom or never, and that the rules of the server decide all the same: stale versions, other
// UIDs, finalizers of what is being deleted, deletions on top of deletions.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport

extension Trace {
  /// The trace of somebody who tries the rules out.
  static func rules() -> Trace {
    let agenda = Agenda(seed: 1)
    let server = ModelServer(time: VirtualTime(agenda))
    let trace = Trace(title: "rules", server: server, agenda: agenda)
    let attempt = Attempt(server: server)
    attempt.configMaps()
    attempt.runs()
    attempt.finalizers()
    attempt.propagation()
    attempt.pods()
    attempt.leases()
    return trace
  }
}

/// Somebody who sends requests to the model server.
private struct Attempt {
  let server: ModelServer

  private static let maps = "/api/v1/namespaces/default/configmaps"
  private static let pods = "/api/v1/namespaces/default/pods"
  private static let jobs = "/apis/batch/v1/namespaces/default/jobs"
  private static let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
  private static let runs = "/apis/\(BucketSyncNames.group)/v1/namespaces/default/bucketsyncs"

  @discardableResult
  private func send(_ method: APIRequest.Method, _ path: String, _ body: JSONValue = .null) -> JSONValue {
    var request = APIRequest(method, path, label: .init(verb: "try", resource: "rules"))
    if !body.isNull { request.body = try? JSON.encode(body) }
    if method == .patch { request.contentType = "application/merge-patch+json" }
    let answer = server.answer(request, by: .user)
    return (try? JSON.decode(JSONValue.self, from: answer.body)) ?? .null
  }

  private func version(_ object: JSONValue) -> JSONValue { object["metadata"]["resourceVersion"] }

  func configMaps() {
    let path = "\(Self.maps)/map"
    send(.get, path)
    send(.delete, path)
    send(.patch, path, ["data": ["a": "1"]])
    let map: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "map"], "data": ["a": "1"]]
    send(.put, path, map)
    let first = send(.post, Self.maps, map)
    send(.post, Self.maps, map)
    send(.patch, path, ["data": ["a": "1"]])
    send(.patch, path, ["metadata": ["finalizers": []]])
    send(.patch, path, ["metadata": ["labels": ["x": "", "y": "1"]]])
    let second = send(.patch, path, ["data": ["a": "2", "b": ""]])
    var stale = first
    stale["data"]["a"] = "3"
    send(.put, path, stale)
    send(.patch, path, ["metadata": ["resourceVersion": version(first)], "data": ["a": "3"]])
    send(.patch, path, ["metadata": ["resourceVersion": version(second)], "data": ["a": "4"]])
    var other = second
    other["metadata"]["uid"] = "uid-of-another"
    other["metadata"]["resourceVersion"] = nil
    send(.put, path, other)
    send(.patch, path, ["metadata": ["uid": "uid-of-another"]])
    send(.put, path, map)
    send(.delete, path, ["preconditions": ["uid": "uid-of-another"]])
    send(.delete, path, ["preconditions": ["resourceVersion": version(first)]])
    send(.delete, path, ["preconditions": ["uid": first["metadata"]["uid"]]])
    send(.delete, path)
  }

  func runs() {
    let path = "\(Self.runs)/run"
    let run = Self.run("run")
    var draft = run
    draft["status"]["phase"] = "Sync"
    draft["metadata"]["generation"] = 7
    draft["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"
    let first = send(.post, Self.runs, draft)
    send(.patch, path, ["status": ["phase": "Sync"]])
    send(.patch, path, ["metadata": ["labels": ["x": "1"]], "status": ["phase": "Sync"]])
    send(
      .patch, "\(path)/status", ["metadata": ["labels": ["x": "2"]], "spec": ["source": "z"], "status": ["job": "j"]])
    send(.patch, "\(path)/status", ["metadata": ["labels": ["x": "2"]]])
    send(.patch, "\(path)/status", ["status": ["error": nil, "notes": [:]]])
    send(.patch, path, ["spec": ["timeout": "10s"]])
    send(.patch, path, ["spec": ["timeout": "10s"]])
    let stale: JSONValue = ["metadata": ["resourceVersion": version(first)], "status": ["phase": "Finished"]]
    send(.patch, "\(path)/status", stale)
    send(.put, path, run)
    var other = send(.get, path)
    other["metadata"]["uid"] = "uid-of-another"
    send(.put, path, other)
    send(.put, "\(path)/status", other)
    send(.patch, path, ["metadata": ["uid": "uid-of-another"]])
    send(.patch, "\(path)/status", ["metadata": ["uid": "uid-of-another"], "status": ["phase": "Finished"]])
    send(.patch, path, ["metadata": ["generation": 9, "creationTimestamp": nil]])
    send(.patch, path, ["metadata": ["deletionTimestamp": "2024-01-01T00:00:00Z"]])
    send(.delete, path)
    send(.patch, "\(path)/status", ["status": ["phase": "Finished"]])
  }

  func finalizers() {
    let path = "\(Self.runs)/held"
    var run = Self.run("held")
    run["metadata"]["finalizers"] = ["example.com/a", "example.com/b"]
    send(.post, Self.runs, run)
    send(.delete, path, ["propagationPolicy": "Background"])
    send(.delete, path, ["propagationPolicy": "Background"])
    send(.patch, path, ["metadata": ["deletionTimestamp": nil]])
    send(.patch, path, ["metadata": ["finalizers": ["example.com/a", "example.com/b", "example.com/c"]]])
    send(.patch, "\(path)/status", ["status": ["phase": "Finalize"]])
    send(.patch, path, ["metadata": ["finalizers": ["example.com/b"]], "spec": ["timeout": "10s"]])
    send(.patch, path, ["metadata": ["finalizers": nil, "labels": ["x": "1"]]])
    send(.get, path)
    send(.post, Self.runs, run)
    send(.patch, path, ["metadata": ["finalizers": nil]])
    send(.delete, path)
  }

  func propagation() {
    let path = "\(Self.jobs)/job"
    func job() {
      let spec: JSONValue = ["containers": [["name": "c", "image": "i"]], "restartPolicy": "Never"]
      send(
        .post, Self.jobs,
        [
          "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "job"],
          "spec": ["backoffLimit": 0, "template": ["metadata": [:], "spec": spec]],
        ])
    }
    job()
    send(.delete, path)
    send(.delete, path)
    send(.delete, path, ["propagationPolicy": "Foreground"])
    send(.delete, path, ["propagationPolicy": "Background"])
    job()
    send(.delete, path, ["propagationPolicy": "Foreground"])
    send(.delete, path, ["gracePeriodSeconds": 0])
    while server.collectGarbage() {}
    job()
    send(.delete, path, ["propagationPolicy": "Orphan"])
    while server.collectGarbage() {}
    send(.post, Self.runs, Self.run("run"))
    send(.delete, "\(Self.runs)/run", ["propagationPolicy": "Orphan"])
    while server.collectGarbage() {}
    send(.post, Self.runs, Self.run("run"))
    send(.delete, "\(Self.runs)/run", ["propagationPolicy": "Foreground"])
    send(.delete, "\(Self.runs)/run")
    while server.collectGarbage() {}
  }

  func pods() {
    func place(_ name: String) -> ResourcePath {
      ResourcePath(Pod.resource, ObjectKey(namespace: "default", name: name))
    }
    func make(_ name: String, finalizer: Bool = false, node: Bool = true, phase: String? = nil) -> String {
      var pod: JSONValue = [
        "metadata": ["name": .string(name)],
        "spec": ["containers": [["name": "c", "image": "i"]], "restartPolicy": "Never"],
      ]
      if finalizer { pod["metadata"]["finalizers"] = ["example.com/a"] }
      server.create(Pod.resource, pod, namespace: "default", by: .user)
      if node { server.bind(place(name), to: "node", by: .scheduler) }
      if let phase { server.update(place(name), status: true, by: .kubelet) { $0["status"]["phase"] = .string(phase) } }
      return "\(Self.pods)/\(name)"
    }
    let unbound = make("unbound", node: false)
    send(.delete, unbound, ["propagationPolicy": "Background"])
    let waiting = make("waiting")
    send(.delete, waiting, ["propagationPolicy": "Background"])
    send(.delete, waiting, ["propagationPolicy": "Background"])
    server.update(place("waiting"), status: true, by: .kubelet) { $0["status"]["phase"] = "Running" }
    send(.delete, waiting, ["gracePeriodSeconds": 0])
    let running = make("running", phase: "Running")
    send(.delete, running)
    server.update(place("running"), status: true, by: .kubelet) { $0["status"]["phase"] = "Failed" }
    send(.delete, running)
    send(.delete, running, ["gracePeriodSeconds": 0, "preconditions": ["uid": "uid-of-another"]])
    send(.delete, running, ["gracePeriodSeconds": 0])
    send(.delete, make("ended", phase: "Succeeded"))
    let held = make("held", finalizer: true, phase: "Running")
    send(.delete, held)
    send(.patch, held, ["metadata": ["finalizers": nil]])
    send(.delete, held, ["gracePeriodSeconds": 0])
    let gone = make("gone", finalizer: true, phase: "Running")
    send(.delete, gone, ["gracePeriodSeconds": 0])
    send(.patch, gone, ["metadata": ["finalizers": nil]])
    let foreground = make("foreground", phase: "Running")
    send(.delete, foreground, ["propagationPolicy": "Foreground"])
    while server.collectGarbage() {}
    send(.delete, foreground, ["gracePeriodSeconds": 0, "propagationPolicy": "Background"])
  }

  func leases() {
    let path = "\(Self.leases)/lease"
    let lease: JSONValue = [
      "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": ["name": "lease"],
      "spec": ["holderIdentity": "a", "leaseDurationSeconds": 15],
    ]
    let first = send(.post, Self.leases, lease)
    var second = first
    second["spec"]["holderIdentity"] = "b"
    send(.put, path, second)
    send(.put, path, first)
    send(.put, path, lease)
    send(.delete, path, ["preconditions": ["resourceVersion": version(first)]])
    send(.delete, path)
  }

  private static func run(_ name: String) -> JSONValue {
    [
      "apiVersion": .string("\(BucketSyncNames.group)/v1"), "kind": "BucketSync", "metadata": ["name": .string(name)],
      "spec": ["source": "a", "destination": "b"],
    ]
  }
}
