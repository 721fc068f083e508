import FoundationEssentials
import Testing

@testable import KubernetesClient

@Suite("Splitting a stream into lines")
struct LineSplitterTests {
  @Test("lines come out whole however the bytes are cut", arguments: 1...12)
  func pieces(size: Int) throws {
    let text = "{\"a\":\"ü\u{2028}\u{85}\r\"}\n\nsecond\nthe rest"
    var splitter = LineSplitter(limit: 100)
    var lines: [String] = []
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      splitter.append(Data(bytes.prefix(size)))
      bytes = bytes.dropFirst(size)
      while let line = try splitter.nextLine() { lines.append(String(decoding: line, as: UTF8.self)) }
    }
    #expect(lines == ["{\"a\":\"ü\u{2028}\u{85}\r\"}", "second"])
    #expect(splitter.hasIncompleteLine)
  }

  @Test("a line as long as the bound passes, a longer one does not, finished or not")
  func bound() throws {
    var splitter = LineSplitter(limit: 4)
    splitter.append(Data("1234\n".utf8))
    #expect(try splitter.nextLine() == Data("1234".utf8))
    splitter.append(Data("12345".utf8))
    #expect(throws: LineSplitter.LineTooLong.self) { try splitter.nextLine() }
    var finished = LineSplitter(limit: 4)
    finished.append(Data("12345\n".utf8))
    #expect(throws: LineSplitter.LineTooLong.self) { try finished.nextLine() }
  }
}
