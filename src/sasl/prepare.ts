/**
 * User names and passwords in the form in which they are compared.
 *
 * @module
 */
import { SaslError } from "./types.ts";

// Zs: spaces of Unicode that aren't U+0020.
const otherSpaces = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;

/**
 * A password by the OpaqueString profile (RFC 8265 §4.2): spaces of all kinds become U+0020, then NFC.
 * For ASCII that is the same as SASLprep.
 * @throws SaslError for an empty one, control characters or unassigned and lone code points.
 */
export function preparePassword(text: string): string {
  const mapped = text.replaceAll(otherSpaces, " ").normalize("NFC");
  if (mapped === "") throw new SaslError("malformed", "empty password");
  check(mapped, "password");
  return mapped;
}

/** A login name: NFC, checked for characters that no name may have. It is matched by the account lookup. */
export function prepareUsername(text: string): string {
  const mapped = text.normalize("NFC");
  if (mapped === "") throw new SaslError("malformed", "empty user name");
  check(mapped, "user name");
  return mapped;
}

function check(text: string, what: string): void {
  // RFC 8264 §4.3.3 disallows controls in the FreeformClass.
  if (text.length > 1024 || !text.isWellFormed() || /[\p{Cc}\p{Cn}]/u.test(text)) {
    throw new SaslError("malformed", `characters in ${what} that can't be used`);
  }
}
