// PodLogs: what `GET …/pods/NAME/log` answers: the log of a pod, whether its object still exists or not.
//
//     for try await piece in try await logs.read(namespace: "default", pod: "nightly-x7k2p", options) { … }
//
// How long logs are kept after their pod is gone: LogArchive.

package import FoundationEssentials
internal import Glibc
internal import KubernetesModel
internal import OperatorRuntime

/// The query of a log request: `v1 PodLogOptions`.
package struct PodLogOptions: Sendable, Hashable {
  /// `nil`: the only one.
  package var container: String?
  /// The last lines only.
  package var tailLines: Int?
  /// No more than so many bytes.
  package var limitBytes: Int?
  /// Nothing older (`sinceTime`; `sinceSeconds` is so long before now).
  package var since: Date?
  /// Each line begins with its time.
  package var timestamps = false
  /// Go on until the container has ended.
  package var follow = false
  /// The log of the container's instance before the last restart, of which there is never one here.
  package var previous = false

  package init() {}
}

/// Why there is no log.
package enum PodLogRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// No container of a pod of that name has been started here, or its log is not kept any more: 404, or 400 while the pod
  /// exists and waits to be started.
  case nothingWritten
  /// Status 400.
  case badRequest(String)

  package var description: String {
    switch self {
    case .nothingWritten: "there is no log: the container has not been started, or its log is not kept any more"
    case .badRequest(let message): message
    }
  }
}

/// Reads the logs of pods.
package struct PodLogs: Sendable {
  private let root: String
  private let folders: FolderEvents

  /// The logs in the runner's `folder`.
  init(folder: String, events: DescriptorEvents) throws(SystemFailure) {
    root = folder
    folders = try FolderEvents(.writing, events: events)
  }

  /// The log of the latest pod of this name, or of the one with this UID.
  /// - Throws: ``PodLogRefusal``.
  package func read(
    namespace: String, pod name: String, uid: String? = nil, _ options: PodLogOptions = PodLogOptions()
  ) async throws(PodLogRefusal) -> PodLogStream {
    let root = root
    let found = await blocking {
      PodFolder.all(root: root, namespace: namespace, name: name)
        .compactMap { folder in folder.identity().map { (folder, $0) } }
        .filter { uid == nil || $0.1.uid == uid }
        .max { $0.1.acceptedAt < $1.1.acceptedAt }
    }
    guard let (folder, identity) = found else { throw .nothingWritten }
    if let container = options.container, container != identity.container {
      throw .badRequest("container \(container) is not valid for pod \(name)")
    }
    if options.previous {
      throw .badRequest("previous terminated container \"\(identity.container)\" in pod \"\(name)\" not found")
    }
    let reader = await blocking { LogReader(folder.log(of: identity.container), options) }
    let isChanged = Signal()
    let listening = options.follow ? try? folders.listen(folder.path) { isChanged.raise() } : nil
    return PodLogStream(
      folder: folder, reader: reader, isChanged: listening == nil ? nil : isChanged, listening: listening)
  }
}

/// The bytes of a log as they are read, or written. Read once, by one task.
package struct PodLogStream: AsyncSequence, Sendable {
  package typealias Element = Data
  package typealias Failure = any Error

  fileprivate let folder: PodFolder
  fileprivate let reader: LogReader
  /// `nil`: what is there now is all.
  fileprivate let isChanged: Signal?
  fileprivate let listening: FolderEvents.Listening?

  package func makeAsyncIterator() -> Iterator { Iterator(stream: self, reader: reader) }

  package struct Iterator: AsyncIteratorProtocol {
    private let stream: PodLogStream
    private var reader: LogReader

    fileprivate init(stream: PodLogStream, reader: LogReader) {
      self.stream = stream
      self.reader = reader
    }

    /// - Throws: `CancellationError`.
    package mutating func next() async throws -> Data? {
      while true {
        stream.isChanged?.lower()
        let (present, folder) = (reader, stream.folder)
        // Whether it is over is asked first: what is written before that is read in any case.
        let (next, piece, isOver) = await blocking {
          var reader = present
          let isOver = folder.ended() != nil || access(folder.path, F_OK) != 0
          let piece = reader.next()
          return (reader, piece, isOver)
        }
        reader = next
        if let piece { return piece }
        guard let isChanged = stream.isChanged, !isOver, !reader.isFull else { return nil }
        try await isChanged.wait()
      }
    }
  }
}
