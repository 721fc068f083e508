// The logs that the job runner keeps, as the API serves them.

internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import StandaloneAPI
internal import StandaloneJobs

/// Reads the logs of local pods.
struct StandaloneLogs: ContainerLogs {
  let logs: PodLogs
  let time: any TimeSource

  func log(_ request: ContainerLogRequest) async -> APIStream {
    var options = PodLogOptions()
    options.container = request.container
    options.tailLines = request.tailLines
    options.limitBytes = request.limitBytes
    options.since = request.sinceSeconds.map { time.now.addingTimeInterval(-Double($0)) }
    options.timestamps = request.timestamps
    options.follow = request.follow
    options.previous = request.previous
    do {
      let stream = try await logs.read(
        namespace: request.namespace, pod: request.pod, uid: request.uid.isEmpty ? nil : request.uid, options)
      return APIStream(statusCode: 200, headers: ["content-type": "text/plain; charset=utf-8"], body: stream)
    } catch {
      return .refusal(400, "BadRequest", "\(error)")
    }
  }
}
