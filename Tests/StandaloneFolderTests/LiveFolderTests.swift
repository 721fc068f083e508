import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import StandaloneFolder
import TestSupport
import Testing

@Suite("A folder of manifests: live")
struct LiveFolderTests {
  @Test("added, edited, renamed and removed files and folders take effect")
  func changes() async throws {
    let site = try Site()
    try await site.whileApplied { _ in
      try site.write("a.yaml", policyText("a"))
      try await eventually("a") { site.policyNames == ["a"] }
      try site.folder.makeFolder("sub")
      try site.write("sub/b.yaml", policyText("b"))
      try await eventually("b") { site.policyNames == ["a", "b"] }
      try site.folder.makeFolder("sub/sub")
      try site.write("sub/sub/c.yaml", policyText("c"))
      try await eventually("c") { site.policyNames == ["a", "b", "c"] }
      #expect(rename(site.path + "/sub", site.path + "/other") == 0)
      try await eventually("the new mark") {
        site.policy("c")?["metadata"]["annotations"][Site.mark] == "other/sub/c.yaml"
      }
      #expect(site.policy("c")?["metadata"]["uid"] == "uid-3")
      try site.write("other/sub/c.yaml", policyText("c", schedule: "@hourly"))
      try await eventually("the edit") { site.policy("c")?["spec"]["schedule"] == "@hourly" }
      try site.folder.remove("other")
      try await eventually("a alone") { site.policyNames == ["a"] }
      try site.folder.remove("a.yaml")
      try await eventually("nothing") { site.policyNames.isEmpty }
    }
  }

  @Test("only what came from the folder is deleted, also what was taken out while nobody looked")
  func pruning() async throws {
    let site = try Site()
    let client = KubernetesClient(transport: site.server, time: SystemTime())
    _ = try await client.create(
      ["metadata": ["name": "foreign"], "spec": [:]], of: Site.policies, namespace: "default")
    try site.write("a.yaml", policyText("a") + "---\n" + policyText("b"))
    try site.write("c.yaml", policyText("c"))
    try await site.whileApplied { _ in }
    try site.write("a.yaml", policyText("a"))
    try site.folder.remove("c.yaml")
    try await site.whileApplied { _ in #expect(site.policyNames == ["a", "foreign"]) }
    let deletions = site.connection.sent.filter { $0.method == .delete }
    #expect(deletions.count == 2)
  }

  @Test("a mounted ConfigMap, whose files are links that change all at once, is followed")
  func configMap() async throws {
    let site = try Site(subfolder: "mount")
    let mount = try MountedFolder(at: site.path)
    try mount.publish(["a.yaml": policyText("a"), "b.yaml": policyText("b")])
    try await site.whileApplied { manifests in
      #expect(site.policyNames == ["a", "b"])
      try mount.publish(["a.yaml": policyText("a", schedule: "@hourly"), "c.yaml": policyText("c")])
      try await eventually("the change") {
        site.policyNames == ["a", "c"] && site.policy("a")?["spec"]["schedule"] == "@hourly"
      }
      try await eventually("no problem") { manifests.problems.isEmpty }
    }
  }

  @Test("a file that a link leads to is followed where it is, a link to a folder is not")
  func links() async throws {
    let site = try Site(subfolder: "folder")
    try site.folder.makeFolder("folder")
    try site.folder.makeFolder("elsewhere")
    try site.folder.write("elsewhere/real.yaml", policyText("a"))
    #expect(symlink("../elsewhere/real.yaml", site.path + "/a.yaml") == 0)
    #expect(symlink("../elsewhere", site.path + "/folder") == 0)
    #expect(symlink("../elsewhere", site.path + "/folder.yaml") == 0)
    try await site.whileApplied { manifests in
      #expect(site.policyNames == ["a"])
      #expect(
        manifests.problems.map(\.description) == ["folder.yaml: is a link to a folder, which is not followed"])
      try site.folder.write("elsewhere/real.yaml", policyText("a", schedule: "@hourly"))
      try await eventually("the edit") { site.policy("a")?["spec"]["schedule"] == "@hourly" }
    }
  }

  @Test("a folder that is moved away loses nothing, and is taken up when it is back")
  func moved() async throws {
    let site = try Site(subfolder: "folder")
    try site.folder.makeFolder("folder")
    try site.write("a.yaml", policyText("a"))
    try await site.whileApplied { manifests in
      #expect(rename(site.path, site.path + "-away") == 0)
      try await eventually("the problem") { !manifests.problems.isEmpty }
      #expect(site.policyNames == ["a"])
      #expect(manifests.problems.first?.description.contains("is not there") == true)
      try site.folder.write("folder-away/b.yaml", policyText("b"))
      #expect(rename(site.path + "-away", site.path) == 0)
      try await eventually("both") { site.policyNames == ["a", "b"] }
      try await eventually("no problem") { manifests.problems.isEmpty }
      try site.folder.remove("folder/a.yaml")
      try await eventually("b alone") { site.policyNames == ["b"] }
    }
  }

  @Test("a folder that is not there at first is waited for")
  func absent() async throws {
    let site = try Site(subfolder: "not/yet")
    try await site.whileApplied { manifests in
      #expect(manifests.problems.count == 1)
      try site.folder.makeFolder("not")
      try site.folder.makeFolder("not/yet")
      try site.write("a.yaml", policyText("a"))
      try await eventually("a") { site.policyNames == ["a"] }
    }
  }

  @Test("a folder that is emptied loses its objects; an empty one in its place does not, nor one empty from the start")
  func emptied() async throws {
    let site = try Site(subfolder: "folder")
    try site.folder.makeFolder("folder")
    try site.write("a.yaml", policyText("a"))
    try await site.whileApplied { manifests in
      #expect(rename(site.path, site.path + "-away") == 0)
      try site.folder.makeFolder("folder")
      try await eventually("the problem") { manifests.problems.first?.description.contains("is empty") ?? false }
      #expect(site.policyNames == ["a"])
    }
    try await site.whileApplied { manifests in
      #expect(site.policyNames == ["a"])
      #expect(manifests.problems.first?.description.contains("is empty") == true)
      try site.write("b.yaml", policyText("b"))
      try await eventually("b instead of a") { site.policyNames == ["b"] }
      try await eventually("no problem") { manifests.problems.isEmpty }
      try site.folder.remove("folder/b.yaml")
      try await eventually("nothing") { site.policyNames.isEmpty }
      try await eventually("no problem") { manifests.problems.isEmpty }
    }
  }

  @Test("a file that is being written is not read before it is closed")
  func halfWritten() async throws {
    let site = try Site()
    try site.write("a.yaml", policyText("a"))
    try await site.whileApplied { manifests in
      let file = open(site.path + "/a.yaml", O_WRONLY | O_TRUNC)
      try site.save("b.yaml", policyText("b"))
      try site.folder.write("c.yaml", policyText("c"))
      try await eventually("the others") { site.policyNames == ["a", "b", "c"] }
      let text = Array(policyText("z").utf8)
      #expect(Glibc.write(file, text, text.count) == text.count)
      close(file)
      try await eventually("z instead of a") { site.policyNames == ["b", "c", "z"] }
      try await eventually("no problem") { manifests.problems.isEmpty }
    }
  }

  @Test("changes are looked at when it has been quiet for a moment")
  func quiet() async throws {
    let time = ManualTime()
    let site = try Site(time: time)
    try await site.whileApplied { _ in
      try site.write("a.yaml", policyText("a"))
      try await time.untilSleeping(for: .milliseconds(100))
      #expect(site.policyNames.isEmpty)
      try site.write("a.yaml", policyText("b"))
      time.advance(by: .milliseconds(50))
      time.advance(by: .milliseconds(50))
      while site.policyNames.isEmpty {
        time.advance(by: .milliseconds(100))
        await Task.yield()
      }
      #expect(site.policyNames == ["b"])
    }
  }

  @Test("when the user may watch no more folders, the folder is looked through at intervals, which is said")
  func noWatches() async throws {
    let time = ManualTime()
    let site = try Site(time: time)
    let manifests = site.manifests(mostWatches: 0)
    try await site.whileApplied(manifests) { _ in
      #expect(
        site.log.all.contains { $0.contains("max_user_watches") && $0.contains("looked through every 30s instead") })
      try site.write("a.yaml", policyText("a"))
      try await time.untilSleeping(for: .seconds(30))
      #expect(site.policyNames.isEmpty)
      time.advance(by: .seconds(30))
      try await eventually("a") { site.policyNames == ["a"] }
    }
  }

  @Test("what is unmounted loses nothing, and is taken up when it is mounted again", .enabled(if: canMount))
  func unmounted() async throws {
    let site = try Site(subfolder: "folder")
    try site.folder.makeFolder("folder")
    try site.folder.makeFolder("folder/nas")
    try site.write("a.yaml", policyText("a"))
    try await site.whileApplied(site.manifests(followsMounts: true)) { manifests in
      try mountMemory(at: site.path + "/nas")
      try site.write("nas/b.yaml", policyText("b"))
      try await eventually("both") { site.policyNames == ["a", "b"] }
      #expect(umount(site.path + "/nas") == 0)
      try await eventually("the problem") { !manifests.problems.isEmpty }
      #expect(manifests.problems.first?.file == "nas")
      #expect(site.policyNames == ["a", "b"])
      try mountMemory(at: site.path + "/nas")
      try site.write("nas/c.yaml", policyText("c"))
      try await eventually("c instead of b") { site.policyNames == ["a", "c"] }
      try await eventually("no problem") { manifests.problems.isEmpty }
      #expect(umount(site.path + "/nas") == 0)
    }
  }

  private static let canMount: Bool = {
    guard let folder = try? TemporaryFolder(), (try? mountMemory(at: folder.path)) != nil else { return false }
    return umount(folder.path) == 0
  }()
}

private func mountMemory(at path: String) throws {
  guard mount("none", path, "tmpfs", 0, nil) == 0 else { throw CocoaError(.fileWriteNoPermission) }
}
