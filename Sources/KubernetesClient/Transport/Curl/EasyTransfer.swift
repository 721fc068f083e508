// One libcurl easy handle: set up from a request, feeding its Transfer. Lives on the engine's thread.

import CCurl
import FoundationEssentials

/// An easy handle and what has to live as long as it.
final class EasyTransfer {
  let handle: UnsafeMutableRawPointer
  let transfer: Transfer
  let begin = ContinuousClock.now
  /// When the server was last heard of here.
  private(set) var lastArrival: ContinuousClock.Instant?

  private var headers: UnsafeMutablePointer<curl_slist>?
  private var connectTo: UnsafeMutablePointer<curl_slist>?
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private var head: ResponseHead?
  private var bytesSent = 0
  private var isTooLarge = false

  /// A handle ready to be added to a multi handle; `nil` when there is no memory, or libcurl is too old.
  init?(_ transfer: Transfer, sockets: OpenSockets) {
    guard let handle = curl_easy_init() else { return nil }
    self.handle = handle
    self.transfer = transfer
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    guard setUp(sockets) else { return nil }
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(headers)
    curl_slist_free_all(connectTo)
    errorText.deallocate()
  }

  /// The transfer behind a handle.
  static func of(_ handle: UnsafeMutableRawPointer) -> EasyTransfer? {
    var context: UnsafeMutableRawPointer?
    guard curl_getinfo_pointer(handle, CURLINFO_PRIVATE, &context) == CURLE_OK, let context else { return nil }
    return Unmanaged<EasyTransfer>.fromOpaque(context).takeUnretainedValue()
  }
}

// MARK: - Setting up

extension EasyTransfer {
  private func setUp(_ sockets: OpenSockets) -> Bool {
    let request = transfer.request
    let context = Unmanaged.passUnretained(self).toOpaque()
    var options = EasyOptions(handle: handle)
    options.set(CURLOPT_PRIVATE, context)
    options.set(CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(errorText))
    options.set(CURLOPT_NOSIGNAL, 1)
    options.set(CURLOPT_PROTOCOLS_STR, "http,https")
    options.set(CURLOPT_URL, request.url)
    options.set(CURLOPT_PATH_AS_IS, 1)
    options.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    for header in request.headers { headers = curl_slist_append(headers, header) ?? headers }
    options.set(CURLOPT_HTTPHEADER, headers)
    if let route = request.connection.connectTo {
      connectTo = curl_slist_append(nil, route)
      options.set(CURLOPT_CONNECT_TO, connectTo)
    }
    options.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
    // Rather share a connection that is being made than make another one.
    options.set(CURLOPT_PIPEWAIT, 1)
    options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    options.set(CURLOPT_CONNECTTIMEOUT_MS, 5000)
    options.set(CURLOPT_TIMEOUT_MS, Int(clamping: request.timeout?.milliseconds ?? 0))
    request.connection.apply(to: &options)
    request.clientCertificate?.apply(to: &options)
    sockets.apply(to: &options)
    setUpCallbacks(&options, context)
    return options.result == CURLE_OK
  }

  private func setUpCallbacks(_ options: inout EasyOptions, _ context: UnsafeMutableRawPointer) {
    options.set(CURLOPT_HEADERDATA, context)
    options.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      guard let transfer = EasyTransfer.from(context), let bytes else { return 0 }
      transfer.receive(headerLine: UnsafeRawBufferPointer(start: bytes, count: size * count))
      return size * count
    }
    options.set(CURLOPT_WRITEDATA, context)
    options.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      guard let transfer = EasyTransfer.from(context), let bytes else { return 0 }
      return transfer.receive(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    if let body = transfer.request.body {
      // A read function that cannot seek, on purpose: libcurl repeats a request by itself when a reused connection
      // dies before the answer, and only that keeps it from applying a write twice behind our back.
      options.set(CURLOPT_POST, 1)
      options.set(CURLOPT_POSTFIELDSIZE_LARGE, offset: body.count)
      options.set(CURLOPT_READDATA, context)
      options.set(CURLOPT_READFUNCTION) { bytes, size, count, context in
        guard let transfer = EasyTransfer.from(context), let bytes else { return Int(CURL_READFUNC_ABORT) }
        return transfer.send(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
      }
    }
  }
}

// MARK: - Callbacks

extension EasyTransfer {
  private static func from(_ context: UnsafeMutableRawPointer?) -> EasyTransfer? {
    context.map { Unmanaged<EasyTransfer>.fromOpaque($0).takeUnretainedValue() }
  }

  private func receive(headerLine bytes: UnsafeRawBufferPointer) {
    lastArrival = .now
    let line = String(decoding: bytes, as: UTF8.self).trimmed
    if line.hasPrefix("HTTP/") {
      let code = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      head = ResponseHead(statusCode: code, headers: [:])
    } else if line.isEmpty {
      // Heads of the 1xx kind come before the real one; lines after the body are trailers.
      if let head, head.statusCode >= 200 { transfer.receive(head: head) }
      head = nil
    } else if let colon = line.firstIndex(of: ":") {
      head?.headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...]).trimmed
    }
  }

  private func receive(body bytes: UnsafeRawBufferPointer) -> Int {
    lastArrival = .now
    switch transfer.receive(bytes) {
    case .taken: return bytes.count
    case .pause: return Int(CURL_WRITEFUNC_PAUSE)
    case .tooLarge:
      isTooLarge = true
      return 0
    }
  }

  private func send(into space: UnsafeMutableRawBufferPointer) -> Int {
    guard let body = transfer.request.body else { return 0 }
    let piece = body.dropFirst(bytesSent).prefix(space.count)
    piece.copyBytes(to: space)
    bytesSent += piece.count
    return piece.count
  }
}

// MARK: - Results

extension EasyTransfer {
  /// What libcurl's result code means for the request.
  func outcome(of code: CURLcode) -> Result<Void, TransportError> {
    guard code != CURLE_OK else { return .success(()) }
    guard !isTooLarge else { return .failure(error(.noAnswer, "the answer is too large")) }
    var requestBytes = 0
    curl_getinfo_long(handle, CURLINFO_REQUEST_SIZE, &requestBytes)
    let text = errorText[0] == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: errorText)
    let kind: TransportError.Kind =
      if requestBytes == 0 { .notSent } else if code == CURLE_OPERATION_TIMEDOUT { .timedOut } else { .noAnswer }
    return .failure(error(kind, text))
  }

  func error(_ kind: TransportError.Kind, _ text: String) -> TransportError {
    TransportError(kind, "\(transfer.request.connection.server): \(text)")
  }
}
