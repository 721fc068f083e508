// What somebody may have meant who misspelt a name.

enum NearNames {
  /// `, did you mean nightly?`, or nothing.
  static func suggestion(for name: String, among names: [String]) -> String {
    let limit = max(1, name.count / 3)
    let near = Set(names).map { (distance(name, $0), $0) }
      .filter { $0.0 <= limit || (name.count >= 3 && $0.1.hasPrefix(name)) }
      .sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(3).map(\.1)
    return near.isEmpty ? "" : ", did you mean \(near.joined(separator: " or "))?"
  }

  /// How many letters have to be put in, taken out or exchanged.
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
      var previous = row[0]
      row[0] = index + 1
      for column in right.indices {
        let cost = min(row[column] + 1, row[column + 1] + 1, previous + (letter == right[column] ? 0 : 1))
        previous = row[column + 1]
        row[column + 1] = cost
      }
    }
    return row.last ?? 0
  }
}
