// The thinnest layer over SQLite that the storage needs: statements with values, rows, transactions. What is stored, and
// how, is ObjectDatabase's business.

import CSQLite
import FoundationEssentials

/// What SQLite reported.
package struct SQLiteError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The primary result code, `SQLITE_FULL`.
  package var code: Int32
  package var description: String

  /// The medium is full, or may not be written to, or failed: nothing was stored, and trying again may help.
  package var isStorageTrouble: Bool { [SQLITE_FULL, SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN].contains(code) }
  /// Another process has the database.
  package var isBusy: Bool { [SQLITE_BUSY, SQLITE_LOCKED].contains(code) }
  /// What a check of a database has found.
  static func damaged(_ what: String) -> SQLiteError { SQLiteError(code: SQLITE_CORRUPT, description: what) }

  /// The file is no database, or a damaged one.
  package var isCorrupt: Bool { [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code) }
}

/// A value of a column or a parameter.
enum SQLiteValue: Sendable, Hashable {
  case integer(Int64)
  case text(String)
  case blob(Data)
  case null
}

/// One connection to a database. Used by one thread at a time, which is for its owner to see to.
final class SQLiteConnection {
  private let handle: OpaquePointer
  private var statements: [String: OpaquePointer] = [:]

  /// Opens the database in `file`, `:memory:` for one that lives as long as the connection.
  init(file: String) throws(SQLiteError) {
    var handle: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let result = sqlite3_open_v2(file, &handle, flags, nil)
    guard let handle else { throw SQLiteError(code: SQLITE_NOMEM, description: "out of memory") }
    guard result == SQLITE_OK else {
      defer { sqlite3_close_v2(handle) }
      throw SQLiteError(handle)
    }
    self.handle = handle
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  /// Runs statements without parameters and results.
  func execute(_ sql: String) throws(SQLiteError) {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw SQLiteError(handle) }
  }

  /// Runs one statement and returns its rows. Statements are compiled once.
  @discardableResult
  func run(_ sql: String, _ parameters: SQLiteValue...) throws(SQLiteError) -> [[SQLiteValue]] {
    let statement = try compiled(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    for (index, parameter) in parameters.enumerated() {
      guard bind(parameter, to: statement, at: Int32(index + 1)) == SQLITE_OK else { throw SQLiteError(handle) }
    }
    var rows: [[SQLiteValue]] = []
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: rows.append((0..<sqlite3_column_count(statement)).map { value(of: statement, at: $0) })
      case SQLITE_DONE: return rows
      default: throw SQLiteError(handle)
      }
    }
  }

  /// Runs `body` in a transaction: all of its changes are on disk when this returns, and none if it throws.
  func transaction<Result, Failure: Error>(
    orFail failure: (SQLiteError) -> Failure, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    do { try execute("BEGIN IMMEDIATE") } catch { throw failure(error) }
    do throws(Failure) {
      let result = try body()
      do { try execute("COMMIT") } catch { throw failure(error) }
      return result
    } catch {
      // A failed commit, or a full disk, may have rolled back already.
      if sqlite3_get_autocommit(handle) == 0 { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
      throw error
    }
  }

  private func compiled(_ sql: String) throws(SQLiteError) -> OpaquePointer {
    if let statement = statements[sql] { return statement }
    var statement: OpaquePointer?
    guard sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil) == SQLITE_OK,
      let statement
    else { throw SQLiteError(handle) }
    statements[sql] = statement
    return statement
  }

  private func bind(_ value: SQLiteValue, to statement: OpaquePointer, at index: Int32) -> Int32 {
    // SQLite copies texts and blobs at once: SQLITE_TRANSIENT, a macro that Swift does not import.
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    return switch value {
    case .integer(let number): sqlite3_bind_int64(statement, index, number)
    case .text(let text): sqlite3_bind_text(statement, index, text, -1, transient)
    case .blob(let data):
      data.withUnsafeBytes { sqlite3_bind_blob64(statement, index, $0.baseAddress, UInt64($0.count), transient) }
    case .null: sqlite3_bind_null(statement, index)
    }
  }

  private func value(of statement: OpaquePointer, at column: Int32) -> SQLiteValue {
    switch sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
    case SQLITE_TEXT: return .text(sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "")
    case SQLITE_BLOB:
      let count = Int(sqlite3_column_bytes(statement, column))
      return .blob(sqlite3_column_blob(statement, column).map { Data(bytes: $0, count: count) } ?? Data())
    default: return .null
    }
  }
}

extension SQLiteError {
  fileprivate init(_ handle: OpaquePointer) {
    // Primary codes are in the low byte of extended ones.
    code = sqlite3_errcode(handle) & 0xff
    description = "\(String(cString: sqlite3_errmsg(handle))) (SQLite error \(sqlite3_extended_errcode(handle)))"
  }
}
