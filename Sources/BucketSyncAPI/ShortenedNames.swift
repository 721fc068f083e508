// How names that would grow too long are cut.

public import KubernetesModel

extension Naming {
  /// `name` if it has at most `limit` characters, else its beginning, `-` and a hash of the whole name: different
  /// names stay different, and the same name is always cut the same way.
  public static func shortened(_ name: String, limit: Int = labelLimit) -> String {
    guard name.utf8.count > limit else { return name }
    let hash = StableHash.text(name)
    var beginning = Substring(name)
    while beginning.utf8.count > max(0, limit - hash.count - 1) || beginning.last == "-" || beginning.last == "." {
      beginning.removeLast()
    }
    return beginning.isEmpty ? String(hash.prefix(max(0, limit))) : "\(beginning)-\(hash)"
  }
}
