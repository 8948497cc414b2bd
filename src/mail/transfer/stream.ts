/**
 * Decodes content transfer encodings piece by piece, with the same result as for the whole (transfer.ts).
 *
 * @module
 */
import {
  base64Decoder,
  decodeQuotedPrintable,
  decodeTransferEncoding,
  hexValue,
} from "./transfer.ts";

/** Accepts pieces of the encoded bytes, in order, and returns the decoded ones as far as known. */
export interface TransferStream {
  push(bytes: Uint8Array): Uint8Array;
  /** The rest, at the end. */
  end(): Uint8Array;
}

/** Most bytes of quoted-printable held back until the end of their line. */
const maxHeld = 64 * 1024;

const nothing = new Uint8Array(0);

/** The decoder for an encoding; for an unknown one the bytes stay unchanged. */
export function transferStream(encoding: string): TransferStream {
  switch (encoding.toLowerCase()) {
    case "base64":
      return { push: base64Decoder(), end: () => nothing };
    case "quoted-printable":
      return quotedPrintableStream();
    default:
      return { push: (b) => decodeTransferEncoding(b, encoding) ?? b, end: () => nothing };
  }
}

function quotedPrintableStream(): TransferStream {
  let held: Uint8Array = nothing;
  return {
    push(bytes) {
      const all = new Uint8Array(held.length + bytes.length);
      all.set(held);
      all.set(bytes, held.length);
      let cut = lineCut(all);
      if (cut === 0 && all.length > maxHeld) cut = tokenCut(all);
      held = all.subarray(cut);
      return decodeQuotedPrintable(all.subarray(0, cut));
    },
    end() {
      const rest = decodeQuotedPrintable(held);
      held = nothing;
      return rest;
    },
  };
}

/** The position after the last hard line end: spaces before a later line end may still have to be dropped. */
function lineCut(bytes: Uint8Array): number {
  for (
    let lf = bytes.lastIndexOf(10);
    lf >= 0;
    lf = lf === 0 ? -1 : bytes.lastIndexOf(10, lf - 1)
  ) {
    let i = lf - 1;
    if (bytes[i] === 13) i--;
    while (i >= 0 && (bytes[i] === 32 || bytes[i] === 9)) i--;
    if (i >= 0 && bytes[i] !== 61) return lf + 1;
  }
  return 0;
}

/** In a line without an end, the position after the last complete character that isn't a space. */
function tokenCut(bytes: Uint8Array): number {
  for (let i = bytes.length - 1; i > bytes.length - 4096 && i >= 2; i--) {
    const c = bytes[i];
    if (bytes[i - 2] === 61 && hexValue(bytes[i - 1]) >= 0 && hexValue(c) >= 0) return i + 1;
    if (c === 61 || c === 32 || c === 9 || c === 13) continue;
    if (bytes[i - 1] !== 61 && bytes[i - 2] !== 61) return i + 1;
  }
  return bytes.length;
}
