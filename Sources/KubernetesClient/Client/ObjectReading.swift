// Reading objects one by one, so that one that cannot be read keeps no other from being read.
//
// What is in order is decoded in one go. Only where that fails is the answer cut into its objects, each of which is
// then read, or reported with its metadata and the field that is wrong. What stands for an object that cannot be read
// is its type's business: KubernetesObject.remains.

import FoundationEssentials
package import KubernetesModel

/// One object, or what is known of one that cannot be read.
package enum ObjectReading<Form: Sendable>: Sendable {
  case whole(Form)
  case unreadable(UnreadableObject)

  /// Reads the object whose bytes are `slice`.
  init(_ slice: JSONSlice, of type: ResourceType, as form: Form.Type) where Form: Decodable {
    do {
      self = .whole(try slice.decoded(as: form))
    } catch {
      let tooDeep = slice.tooDeepPlace.map {
        "\($0.isEmpty ? "it" : $0) is nested more than \(JSONSlice.depthLimit) levels deep"
      }
      self = .unreadable(
        UnreadableObject(resource: type, metadata: ObjectMeta(remainsOf: slice), problem: tooDeep ?? explain(error)))
    }
  }
}

extension ObjectReading: Equatable where Form: Equatable {}

/// One page of a list as it comes over the wire. `items` can be `null`.
struct ListPage<Form: Decodable & Sendable> {
  struct Metadata: Decodable {
    var resourceVersion: String?
    var `continue`: String?
  }

  private struct Whole: Decodable {
    var metadata: Metadata
    var items: [Form]?
  }

  var metadata: Metadata
  var items: [ObjectReading<Form>]

  /// Reads a page of objects of `type`.
  /// - Throws: `DecodingError` when this is no list.
  init(_ data: Data, of type: ResourceType) throws {
    do {
      let whole = try JSON.decode(Whole.self, from: data)
      metadata = whole.metadata
      items = (whole.items ?? []).map { .whole($0) }
    } catch {
      let slice = JSONSlice(data)
      guard let header = slice["metadata"], let elements = slice["items"]?.elements else { throw error }
      metadata = try header.decoded(as: Metadata.self)
      items = elements.map { ObjectReading($0, of: type, as: Form.self) }
    }
  }
}

extension WatchEvent {
  /// Reads the line of a watch.
  /// - Throws: `DecodingError` when it tells of no object.
  init(line: Data) throws {
    do {
      self = try JSON.decode(WatchEvent<O>.self, from: line)
    } catch {
      let slice = JSONSlice(line)
      guard let type = try? slice["type"]?.decoded(as: String.self), ["ADDED", "MODIFIED", "DELETED"].contains(type),
        let object = slice["object"], object.members != nil
      else { throw error }
      switch (type, ObjectReading(object, of: O.resource, as: O.self)) {
      case ("ADDED", .whole(let object)): self = .added(object)
      case ("MODIFIED", .whole(let object)): self = .modified(object)
      case ("DELETED", .whole(let object)): self = .deleted(object)
      case (_, .unreadable(let object)): self = .unreadable(object, isDeleted: type == "DELETED")
      default: throw error
      }
    }
  }
}
