import Glibc
import OperatorRuntime
import TestSupport
import Testing

@testable import StandaloneFolder

@Suite("Folder events")
struct FolderEventsTests {
  @Test("names that were lost (queue overflow) mean that everything may have changed")
  func overflow() throws {
    let events = try FolderEvents()
    var event = inotify_event()
    event.wd = -1
    event.mask = UInt32(IN_Q_OVERFLOW)
    withUnsafeBytes(of: &event) { events.take($0) }
    #expect(events.arrived.isRaised)
    #expect(events.take() == FolderChanges(everything: true))
    #expect(!events.arrived.isRaised)
  }

  @Test("another folder at the same path is watched instead of the first")
  func replaced() async throws {
    let folder = try TemporaryFolder()
    let events = try FolderEvents()
    defer { events.close() }
    try folder.makeFolder("a")
    try events.watch(folder.path + "/a")
    #expect(rename(folder.path + "/a", folder.path + "/b") == 0)
    try folder.makeFolder("a")
    try events.watch(folder.path + "/a")
    _ = events.take()
    try folder.write("b/x", "x")
    try folder.write("a/y", "y")
    try await eventually { events.arrived.isRaised }
    #expect(events.take().paths == [folder.path + "/a/y"])
  }

  @Test("a folder that is not there, or too many of them, are told apart")
  func failures() throws {
    let folder = try TemporaryFolder()
    let events = try FolderEvents(mostWatches: 1)
    #expect(throws: WatchFailure.folder(SystemFailure(code: ENOENT))) { try events.watch(folder.path + "/none") }
    try events.watch(folder.path)
    try events.watch(folder.path)
    try folder.makeFolder("a")
    #expect(throws: WatchFailure.limit(SystemFailure(code: ENOSPC))) { try events.watch(folder.path + "/a") }
    events.keep(only: [])
    try events.watch(folder.path + "/a")
  }
}
