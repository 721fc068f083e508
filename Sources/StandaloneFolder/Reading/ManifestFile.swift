// One file of manifests, read and taken apart.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel

/// What a file holds.
struct ManifestFile: Sendable {
  /// More is no manifest: the API server takes 1.5 MiB per object.
  static let limit = 8 << 20

  var identity: FileIdentity
  /// A digest of the text, to tell whether a touched file has changed.
  var digest: Int
  /// The objects that could be read.
  var manifests: [Manifest] = []
  var problems: [ManifestProblem] = []
  /// Whether it is known which objects the file holds. If not, none that may come from it is deleted.
  var isWhole = true
  /// The text of a file that is not whole: objects whose names are in it are not deleted, either.
  var remains: String?

  /// Whether nothing is wrong with it.
  var isGood: Bool { isWhole && problems.allSatisfy { $0.severity == .notice } }
}

extension ManifestFile {
  /// Reads a file.
  /// - Parameters:
  ///   - path: Where it is.
  ///   - name: Its path relative to the folder.
  ///   - digest: Of the text it was last read with; when it is still that one, there is no answer.
  static func read(
    _ path: String, name: String, identity: FileIdentity, unless digest: Int?, kinds: ManifestKinds
  ) -> ManifestFile? {
    var file = ManifestFile(identity: identity, digest: 0)
    do {
      let bytes = try bytes(of: path)
      file.digest = bytes.hashValue
      guard file.digest != digest else { return nil }
      guard bytes.count <= limit else {
        file.fail("is larger than \(limit >> 20) MiB; split it up", name)
        return file
      }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        file.fail("is not UTF-8 text", name)
        file.remains = String(decoding: bytes, as: UTF8.self)
        return file
      }
      file.take(text, name, kinds)
    } catch {
      file.fail("cannot be read: \(error)", name)
    }
    return file
  }

  private mutating func take(_ text: String, _ name: String, _ kinds: ManifestKinds) {
    do throws(YAMLError) {
      for document in try Self.documents(in: text, isJSON: name.hasSuffix(".json")) where !document.value.isNull {
        for item in document.items { take(item, name, kinds) }
      }
      if !isWhole { remains = text }
    } catch {
      isWhole = false
      remains = text
      problems.append(ManifestProblem(error.message, file: name, place: error.place))
    }
  }

  /// A document that is not understood leaves the file not whole; the others are taken nevertheless, as kubectl does.
  private mutating func take(_ document: YAMLDocument, _ name: String, _ kinds: ManifestKinds) {
    do {
      manifests.append(try Manifest(document, file: name, kinds: kinds))
    } catch {
      if error.severity == .error { isWhole = false }
      problems.append(error)
    }
  }

  private mutating func fail(_ message: String, _ name: String) {
    isWhole = false
    problems.append(ManifestProblem(message, file: name))
  }

  /// JSON is nearly always YAML too, which knows places; where it is not (`"\ud83d\ude00"`), JSON's own rules count.
  private static func documents(in text: String, isJSON: Bool) throws(YAMLError) -> [YAMLDocument] {
    let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    do {
      return try YAML.placedDocuments(in: text)
    } catch {
      guard isJSON, let value = try? JSON.decode(JSONValue.self, from: Data(text.utf8)) else { throw error }
      return [YAMLDocument(value: value)]
    }
  }

  private static func bytes(of path: String) throws(SystemFailure) -> [UInt8] {
    // Without waiting: nobody can stop us by putting a named pipe here just now.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .last }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= limit {
      let count = Glibc.read(file, &chunk, chunk.count)
      guard count >= 0 else { throw .last }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    return bytes
  }
}

extension YAMLDocument {
  /// The items of a list, each with its own places; a document that is no list is its only item.
  fileprivate var items: [YAMLDocument] {
    guard value["kind"].string?.hasSuffix("List") == true, let items = value["items"].array else { return [self] }
    return items.enumerated().map { index, item in
      let prefix = "items[\(index)]"
      var places: [String: YAMLPlace] = [:]
      for (path, place) in self.places where path.hasPrefix(prefix) {
        let rest = path.dropFirst(prefix.count)
        places[String(rest.first == "." ? rest.dropFirst() : rest)] = place
      }
      return YAMLDocument(value: item, places: places)
    }
  }
}
