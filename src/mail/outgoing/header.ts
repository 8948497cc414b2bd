/**
 * The header of a submitted message, or of one of its parts, in a form that may be sent.
 *
 * @module
 */
import { parseAddressList } from "../address/address.ts";
import { AddressError, formatAddressList } from "../address/format.ts";
import { foldField, parameters, textField } from "../compose.ts";
import { decodeHeaderBytes, splitHeader } from "../header/header.ts";
import { encodeWord } from "../header/encode.ts";
import { parseContentType, parseDisposition } from "../header/params.ts";
import { decodeWords } from "../header/words.ts";
import { maxLine } from "../structure/structure.ts";

/** How a header must be sent. */
export interface OutgoingHeaderOptions {
  /** Fields may contain UTF-8. */
  utf8: boolean;
  /** It is the message's header, not a part's. */
  isMessage: boolean;
  /** Transfer encoding that the body has from now on. */
  encoding?: string;
  /** Names the charset of a body that is encoded from now on, if there is no Content-Type. */
  charset?: () => string;
  /** Fields to leave out. */
  drop?: (name: string, value: string) => boolean;
}

/** Blind copies (RFC 5322 §3.6.3), and fields that only the delivering server may add (RFC 5321 §4.4). */
const neverLeave: ReadonlySet<string> = new Set([
  ...["bcc", "resent-bcc", "return-path", "content-length"],
]);
const addressFields: ReadonlySet<string> = new Set([
  ...["from", "sender", "reply-to", "to", "cc"],
  ...["resent-from", "resent-sender", "resent-to", "resent-cc"],
  ...["disposition-notification-to", "return-receipt-to", "mail-followup-to", "mail-reply-to"],
]);
/** Fields whose words can't be encoded. */
const structured: ReadonlySet<string> = new Set([
  ...["received", "date", "message-id", "in-reply-to", "references", "resent-date"],
  ...[
    "resent-message-id",
    "mime-version",
    "content-transfer-encoding",
    "content-id",
    "content-md5",
  ],
  ...[
    "content-location",
    "content-language",
    "dkim-signature",
    "arc-seal",
    "arc-message-signature",
  ],
  ...["arc-authentication-results", "authentication-results", "received-spf", "autocrypt"],
  ...["list-unsubscribe", "list-unsubscribe-post", "list-post", "list-help", "list-archive"],
]);

const encoder = new TextEncoder();

/** The header with its empty line; undefined if it may be sent unchanged. */
export function outgoingHeader(
  header: Uint8Array,
  options: OutgoingHeaderOptions,
): Uint8Array | undefined {
  const out: Uint8Array[] = [];
  let changed = false;
  let hasType = false;
  let hasVersion = false;
  let at = 0;
  while (at < header.length && header[at] !== 10 && header[at] !== 13) {
    const end = fieldEnd(header, at);
    const raw = header.subarray(at, end);
    at = end;
    const field = splitHeader(raw)[0];
    const name = field?.name ?? "";
    if (name === "content-type") hasType = true;
    if (name === "mime-version") hasVersion = true;
    const gone = options.isMessage &&
      (neverLeave.has(name) || options.drop?.(name, field?.value ?? ""));
    if (gone || (options.encoding !== undefined && name === "content-transfer-encoding")) {
      changed = true;
      continue;
    }
    const written = field && needsWriting(raw, options.utf8)
      ? writeField(rawName(raw), field.name, field.value, options.utf8)
      : undefined;
    if (written !== undefined) changed = true;
    out.push(written === undefined ? raw : encoder.encode(written));
  }
  if (options.encoding !== undefined) {
    changed = true;
    if (options.isMessage && !hasVersion) out.push(encoder.encode("MIME-Version: 1.0\r\n"));
    if (!hasType) {
      out.push(
        encoder.encode(
          `Content-Type: text/plain; charset=${options.charset?.() ?? "us-ascii"}\r\n`,
        ),
      );
    }
    out.push(encoder.encode(`Content-Transfer-Encoding: ${options.encoding}\r\n`));
  }
  if (!changed) return undefined;
  out.push(header.subarray(at));
  const all = new Uint8Array(out.reduce((n, b) => n + b.length, 0));
  let n = 0;
  for (const b of out) {
    all.set(b, n);
    n += b.length;
  }
  return all;
}

/** The end of a field: before the next line that is not a continuation. */
function fieldEnd(header: Uint8Array, from: number): number {
  for (let at = from;;) {
    const lf = header.indexOf(10, at);
    if (lf < 0) return header.length;
    if (header[lf + 1] !== 32 && header[lf + 1] !== 9) return lf + 1;
    at = lf + 1;
  }
}

function rawName(raw: Uint8Array): string {
  const colon = raw.indexOf(58);
  return decodeHeaderBytes(raw.subarray(0, colon)).trim();
}

/** Whether a field has a line that is too long, or forbidden bytes. */
function needsWriting(raw: Uint8Array, utf8: boolean): boolean {
  if (!utf8 && raw.some((b) => b >= 128)) return true;
  let start = 0;
  for (let lf = raw.indexOf(10); lf >= 0; lf = raw.indexOf(10, start)) {
    if (lf - start > maxLine + 1) return true;
    start = lf + 1;
  }
  return raw.length - start > maxLine;
}

/** The rewritten field; undefined if impossible, such as with an address that needs SMTPUTF8. */
function writeField(
  title: string,
  name: string,
  value: string,
  utf8: boolean,
): string | undefined {
  const smtputf8 = utf8;
  if (addressFields.has(name)) {
    try {
      return foldField(title, formatAddressList(parseAddressList(value), { smtputf8 }));
    } catch (err) {
      if (err instanceof AddressError) return undefined;
      throw err;
    }
  }
  if (name === "content-type") {
    const t = parseContentType(value);
    return t && foldField(title, `${t.type}/${t.subtype}${parameters(t.params)}`);
  }
  if (name === "content-disposition") {
    const d = parseDisposition(value);
    return d && foldField(title, `${d.type}${parameters(d.params)}`);
  }
  // deno-lint-ignore no-control-regex -- all of ASCII
  const ascii = /^[\x00-\x7f]*$/.test(value);
  if (structured.has(name)) return ascii ? foldField(title, value) : undefined;
  // A word that no line can hold is encoded, as that is the only way to split it.
  const long = value.split(/\s/).some((w) => w.length > maxLine / 3);
  if (ascii && !long) return foldField(title, value);
  return long
    ? foldField(title, encodeWord(decodeWords(value), { always: true, room: 60 }))
    : textField(title, decodeWords(value), { smtputf8 });
}
