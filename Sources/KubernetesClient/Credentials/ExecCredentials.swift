// When a credential plugin is run: once for everybody who waits, again shortly before expiry, and after a 401.

import KubernetesModel

/// The credentials of a plugin.
actor ExecCredentials: CredentialSource {
  /// So much time before expiry a credential counts as expired: requests take time, and clocks differ.
  private static let margin: Int64 = 10

  private let plugin: ExecPlugin
  private let time: any TimeSource
  private var latest: ExecPlugin.Answer?
  private var running: Task<ExecPlugin.Answer, any Error>?

  init(plugin: ExecPlugin, time: any TimeSource) {
    self.plugin = plugin
    self.time = time
  }

  func credential() async throws -> Credential {
    if let latest, !isExpired(latest) { return latest.credential }
    return try await renew()
  }

  func replacement(for refused: Credential) async throws -> Credential? {
    // Somebody else may have renewed it since.
    if let latest, latest.credential != refused, !isExpired(latest) { return latest.credential }
    let renewed = try await renew()
    return renewed == refused ? nil : renewed
  }

  private func isExpired(_ answer: ExecPlugin.Answer) -> Bool {
    guard let expiry = answer.expiry else { return false }
    return expiry.unixSeconds - Self.margin <= Timestamp(time.now).unixSeconds
  }

  /// Runs the plugin, or joins the run that is under way. It is a task of its own because it serves every request
  /// that waits: one that is cancelled must not take it from the others.
  private func renew() async throws -> Credential {
    let task = running ?? Task { [plugin] in try await plugin.run() }
    running = task
    defer { if running == task { running = nil } }
    let answer = try await task.value
    latest = answer
    return answer.credential
  }
}
