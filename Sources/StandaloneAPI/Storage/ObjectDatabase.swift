// What is stored, and how: every object as the JSON that it is served as, and the last changes of all of them, which
// watches go on from.
//
//     objects  resource, namespace, name → revision, uid, body
//     owners   uid of an owner → the objects that refer to it
//     changes  revision → kind, resource, namespace, name, body, previous body
//     numbers  'revision' of the last change, 'compacted' the last one that was forgotten
//
// One write is one transaction, which is on disk when it returns (write-ahead log, synchronous FULL): neither a kill nor
// a loss of power takes back what was acknowledged.

import FoundationEssentials

/// The place of an object.
package struct ObjectAddress: Sendable, Hashable, Comparable {
  /// Plural and group, `jobs.batch`; `configmaps` in the core group.
  package var resource: String
  /// Empty for objects that lie in no namespace.
  package var namespace: String
  package var name: String

  package static func < (left: ObjectAddress, right: ObjectAddress) -> Bool {
    (left.resource, left.namespace, left.name) < (right.resource, right.namespace, right.name)
  }
}

/// A change of an object, as watches tell of it.
struct StoredChange: Sendable {
  enum Kind: String, Sendable { case added = "ADDED", modified = "MODIFIED", deleted = "DELETED" }

  var kind: Kind
  var revision: Int64
  var address: ObjectAddress
  /// As it now is, or last was.
  var body: Data
  /// As it was before.
  var previous: Data?
}

/// The objects of one API server.
struct ObjectDatabase {
  /// How many of the last changes are remembered at least.
  private static let historyLimit: Int64 = 4096
  private static let layout: Int64 = 1

  private let connection: SQLiteConnection
  private(set) var revision: Int64
  private(set) var compacted: Int64

  /// Opens or makes the database in `file`, `:memory:` for a passing one.
  init(file: String) throws(SQLiteError) {
    connection = try SQLiteConnection(file: file)
    // Nobody else has business in the file; that also spares a file of shared memory.
    try connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    try connection.execute("PRAGMA journal_mode = WAL")
    try connection.execute("PRAGMA synchronous = FULL")
    let version = try connection.run("PRAGMA user_version").first?.first
    guard version == .integer(0) || version == .integer(Self.layout) else {
      throw SQLiteError(code: 0, description: "it was written by a newer version of this program")
    }
    try connection.execute(
      """
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS objects (
        resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
      CREATE UNIQUE INDEX IF NOT EXISTS objects_by_uid ON objects (uid);
      CREATE TABLE IF NOT EXISTS owners (
        uid TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
        PRIMARY KEY (uid, resource, namespace, name)) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS owners_by_object ON owners (resource, namespace, name);
      CREATE TABLE IF NOT EXISTS changes (
        revision INTEGER PRIMARY KEY, kind TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL,
        name TEXT NOT NULL, body BLOB NOT NULL, previous BLOB);
      CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      INSERT OR IGNORE INTO numbers VALUES ('revision', 1), ('compacted', 0);
      PRAGMA user_version = \(Self.layout);
      COMMIT;
      """)
    var numbers: [SQLiteValue: Int64] = [:]
    for row in try connection.run("SELECT name, value FROM numbers") { numbers[row[0]] = row[1].integer }
    revision = numbers[.text("revision")] ?? 1
    compacted = numbers[.text("compacted")] ?? 0
  }

  /// What is wrong with the file; `nil` if it is sound.
  func damage() throws(SQLiteError) -> String? {
    let rows = try connection.run("PRAGMA quick_check(1)")
    return rows.first?.first == .text("ok") ? nil : rows.first?.first?.text ?? "unreadable"
  }

  /// Lets the file grow to so many pages (of 4096 bytes) and no further.
  func limitPages(to count: Int) throws(SQLiteError) { try connection.run("PRAGMA max_page_count = \(count)") }

  // MARK: Reading

  func body(_ address: ObjectAddress) throws(SQLiteError) -> Data? {
    try connection.run(
      "SELECT body FROM objects WHERE resource = ? AND namespace = ? AND name = ?", .text(address.resource),
      .text(address.namespace), .text(address.name)
    ).first?.first?.blob
  }

  /// The bodies of all objects of a resource, in one namespace or in all, in the order of their addresses.
  func bodies(_ resource: String, namespace: String?) throws(SQLiteError) -> [Data] {
    let rows =
      if let namespace {
        try connection.run(
          "SELECT body FROM objects WHERE resource = ? AND namespace = ? ORDER BY name", .text(resource),
          .text(namespace))
      } else {
        try connection.run(
          "SELECT body FROM objects WHERE resource = ? ORDER BY namespace, name", .text(resource))
      }
    return rows.compactMap { $0.first?.blob }
  }

  /// Everything in a namespace.
  func contents(ofNamespace namespace: String) throws(SQLiteError) -> [ObjectAddress] {
    try connection.run("SELECT resource, namespace, name FROM objects WHERE namespace = ?", .text(namespace))
      .map(ObjectAddress.init(row:))
  }

  /// The object with this UID.
  func address(uid: String) throws(SQLiteError) -> ObjectAddress? {
    try connection.run("SELECT resource, namespace, name FROM objects WHERE uid = ?", .text(uid)).first
      .map(ObjectAddress.init(row:))
  }

  /// The objects that refer to an owner with this UID.
  func dependents(ofUID uid: String) throws(SQLiteError) -> [ObjectAddress] {
    try connection.run("SELECT resource, namespace, name FROM owners WHERE uid = ?", .text(uid))
      .map(ObjectAddress.init(row:))
  }

  /// All objects that refer to owners.
  func owned() throws(SQLiteError) -> [ObjectAddress] {
    try connection.run("SELECT DISTINCT resource, namespace, name FROM owners").map(ObjectAddress.init(row:))
  }

  /// The changes of a resource after `revision`, oldest first.
  func changes(_ resource: String, after revision: Int64) throws(SQLiteError) -> [StoredChange] {
    try connection.run(
      """
      SELECT kind, revision, resource, namespace, name, body, previous FROM changes
      WHERE revision > ? AND resource = ? ORDER BY revision
      """, .integer(revision), .text(resource)
    ).compactMap { row in
      guard let kind = row[0].text.flatMap(StoredChange.Kind.init), let revision = row[1].integer,
        let body = row[5].blob
      else { return nil }
      return StoredChange(
        kind: kind, revision: revision, address: ObjectAddress(row: Array(row[2...4])), body: body,
        previous: row[6].blob)
    }
  }

  // MARK: Writing

  /// Runs `body` in a transaction; when it throws, everything is as it was.
  mutating func transaction<Result, Failure: Error>(
    orFail failure: (SQLiteError) -> Failure, _ body: (inout ObjectDatabase) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let before = (revision, compacted)
    do throws(Failure) {
      return try connection.transaction(orFail: failure) { () throws(Failure) -> Result in try body(&self) }
    } catch {
      (revision, compacted) = before
      throw error
    }
  }

  /// Stores an object's body, which carries the revision that ``nextRevision`` gave, and remembers the change.
  /// Only within a transaction.
  mutating func put(
    _ address: ObjectAddress, uid: String, owners: [String], body: Data, previous: Data?
  ) throws(SQLiteError) -> StoredChange {
    try connection.run(
      "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", .text(address.resource), .text(address.namespace),
      .text(address.name), .text(uid), .blob(body))
    try forgetOwners(of: address)
    for owner in owners {
      try connection.run(
        "INSERT OR IGNORE INTO owners VALUES (?, ?, ?, ?)", .text(owner), .text(address.resource),
        .text(address.namespace), .text(address.name))
    }
    return try remember(previous == nil ? .added : .modified, address, body: body, previous: previous)
  }

  /// Removes an object, of which `body` is what watches are told. Only within a transaction.
  mutating func remove(_ address: ObjectAddress, body: Data, previous: Data) throws(SQLiteError) -> StoredChange {
    try connection.run(
      "DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?", .text(address.resource),
      .text(address.namespace), .text(address.name))
    try forgetOwners(of: address)
    return try remember(.deleted, address, body: body, previous: previous)
  }

  /// The revision that the next change will have.
  var nextRevision: Int64 { revision + 1 }

  /// Forgets the changes up to `revision`: watches cannot go on from before it.
  mutating func compact(to revision: Int64) throws(SQLiteError) {
    try connection.run("DELETE FROM changes WHERE revision <= ?", .integer(revision))
    try connection.run("UPDATE numbers SET value = ? WHERE name = 'compacted'", .integer(revision))
    compacted = revision
  }

  private mutating func remember(
    _ kind: StoredChange.Kind, _ address: ObjectAddress, body: Data, previous: Data?
  ) throws(SQLiteError) -> StoredChange {
    revision += 1
    try connection.run(
      "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)", .integer(revision), .text(kind.rawValue),
      .text(address.resource), .text(address.namespace), .text(address.name), .blob(body),
      previous.map { .blob($0) } ?? .null)
    try connection.run("UPDATE numbers SET value = ? WHERE name = 'revision'", .integer(revision))
    // Seldom and many at once rather than one with each change.
    if revision - compacted > 2 * Self.historyLimit { try compact(to: revision - Self.historyLimit) }
    return StoredChange(kind: kind, revision: revision, address: address, body: body, previous: previous)
  }

  private func forgetOwners(of address: ObjectAddress) throws(SQLiteError) {
    try connection.run(
      "DELETE FROM owners WHERE resource = ? AND namespace = ? AND name = ?", .text(address.resource),
      .text(address.namespace), .text(address.name))
  }
}

extension ObjectAddress {
  fileprivate init(row: [SQLiteValue]) {
    self.init(resource: row[0].text ?? "", namespace: row[1].text ?? "", name: row[2].text ?? "")
  }
}

extension SQLiteValue {
  fileprivate var integer: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  fileprivate var text: String? {
    if case .text(let value) = self { value } else { nil }
  }

  fileprivate var blob: Data? {
    if case .blob(let value) = self { value } else { nil }
  }
}
