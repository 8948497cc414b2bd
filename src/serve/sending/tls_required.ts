/** The header field TLS-Required (RFC 8689 §5). @module */
import type { HeaderField } from "../../mail/header/header.ts";

/**
 * Whether a message should be sent in plain text rather than not at all. REQUIRETLS of its transaction overrides
 * the field (RFC 8689 §4.1), and a repeated field is ignored.
 */
export function asksForNoTls(fields: readonly HeaderField[], requireTls: boolean): boolean {
  if (requireTls) return false;
  const found = fields.filter((f) => f.name === "tls-required");
  return found.length === 1 && found[0].value.trim().toLowerCase() === "no";
}
