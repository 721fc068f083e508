// JSON patches, RFC 6902: operations in order, all or none, at places that JSON pointers (RFC 6901) name.

import KubernetesModel

/// The steps of a JSON patch.
struct JSONPatch: Sendable {
  private enum Verb: String {
    case add, remove, replace, move, copy, test
  }

  /// Why a patch cannot be applied, in the words of kube-apiserver's library.
  struct Failure: Error {
    var message: String
  }

  private let steps: [JSONValue]

  /// - Throws: ``Failure`` when `json` is no patch.
  init(_ json: JSONValue) throws(Failure) {
    guard let steps = json.array else { throw Failure(message: "a JSON patch is an array of operations") }
    self.steps = steps
  }

  /// `document` after all steps.
  func applied(to document: JSONValue) throws(Failure) -> JSONValue {
    var result = document
    for step in steps {
      guard let verb = step["op"].string.flatMap(Verb.init) else {
        throw Failure(message: "unknown operation \(step["op"].shown)")
      }
      let path = try Self.parts(step["path"])
      switch verb {
      case .add: result = try result.adding(step["value"], at: path[...])
      case .replace:
        _ = try result.value(at: path[...])
        result = try result.removing(at: path[...]).adding(step["value"], at: path[...])
      case .remove: result = try result.removing(at: path[...])
      case .test:
        guard try result.value(at: path[...]) == step["value"] else {
          throw Failure(message: "testing value \(step["path"].string ?? "") failed: test failed")
        }
      case .copy: result = try result.adding(result.value(at: Self.parts(step["from"])[...]), at: path[...])
      case .move:
        let from = try Self.parts(step["from"])
        let value = try result.value(at: from[...])
        result = try result.removing(at: from[...]).adding(value, at: path[...])
      }
    }
    return result
  }

  private static func parts(_ pointer: JSONValue) throws(Failure) -> [String] {
    guard let text = pointer.string, text.isEmpty || text.hasPrefix("/") else {
      throw Failure(message: "\(pointer.shown) is no JSON pointer")
    }
    return text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
      String($0).replacing("~1", with: "/").replacing("~0", with: "~")
    }
  }
}

extension JSONValue {
  fileprivate func value(at path: ArraySlice<String>) throws(JSONPatch.Failure) -> JSONValue {
    guard let part = path.first else { return self }
    let rest = path.dropFirst()
    switch self {
    case .object(let members):
      guard let member = members[part] else { throw missing(part) }
      return try member.value(at: rest)
    case .array(let elements):
      return try elements[index(part, below: elements.count)].value(at: rest)
    default: throw missing(part)
    }
  }

  fileprivate func adding(_ value: JSONValue, at path: ArraySlice<String>) throws(JSONPatch.Failure) -> JSONValue {
    guard let part = path.first else { return value }
    let rest = path.dropFirst()
    switch self {
    case .object(var members):
      if rest.isEmpty {
        members[part] = value
      } else {
        guard let member = members[part] else { throw missing(part) }
        members[part] = try member.adding(value, at: rest)
      }
      return .object(members)
    case .array(var elements):
      if rest.isEmpty {
        elements.insert(value, at: part == "-" ? elements.count : try index(part, below: elements.count + 1))
      } else {
        let index = try index(part, below: elements.count)
        elements[index] = try elements[index].adding(value, at: rest)
      }
      return .array(elements)
    default: throw missing(part)
    }
  }

  fileprivate func removing(at path: ArraySlice<String>) throws(JSONPatch.Failure) -> JSONValue {
    guard let part = path.first else { return .null }
    let rest = path.dropFirst()
    switch self {
    case .object(var members):
      guard let member = members.removeValue(forKey: part) else { throw missing(part) }
      if !rest.isEmpty { members[part] = try member.removing(at: rest) }
      return .object(members)
    case .array(var elements):
      let index = try index(part, below: elements.count)
      if rest.isEmpty { elements.remove(at: index) } else { elements[index] = try elements[index].removing(at: rest) }
      return .array(elements)
    default: throw missing(part)
    }
  }

  private func index(_ part: String, below limit: Int) throws(JSONPatch.Failure) -> Int {
    guard let index = Int(part), (0..<limit).contains(index) else {
      throw JSONPatch.Failure(message: "there is no element \(part)")
    }
    return index
  }

  private func missing(_ part: String) -> JSONPatch.Failure {
    JSONPatch.Failure(message: "there is no member \"\(part)\"")
  }
}
