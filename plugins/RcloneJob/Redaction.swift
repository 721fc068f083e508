// Keeping secrets out of messages. rclone's errors quote URLs, headers and settings, and a run's status is read by
// more people than its Secrets are: rather one word too many is taken out than one too few.

enum Redaction {
  private static let mask = "[redacted]"

  /// `text` with everything taken out that looks like a secret.
  static func redacted(_ text: String) -> String {
    let text =
      text
      // A private key, the end of which may have been cut off.
      .replacing(#/-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(-----END [A-Z ]*PRIVATE KEY-----|$)/#) { _ in mask }
      // Authorization: AWS4-HMAC-SHA256 Credential=…, Signature=…
      .replacing(#/([Aa]uthorization["']?\s*[:=]\s*)[^\r\n]+/#) { "\($0.1)\(mask)" }
      // Bearer …, Basic …
      .replacing(#/(\b[Bb](?:earer|asic)\s+)[A-Za-z0-9+/=._~\-]{16,}/#) { "\($0.1)\(mask)" }
      // https://user:password@host/
      .replacing(#/(://)[^/\s@"'?]+@/#) { "\($0.1)\(mask)@" }
    return withoutNamedSecrets(text[...]).replacing(#/[A-Za-z0-9+/=_.\-]{16,}/#) { match in
      looksSecret(match.output) ? mask : String(match.output)
    }
  }

  /// Takes out values by their names: `SECRET_ACCESS_KEY=…`, `"token": "…"`, `?X-Amz-Signature=…&sig=…`.
  private static func withoutNamedSecrets(_ text: Substring) -> String {
    text.replacing(#/([A-Za-z0-9_.\-]+)(["']?\s*([=:])\s*)("[^"]*"?|'[^']*'?|[^\s,;&"'<>]+)/#) { match in
      let (_, name, separator, sign, value) = match.output
      // What is no secret may hold one: `failed: token=…`.
      guard namesSecret(name) else { return "\(name)\(separator)\(withoutNamedSecrets(value))" }
      // After a colon there often comes a sentence instead: `InvalidToken: The token …`.
      let isValue = sign == "=" || value.hasPrefix("\"") || value.count >= 12 && value.contains(where: \.isNumber)
      return "\(name)\(separator)\(isValue ? mask : String(value))"
    }.description
  }

  private static func namesSecret(_ name: Substring) -> Bool {
    let name = name.lowercased().filter(\.isLetter)
    return ["key", "pass", "sig", "auth"].contains(name)
      || [
        "accesskey", "accessid", "apikey", "accountkey", "privatekey", "secret", "password", "passwd", "passphrase",
        "token", "credential", "signature", "sasurl",
      ].contains { name.contains($0) }
  }

  /// Whether a long word is a secret by its looks.
  private static func looksSecret(_ word: Substring) -> Bool {
    // AWS access keys, JSON web tokens, Google's keys and tokens.
    if ["AKIA", "ASIA", "AROA", "AIDA", "ABIA", "ACCA", "eyJ", "AIza", "ya29."].contains(where: { word.hasPrefix($0) })
    {
      return true
    }
    // Keys mix upper case, lower case and digits as names seldom do. Those of AWS have 40 characters, with slashes
    // among them; in others a slash, a dot or a dash makes the word a path or a name.
    return (word.count == 40 || word.count > 31 && !word.contains { "/.-".contains($0) })
      && word.contains(where: \.isUppercase) && word.contains(where: \.isLowercase) && word.contains(where: \.isNumber)
  }
}
