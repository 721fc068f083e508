// References to variables in commands, arguments and values, as Kubernetes expands them:
//
//     $(NAME)     the value of NAME, or as it stands when there is no such variable
//     $$(NAME)    $(NAME), $$ being a $
//     $NAME $(N   as they stand

/// Expands references.
enum VariableExpansion {
  static func expand(_ text: [UInt8], _ value: (String) -> [UInt8]?) -> [UInt8] {
    var result: [UInt8] = []
    var rest = text[...]
    while let first = rest.popFirst() {
      guard first == UInt8(ascii: "$"), let next = rest.first else {
        result.append(first)
        continue
      }
      switch next {
      case UInt8(ascii: "$"):
        result.append(first)
        rest.removeFirst()
      case UInt8(ascii: "("):
        guard let end = rest.firstIndex(of: UInt8(ascii: ")")) else {
          result.append(first)
          continue
        }
        let name = String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)
        result += value(name) ?? Array("$(\(name))".utf8)
        rest = rest[(end + 1)...]
      default:
        result.append(first)
      }
    }
    return result
  }
}
