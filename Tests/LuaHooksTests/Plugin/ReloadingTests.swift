// Scripts that change while the operator runs. The kernel tells of the changes, as it does in a pod.

import BucketSyncCore
import KubernetesModel
import TestSupport
import Testing

@Suite("Changed scripts")
struct ReloadingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func rejecting(_ reason: String) -> String {
    "return { api = 1, pre_lock = function() return { reject = '\(reason)' } end }"
  }

  @Test("a ConfigMap that changes is taken over at one stroke, and runs that wait are woken")
  func configMap() async throws {
    let mounted = try MountedFolder(at: folder.path + "/mounted")
    try mounted.publish(["a.lua": Self.rejecting("one")])
    let scripted = try ScriptedOperator(mounted.path)
    try await scripted.running {
      #expect(try await scripted.preLock() == .reject(reason: "one"))
      // Again and again: the links are new ones each time.
      for word in ["two", "three", "four"] {
        let before = scripted.wakeUps.count
        try mounted.publish(["a.lua": Self.rejecting(word)])
        try await scripted.until(.reject(reason: word))
        try await scripted.soon("it is seen") { scripted.wakeUps.count > before }
      }
      try mounted.publish(["b.lua": "return { api = 1, job_name = function(ctx, name) return name .. '-b' end }"])
      try await scripted.until(.proceed)
      #expect(try await scripted.plan().name == "nightly-1705284000-b")
      #expect(scripted.metric("bucket_sync_hook_scripts") == "1")
    }
  }

  @Test("files may be written, moved and removed by hand as well")
  func byHand() async throws {
    let scripted = try ScriptedOperator(folder.path)
    try await scripted.running {
      #expect(try await scripted.preLock() == .proceed)
      try folder.write("a.lua", Self.rejecting("written"))
      try await scripted.until(.reject(reason: "written"))
      try folder.write("a.lua", Self.rejecting("over"))
      try await scripted.until(.reject(reason: "over"))
      try folder.remove("a.lua")
      try await scripted.until(.proceed)
    }
  }

  @Test("a changed set with a mistake is not used, not even its good part; it is told, and used once it is repaired")
  func lastGoodSetStays() async throws {
    let mounted = try MountedFolder(at: folder.path + "/mounted")
    try mounted.publish(["a.lua": Self.rejecting("good")])
    let scripted = try ScriptedOperator(mounted.path)
    try await scripted.running {
      try mounted.publish(["a.lua": Self.rejecting("half of it"), "b.lua": "return {", "c.lua": "return 7"])
      try await scripted.soon("it is seen") { scripted.metric("bucket_sync_hook_reload_failed") == "1" }
      #expect(try await scripted.preLock() == .reject(reason: "good"))
      #expect(scripted.wakeUps.count == 0)
      try await scripted.soon("it is seen") { scripted.log.text.contains("the scripts from before stay in use") }
      for words in ["b.lua:1: unexpected symbol", "c.lua: a script returns a table"] {
        #expect(scripted.log.text.contains("the changed scripts are not used: \(words)"))
      }
      #expect(scripted.metric(#"bucket_sync_hook_failures_total{point="load",reason="load"}"#) != "0")

      try mounted.publish(["a.lua": Self.rejecting("repaired")])
      try await scripted.until(.reject(reason: "repaired"))
      #expect(scripted.metric("bucket_sync_hook_reload_failed") == "0")
    }
  }

  @Test("what changed before anybody looked is seen as well, and what stays the same wakes nobody")
  func changedBeforeWatching() async throws {
    try folder.write("a.lua", Self.rejecting("old"))
    let scripted = try ScriptedOperator(folder.path)
    try folder.write("a.lua", Self.rejecting("new"))
    try await scripted.running {
      try await scripted.until(.reject(reason: "new"))
      #expect(scripted.wakeUps.count == 1)
      try folder.write("notes.txt", "nothing to do with it")
      try folder.write("b.lua", Self.rejecting("newer"))
      try await scripted.soon("it is seen") { scripted.metric("bucket_sync_hook_scripts") == "2" }
      #expect(scripted.wakeUps.count == 2)
    }
  }

  @Test("a folder that is taken away and comes back is watched again")
  func folderComesBack() async throws {
    let path = folder.path + "/coming-and-going"
    try folder.makeFolder("coming-and-going")
    try folder.write("coming-and-going/a.lua", Self.rejecting("before"))
    let scripted = try ScriptedOperator(path)
    try await scripted.running {
      try folder.remove("coming-and-going")
      try await scripted.soon("it is seen") { scripted.metric("bucket_sync_hook_reload_failed") == "1" }
      #expect(try await scripted.preLock() == .reject(reason: "before"))
      try folder.makeFolder("coming-and-going")
      try folder.write("coming-and-going/a.lua", Self.rejecting("after"))
      try await scripted.until(.reject(reason: "after"))
    }
  }
}
