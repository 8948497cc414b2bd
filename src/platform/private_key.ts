/** Private keys in PEM files, including those of other programs. @module */
import { createPrivateKey, type KeyObject } from "node:crypto";

/**
 * The first block of a PEM text, without headers: the original writes lines such as `Note: …` before the base64
 * (RFC 1421 §4.4), which OpenSSL does not accept. A text without headers is returned unchanged.
 */
export function withoutPemHeaders(pem: string): string {
  return pem.replace(
    /(-----BEGIN [A-Z0-9 ]+-----\r?\n)(?!Proc-Type:)(?:[A-Za-z0-9-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+\r?\n/g,
    "$1",
  );
}

/** The private key of a PEM text. Throws OpenSSL's error if it is invalid. */
export function privateKeyFromPem(pem: string): KeyObject {
  return createPrivateKey(withoutPemHeaders(pem));
}
