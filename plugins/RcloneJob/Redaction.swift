// Keeping secrets out of messages. rclone's errors quote URLs, headers and settings, and a run's status is read by
// more people than its Secrets are: rather one word too many is taken out than one too few.

enum Redaction {
  private static let mask = "[redacted]"

  /// `text` with everything taken out that looks like a secret.
  static func redacted(_ text: String) -> String {
    var text = text
    // -----BEGIN PRIVATE KEY----- … (the end may have been cut off)
    text = text.replacing(#/-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(-----END [A-Z ]*PRIVATE KEY-----|$)/#) { _ in mask }
    // Authorization: AWS4-HMAC-SHA256 Credential=…, Signature=…
    text = text.replacing(#/(?i)((?:proxy-)?authorization["']?\s*[:=]\s*)[^\r\n]+/#) { "\($0.1)\(mask)" }
    // Bearer …, Basic …
    text = text.replacing(#/(?i)\b(bearer|basic)(\s+)[A-Za-z0-9+/=._~\-]{16,}/#) { "\($0.1)\($0.2)\(mask)" }
    // https://user:password@host/
    text = text.replacing(#/(://)[^/\s@"'?]+@/#) { "\($0.1)\(mask)@" }
    // ?X-Amz-Signature=…&sig=…
    text = text.replacing(
      #/(?i)([?&][\w.\-]*(?:sig|token|secret|credential|key|auth|pass|accessid)[\w.\-]*=)[^&\s"'<>]+/#
    ) { "\($0.1)\(mask)" }
    // RCLONE_CONFIG_SOURCE_SECRET_ACCESS_KEY=…, "token": "…"
    text = text.replacing(
      #/(?i)(\b(?:[a-z0-9]+[_\-])*(?:access[_\-]?key(?:[_\-]?id)?|secret(?:[_\-]\w+)?|api[_\-]?key|account[_\-]?key|key|pass(?:word|wd|phrase)?\d?|(?:\w+[_\-])?token|credentials?|sas[_\-]url|signature)\b["']?\s*=\s*)("[^"]*"|'[^']*'|[^\s,;&]+)/#
    ) { "\($0.1)\(mask)" }
    text = text.replacing(
      #/(?i)("(?:[^"]*[_\-])?(?:access_?key(?:_?id)?|secret\w*|api_?key|account_?key|private_?key\w*|pass\w*|\w*token|credentials?|signature)"\s*:\s*)"[^"]*"?/#
    ) { "\($0.1)\"\(mask)\"" }
    text = text.replacing(
      #/(?i)(\b(?:[a-z0-9]+[_\-])*(?:access[_\-]?key(?:[_\-]?id)?|secret[_\-]?(?:access[_\-]?)?key|api[_\-]?key|password|token)\s*:\s*)[A-Za-z0-9+/=._~\-]{12,}/#
    ) { "\($0.1)\(mask)" }
    return withoutKnownShapes(text)
  }

  /// Secrets that are known by their looks.
  private static func withoutKnownShapes(_ text: String) -> String {
    text
      // AWS access key IDs
      .replacing(#/\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{12,}\b/#) { _ in mask }
      // JSON web tokens, Google's keys and tokens
      .replacing(#/\beyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)+/#) { _ in mask }
      .replacing(#/\bAIza[A-Za-z0-9_\-]{30,}|\bya29\.[A-Za-z0-9_\-]+/#) { _ in mask }
      // AWS secret keys are 40 characters of base64; other keys have no slashes, which paths of objects have
      .replacing(#/[A-Za-z0-9+/=]{32,}/#) { match in looksRandom(match.output) ? mask : String(match.output) }
  }

  /// Whether a long word mixes upper case, lower case and digits as keys do and names seldom do.
  private static func looksRandom(_ word: Substring) -> Bool {
    (word.count == 40 || !word.contains("/"))
      && word.contains(where: \.isUppercase) && word.contains(where: \.isLowercase) && word.contains(where: \.isNumber)
  }
}
