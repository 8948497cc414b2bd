/** How SASL responses are encoded in protocol lines. @module */
import { Buffer } from "node:buffer";

/**
 * Bytes of base64 as RFC 4648 §3.3 requires: complete, and no other characters. Undefined for anything else.
 */
export function decodeResponse(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  return new Uint8Array(Buffer.from(text, "base64"));
}
