import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import Testing

/// What we tell people to apply can be applied. The first two are the specification's own manifests.
@Suite("Example manifests on a real API server", .enabled(if: Cluster.isEnabled))
struct ExampleManifestsTests {
  static let files = [
    "garage-to-s3.yaml", "daily-backup.yaml", "minio.yaml", "manual-run.yaml", "aws-s3.yaml", "azure-blob.yaml",
    "backblaze-b2.yaml", "garage.yaml", "google-cloud-storage.yaml", "sftp.yaml",
  ]

  @Test("every example is listed here, so that none goes untested")
  func complete() throws {
    let found = try FileManager.default.contentsOfDirectory(atPath: CustomResources.examples.path)
    #expect(Set(found.filter { $0.hasSuffix(".yaml") }) == Set(Self.files))
  }

  @Test("the server accepts the example, prunes nothing, and the controller finds no problem in it", arguments: files)
  func accepted(file: String) async throws {
    try await CustomResources.install()
    let path = CustomResources.examples.appending(path: file).path
    let written = try await Kubectl.objects("create", "--dry-run=client", "--filename=\(path)")
    let tried = try await Kubectl.objects("create", "--dry-run=server", "--filename=\(path)")
    #expect(tried.map(\.["kind"]) == written.map(\.["kind"]))
    #expect(tried.contains { $0["kind"].string?.hasPrefix("BucketSync") == true })
    for (written, tried) in zip(written, tried) where written["kind"].string?.hasPrefix("BucketSync") == true {
      #expect(tried["spec"] == written["spec"])
      let problems =
        tried["kind"] == "BucketSync"
        ? SpecValidation.problems(in: try tried.decoded(as: BucketSync.self).spec)
        : SpecValidation.problems(in: try tried.decoded(as: BucketSyncPolicy.self).spec)
      #expect(problems == [])
    }
  }
}
