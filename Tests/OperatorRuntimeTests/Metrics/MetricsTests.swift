import OperatorRuntime
import Synchronization
import Testing

@Suite("Metrics")
struct MetricsTests {
  let metrics = MetricsRegistry()

  @Test("the exposition is sorted, and lists each family once with its help and type")
  func format() {
    metrics.gauge("b_gauge", "Second.").set(1.5)
    metrics.counter("a_total", "First.", labels: ["x": "2"]).increment()
    metrics.counter("a_total", "First.", labels: ["x": "1", "a": "z"]).increment(by: 3)
    #expect(
      metrics.exposition() == """
        # HELP a_total First.
        # TYPE a_total counter
        a_total{a="z",x="1"} 3
        a_total{x="2"} 1
        # HELP b_gauge Second.
        # TYPE b_gauge gauge
        b_gauge 1.5

        """
    )
  }

  @Test("a histogram counts cumulatively, up to infinity")
  func histogram() {
    let histogram = metrics.histogram("t_seconds", "Time.", labels: ["q": "x"], bounds: [0.1, 1])
    for value in [0.05, 0.1, 0.5, 7] { histogram.observe(value) }
    #expect(
      metrics.exposition() == """
        # HELP t_seconds Time.
        # TYPE t_seconds histogram
        t_seconds_bucket{q="x",le="0.1"} 2
        t_seconds_bucket{q="x",le="1"} 3
        t_seconds_bucket{q="x",le="+Inf"} 4
        t_seconds_sum{q="x"} 7.65
        t_seconds_count{q="x"} 4

        """
    )
  }

  @Test("labels and help cannot break out of their line")
  func escaping() {
    metrics.counter("a_total", "One\\two\nthree \"four\".", labels: ["x": "a\"b\\c\nd"]).increment()
    #expect(
      metrics.exposition() == #"""
        # HELP a_total One\\two\nthree "four".
        # TYPE a_total counter
        a_total{x="a\"b\\c\nd"} 1

        """#
    )
  }

  @Test("what is no valid name of a metric or label becomes one")
  func names() {
    metrics.counter("9 my-metric\n", "A.", labels: ["a b": "x"]).increment()
    #expect(metrics.exposition().hasSuffix("\n_9_my_metric_{a_b=\"x\"} 1\n"))
  }

  @Test("the same name and labels give the same series")
  func sharing() {
    metrics.counter("a_total", "A.").increment()
    metrics.counter("a_total", "A.").increment()
    #expect(metrics.counter("a_total", "A.").value == 2)
  }

  @Test("a counter never shrinks")
  func monotonic() {
    let counter = metrics.counter("a_total", "A.")
    counter.increment(by: 2)
    counter.increment(by: -1)
    #expect(counter.value == 2)
  }

  @Test("a name that is a counter does not become a gauge")
  func kindConflict() {
    metrics.counter("a_total", "A.").increment()
    metrics.gauge("a_total", "A.").set(99)
    #expect(metrics.exposition().hasSuffix("a_total 1\n"))
  }

  @Test("computed values are as of the reading")
  func computed() {
    let counter = metrics.counter("a_total", "A.")
    metrics.computed(.gauge, "b", "B.") { counter.value * 10 }
    counter.increment(by: 4)
    #expect(metrics.exposition().contains("\nb 40\n"))
  }

  @Test("collected series are those of the reading")
  func collected() {
    let names = Mutex(["b", "a"])
    metrics.collected(.gauge, "size", "Size.") { names.withLock { $0.map { (["name": $0], 1) } } }
    #expect(metrics.exposition().hasSuffix("size{name=\"a\"} 1\nsize{name=\"b\"} 1\n"))
    names.withLock { $0 = [] }
    #expect(metrics.exposition().hasSuffix("# TYPE size gauge\n"))
  }

  @Test(
    "special numbers are written as Go reads them",
    arguments: [
      (Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e300, "1e+300"), (-0.25, "-0.25"),
    ]
  )
  func numbers(value: Double, text: String) {
    metrics.gauge("a", "A.").set(value)
    #expect(metrics.exposition().hasSuffix("\na \(text)\n"))
  }

  @Test("a process knows its memory, files, CPU time and start")
  func process() throws {
    metrics.addProcessMetrics()
    let text = metrics.exposition()
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"] {
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name) ") })
      #expect(try #require(Double(line.split(separator: " ")[1])) > 0)
    }
    #expect(text.contains("process_start_time_seconds 1"))
  }
}
