import BucketSyncAPI
import Testing

@Suite("Bucket paths")
struct BucketPathTests {
  @Test(
    "both notations give remote, bucket and canonical path",
    arguments: [
      ("data", "source:data", "data"), ("data/backups", "source:data/backups", "data"),
      ("source:data/backups", "source:data/backups", "data"), ("Source:data", "source:data", "data"),
      ("DESTINATION:data", "destination:data", "data"), ("/data//backups/", "source:data/backups", "data"),
      ("source:/data/", "source:data", "data"), ("./data/./a", "source:data/a", "data"),
      ("data/a:b", "source:data/a:b", "data"), ("data/...", "source:data/...", "data"),
      ("source:a:b/c", "source:a:b/c", "a:b"), ("data/my photos/ü", "source:data/my photos/ü", "data"),
      ("data/\u{301}x", "source:data/\u{301}x", "data"),
    ]
  )
  func parse(text: String, rclone: String, bucket: String) throws {
    let path = try BucketPath(text, field: .source)
    #expect(path.rclone == rclone)
    #expect(path.bucket == bucket)
  }

  @Test("a path without remote lies at the remote of its field")
  func ownRemote() throws {
    #expect(try BucketPath("data", field: .destination).rclone == "destination:data")
  }

  @Test(
    "what names no place is refused, with field, text and way out",
    arguments: [
      ("", "spec.source: \"\" names no bucket; write <bucket> or <bucket>/<prefix>"),
      ("//./", "spec.source: \"//./\" names no bucket; write <bucket> or <bucket>/<prefix>"),
      ("source:", "spec.source: \"source:\" names no bucket; write <bucket> or <bucket>/<prefix>"),
      (
        "data/../other",
        "spec.source: \"data/../other\" has a segment \"..\"; write the path that is meant, without it"
      ),
      ("da\nta", #"spec.source: "da\nta" has a control character; take it out"#),
      ("data\u{1b}", #"spec.source: "data\u{1B}" has a control character; take it out"#),
      (
        "garage:data",
        #"spec.source: "garage:data" names the remote "garage", but there are only "source" and "destination"; "#
          + "leave the remote out (<bucket>/<prefix>) or write source:<bucket>/<prefix>"
      ),
    ]
  )
  func refuse(text: String, message: String) {
    do throws(BucketPathError) {
      _ = try BucketPath(text, field: .source)
      Issue.record("accepted")
    } catch {
      #expect(error.description == message)
    }
  }

  @Test(
    "a connection string is refused without being repeated, since it may hold credentials",
    arguments: [":s3,secret_access_key=hunter2:data", "source,secret_access_key=hunter2:data", ":s3:data"]
  )
  func connectionString(text: String) {
    let error = #expect(throws: BucketPathError.self) { try BucketPath(text, field: .destination) }
    #expect(error?.reason == .connectionString)
    #expect(error?.description.contains("hunter2") == false)
    #expect(error?.field == "spec.destination")
  }

  @Test(
    "places overlap when they are the same or one lies in the other, whatever the remote",
    arguments: [
      ("data", "data", true), ("data", "data/a", true), ("data/a/b", "data/a", true), ("data/a", "data/b", false),
      ("data", "data2", false), ("data/a", "data/ab", false), ("data", "destination:data", true),
      ("data/a", "archive/a", false),
    ]
  )
  func overlap(source: String, destination: String, overlap: Bool) throws {
    let from = try BucketPath(source, field: .source)
    let to = try BucketPath(destination, field: .destination)
    #expect(from.overlaps(to) == overlap)
    #expect(to.overlaps(from) == overlap)
  }

  @Test("a place contains what is below it, not what is above")
  func contains() throws {
    let data = try BucketPath("data", field: .source)
    let prefix = try BucketPath("data/a", field: .source)
    #expect(data.contains(prefix))
    #expect(!prefix.contains(data))
  }
}
