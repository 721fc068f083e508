// Setting options of an easy handle, remembering the first failure.

import CCurl
import FoundationEssentials

/// The options of a handle that is being set up.
struct EasyOptions {
  let handle: UnsafeMutableRawPointer
  /// The first failure, or success.
  private(set) var result = CURLE_OK

  init(handle: UnsafeMutableRawPointer) { self.handle = handle }

  mutating func set(_ option: CURLoption, _ value: Int) {
    note(curl_setopt_long(handle, option, value))
  }

  mutating func set(_ option: CURLoption, offset value: Int) {
    note(curl_setopt_offset(handle, option, curl_off_t(value)))
  }

  mutating func set(_ option: CURLoption, _ value: String?) {
    note(curl_setopt_string(handle, option, value))
  }

  mutating func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer) {
    note(curl_setopt_pointer(handle, option, value))
  }

  mutating func set(_ option: CURLoption, _ value: UnsafeMutablePointer<curl_slist>?) {
    note(curl_setopt_list(handle, option, value))
  }

  mutating func set(_ option: CURLoption, _ value: Data) {
    note(value.withUnsafeBytes { curl_setopt_blob(handle, option, $0.baseAddress, $0.count) })
  }

  mutating func set(_ option: CURLoption, _ callback: curl_data_callback) {
    note(curl_setopt_data_callback(handle, option, callback))
  }

  mutating func setSocketCallback(_ callback: curl_sockopt_callback) {
    note(curl_setopt_socket_callback(handle, callback))
  }

  mutating func setCloseCallback(_ callback: curl_closesocket_callback) {
    note(curl_setopt_close_callback(handle, callback))
  }

  private mutating func note(_ code: CURLcode) {
    if result == CURLE_OK { result = code }
  }
}
