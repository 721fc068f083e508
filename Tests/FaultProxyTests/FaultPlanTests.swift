// What a seed decides. That the proxy does it is for the chaos tests to show, on a real API server.

import Testing

@testable import FaultProxy

@Suite("Which fault is met when")
struct FaultPlanTests {
  private func decisions(_ seed: UInt64, _ kind: String = "POST jobs") -> [FaultPlan.Decision] {
    let plan = FaultPlan(seed: seed, rates: .storm)
    return (1...300).map { plan.request(kind, $0) } + (1...300).map { plan.event("WATCH pods", 1, event: $0) }
  }

  @Test("the same seed decides the same, another one something else")
  func seeds() {
    #expect(decisions(7) == decisions(7))
    #expect(decisions(7) != decisions(8))
    #expect(decisions(7) != decisions(7, "POST configmaps"))
  }

  @Test("a storm brings every fault there is, a calm none")
  func everyFault() {
    let plan = FaultPlan(seed: 1, rates: .storm)
    var met: Set<Fault> = []
    for number in 1...2000 {
      for decision in [
        plan.request("GET pods", number), plan.watch("WATCH pods", number), plan.event("WATCH pods", number, event: 1),
      ] { if let fault = decision.fault { met.insert(fault) } }
    }
    #expect(met == Set(Fault.allCases).subtracting([.blockedWatch]))
    #expect((1...1000).allSatisfy { FaultPlan(seed: 1, rates: .calm).request("GET pods", $0).fault == nil })
  }

  @Test("faults are about as frequent as they are said to be")
  func frequency() {
    let plan = FaultPlan(seed: 3, rates: FaultRates(requests: [(.slow, 250)], watches: [], events: []))
    let met = (1...4000).count { plan.request("GET pods", $0).fault == .slow }
    #expect((850...1150).contains(met))
  }

  @Test(
    "requests are told apart by what they ask for, and not by names",
    arguments: [
      ("/api/v1/namespaces/a/pods/b", "pods"), ("/api/v1/namespaces/a/pods", "pods"), ("/api/v1/pods", "pods"),
      ("/api/v1/namespaces/a/pods/b/log", "pods/log"), ("/apis/batch/v1/namespaces/a/jobs/b", "jobs"),
      ("/apis/bucket-sync.homelab-helper.benfiola.com/v1/namespaces/a/bucketsyncs/b/status", "bucketsyncs/status"),
      ("/api/v1/namespaces/a", "namespaces"), ("/version", "/version"), ("/apis/batch/v1", "/apis/batch/v1"),
    ])
  func kinds(path: String, resource: String) {
    #expect(ProxiedRequest.resource(of: path) == resource)
  }

  @Test("a timeline tells what happened in order, and counts faults")
  func timeline() {
    let timeline = Timeline()
    timeline.note("SIGKILL etcd", "pid 7")
    timeline.add("POST jobs #1", .resetAfter, "/apis/batch/v1/namespaces/a/jobs → 201")
    timeline.arrived(method: "POST", path: "/a")
    timeline.arrived(method: "GET", path: "/b")
    #expect(timeline.counts == [.resetAfter: 1])
    #expect(timeline.requests == 2)
    #expect(timeline.writes.map(\.path) == ["/a"])
    #expect(timeline.text().split(separator: "\n").count == 2)
    #expect(timeline.text(last: 1).contains("reset after"))
  }
}
