// What a real cluster (1.20, with rclone 1.75) said about Jobs that this plugin had built, one file a case, cut down
// to what is read.

import BucketSyncCore
import FoundationEssentials
import KubernetesModel
import RcloneJob

struct Fixture: Decodable {
  var job: Job
  var pods: [Pod]

  init(_ name: String) throws {
    let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    let text = try String(contentsOfFile: "/\(folder)/Fixtures/\(name).json", encoding: .utf8)
    self = try JSON.decode(Fixture.self, from: Data(text.utf8))
  }

  /// As the plugin sees it.
  var assessment: JobAssessment { RcloneJob(image: "rclone", imagePullPolicy: nil).assess(job, pods: pods) }
}
