import Testing

@testable import RcloneJob

@Suite("Secrets in messages")
struct RedactionTests {
  @Test(
    "what is or may be a secret is taken out, the rest stays",
    arguments: [
      ("Get \"https://user:pa55@s3.example.com/b\"", "Get \"https://[redacted]@s3.example.com/b\""),
      ("ftp://token@host", "ftp://[redacted]@host"),
      (
        "https://h/b/o?X-Amz-Credential=AKIA%2Fx&X-Amz-Date=2026&X-Amz-Signature=0af&X-Amz-Security-Token=FwoG",
        "https://h/b/o?X-Amz-Credential=[redacted]&X-Amz-Date=2026&X-Amz-Signature=[redacted]&X-Amz-Security-Token=[redacted]"
      ),
      ("https://a.blob/c?sv=2020&sig=abc%3D&se=1", "https://a.blob/c?sv=2020&sig=[redacted]&se=1"),
      ("?AWSAccessKeyId=x&Signature=y&Expires=1", "?AWSAccessKeyId=[redacted]&Signature=[redacted]&Expires=1"),
      ("https://h/?delimiter=%2F&list-type=2&prefix=a", "https://h/?delimiter=%2F&list-type=2&prefix=a"),
      ("RCLONE_CONFIG_SOURCE_SECRET_ACCESS_KEY=abc def", "RCLONE_CONFIG_SOURCE_SECRET_ACCESS_KEY=[redacted] def"),
      ("secret_access_key = 'a b' x", "secret_access_key = [redacted] x"),
      ("access_key_id: ABCDEFGH1JKLMNOP", "access_key_id: [redacted]"),
      ("pass=hunter2, user=me", "pass=[redacted], user=me"),
      ("failed: token=abc", "failed: token=[redacted]"),
      ("ExpiredToken: Authentication has expired", "ExpiredToken: Authentication has expired"),
      ("max-keys=1000&prefix=a", "max-keys=1000&prefix=a"),
      ("{\"access_token\":\"a.b\",\"expiry\":\"2026\"}", "{\"access_token\":[redacted],\"expiry\":\"2026\"}"),
      ("Authorization: AWS4-HMAC-SHA256 Credential=a/b, Signature=c", "Authorization: [redacted]"),
      ("sent Bearer abcdefghijklmnopqrstuvwxyz today", "sent Bearer [redacted] today"),
      ("key AKIAIOSFODNN7EXAMPLE unknown", "key [redacted] unknown"),
      ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "[redacted]"),
      ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_", "[redacted]"),
      ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc", "[redacted]"),
      ("a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b", "a [redacted] b"),
      // Not secrets
      (
        "InvalidAccessKeyId: The Access Key Id you provided does not exist in our records.",
        "InvalidAccessKeyId: The Access Key Id you provided does not exist in our records."
      ),
      ("couldn't fetch token: invalid_grant", "couldn't fetch token: invalid_grant"),
      ("Check your key and signing method.", "Check your key and signing method."),
      ("Basic authentication required", "Basic authentication required"),
      (
        "backups/2024/January/Holiday Pictures/IMG_0001.jpg: Failed to copy",
        "backups/2024/January/Holiday Pictures/IMG_0001.jpg: Failed to copy"
      ),
      ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
      ("pod 6f1c2f0e-8d5b-4f4e-9a38-1a2b3c4d5e6f", "pod 6f1c2f0e-8d5b-4f4e-9a38-1a2b3c4d5e6f"),
      ("couldn't find key SECRET_ACCESS_KEY in Secret a/b", "couldn't find key SECRET_ACCESS_KEY in Secret a/b"),
    ]
  )
  func table(text: String, expected: String) { #expect(Redaction.redacted(text) == expected) }
}
