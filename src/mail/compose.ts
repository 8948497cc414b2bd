/**
 * Writing messages: header fields, parts and multiparts, for reports and notifications (RFC 5322 §2.2, RFC
 * 2045, 2046, 2047, 2231). Lines end in CRLF.
 *
 * @module
 */
import { encodeBase64, encodeQuotedPrintable } from "./transfer/encode.ts";
import {
  formatAddressList,
  withoutControls,
  type WriteOptions,
  type WrittenAddress,
  type WrittenGroup,
} from "./address/format.ts";
import { encodeWord } from "./header/encode.ts";
import { joined } from "../platform/bytes.ts";

/** Characters of a line that should not be exceeded (RFC 5322 §2.1.1). */
const lineLength = 78;
/** Bytes of a line that must not be exceeded, without its end. */
const maxLine = 998;

const encoder = new TextEncoder();
// deno-lint-ignore no-control-regex
const ascii = /^[\x00-\x7f]*$/;

/** True if all characters are ASCII. */
export function isAscii(s: string): boolean {
  return ascii.test(s);
}

/** Splits a word into pieces that fit a line; divided only where no line can hold it. */
function pieces(word: string): string[] {
  // A UTF-16 unit is at most 3 bytes.
  if (word.length * 3 < maxLine || encoder.encode(word).length < maxLine) return [word];
  const list: string[] = [];
  let piece = "";
  let size = 0;
  for (const c of word) {
    const n = encoder.encode(c).length;
    if (size + n > 900) {
      list.push(piece);
      piece = "";
      size = 0;
    }
    piece += c;
    size += n;
  }
  list.push(piece);
  return list;
}

/**
 * A field, folded at its spaces, with CRLF at its end. Control characters become spaces: a value can't start
 * another field. Consecutive spaces become one.
 */
export function foldField(name: string, value: string): string {
  let out = `${name}:`;
  let length = out.length;
  let first = true;
  for (const word of withoutControls(value).split(" ")) {
    if (word === "") continue;
    for (const piece of pieces(word)) {
      // The first word stays on the line of the name: some programs otherwise take the field for empty.
      if (
        length + 1 + piece.length > lineLength && (!first || length + 3 * piece.length > maxLine)
      ) {
        out += "\r\n";
        length = 0;
      }
      out += ` ${piece}`;
      length += 1 + piece.length;
      first = false;
    }
  }
  return `${out}\r\n`;
}

/** A field of free text, such as Subject; in encoded words where needed. */
export function textField(name: string, text: string, options: WriteOptions): string {
  const value = withoutControls(text).trim();
  const encode = value.includes("=?") || !options.smtputf8 && !isAscii(value);
  return foldField(
    name,
    encode ? encodeWord(value, { always: true, room: lineLength - 4 - name.length }) : value,
  );
}

/** A field of addresses. @throws AddressError if one can't be written as requested */
export function addressField(
  name: string,
  list: readonly (WrittenAddress | WrittenGroup)[],
  options: WriteOptions,
): string {
  return foldField(name, formatAddressList(list, options));
}

/** Fields and body as a whole message or part; each field ends in CRLF. */
export function joinMessage(fields: readonly string[], body: Uint8Array): Uint8Array {
  return joined([encoder.encode(`${fields.join("")}\r\n`), body]);
}

/** A body with the fields that describe it. */
export interface Entity {
  /** Content-* fields, each with CRLF at its end. */
  fields: string[];
  body: Uint8Array;
}

/** Content-Transfer-Encodings that this program writes. */
export type Encoding = "7bit" | "8bit" | "quoted-printable" | "base64";

/** The content of an attachment or text. */
export interface PartContent {
  /** Such as "text/plain", without parameters. */
  type: string;
  params?: Record<string, string>;
  /** With a name, the part is an attachment. */
  fileName?: string;
  description?: string;
  data: Uint8Array;
  /** Chosen by the content if not given. */
  encoding?: Encoding;
}

/** Properties of a content that its encoding depends on. */
export interface Measured {
  /** Bytes. */
  length: number;
  /** Bytes that are neither printable ASCII nor part of a line end, nor NUL. */
  special: number;
  nul: boolean;
  /** Whether there is a bare CR or LF. */
  bare: boolean;
  /** Bytes of the longest line. */
  longest: number;
}

/** Measures a content. */
export function measureContent(data: Uint8Array): Measured {
  let special = 0;
  let nul = false;
  let bare = false;
  let longest = 0;
  let start = 0;
  for (let i = 0; i < data.length; i++) {
    const c = data[i];
    if (c === 10) {
      if (data[i - 1] !== 13) bare = true;
      longest = Math.max(longest, i - start - 1);
      start = i + 1;
    } else if (c === 13) {
      if (data[i + 1] !== 10) bare = true;
    } else if (c === 0) {
      nul = true;
    } else if (c > 126 || c < 32 && c !== 9) {
      special++;
    }
  }
  longest = Math.max(longest, data.length - start);
  return { length: data.length, special, nul, bare, longest };
}

/**
 * The suitable encoding: 7bit for ASCII in short lines that end in CRLF; otherwise quoted-printable for text
 * that is mostly ASCII, and base64 for the rest. Never 8bit, as not all hosts accept it.
 */
export function encodingFor(m: Measured): "7bit" | "quoted-printable" | "base64" {
  if (m.special === 0 && !m.nul && !m.bare && m.longest <= maxLine) return "7bit";
  return m.nul || m.bare || m.special * 6 > m.length ? "base64" : "quoted-printable";
}

/** The suitable encoding for a content. */
export function chooseEncoding(data: Uint8Array): "7bit" | "quoted-printable" | "base64" {
  return encodingFor(measureContent(data));
}

/** One encoded part. Parts inside message/rfc822 must be given an encoding (RFC 2046 §5.2.1). */
export function composePart(content: PartContent): Entity {
  const encoding = content.encoding ?? chooseEncoding(content.data);
  const fields = [
    foldField("Content-Type", content.type + parameters(content.params ?? {})),
    foldField("Content-Transfer-Encoding", encoding),
  ];
  if (content.description !== undefined) {
    fields.push(textField("Content-Description", content.description, { smtputf8: false }));
  }
  if (content.fileName !== undefined) {
    fields.push(
      foldField("Content-Disposition", `attachment${parameters({ filename: content.fileName })}`),
    );
  }
  return { fields, body: encodeBody(content.data, encoding) };
}

/** A text/plain part in UTF-8, or in ASCII if possible; line ends become CRLF. */
export function composeText(text: string): Entity {
  const data = encoder.encode(text.toWellFormed().replace(/\r\n|\r|\n/g, "\r\n"));
  return composePart({
    type: "text/plain",
    params: { charset: isAscii(text) ? "us-ascii" : "utf-8" },
    data,
  });
}

function encodeBody(data: Uint8Array, encoding: Encoding): Uint8Array {
  switch (encoding) {
    case "base64":
      return encodeBase64(data);
    case "quoted-printable":
      return encodeQuotedPrintable(data);
    case "7bit":
    case "8bit":
      return data;
  }
}

/**
 * A multipart of parts.
 * @param subtype such as "mixed", "report"
 * @param boundary random if not given, so that no part contains it
 */
export function composeMultipart(
  subtype: string,
  parts: readonly Entity[],
  params: Record<string, string> = {},
  boundary: string = `=_${crypto.randomUUID()}`,
): Entity {
  const out: Uint8Array[] = [];
  let before = "";
  for (const p of parts) {
    out.push(encoder.encode(`${before}--${boundary}\r\n`), joinMessage(p.fields, p.body));
    before = "\r\n";
  }
  out.push(encoder.encode(`${before}--${boundary}--\r\n`));
  const fields = [
    foldField("Content-Type", `multipart/${subtype}${parameters({ ...params, boundary })}`),
  ];
  return { fields, body: joined(out) };
}

/** Parameters of Content-Type and Content-Disposition, each with "; " before it (RFC 2045, 2231). */
export function parameters(params: Record<string, string>): string {
  let out = "";
  for (const [name, v] of Object.entries(params)) {
    const value = withoutControls(v);
    if (isAscii(value) && value.length <= 200 && !value.includes("=?")) {
      out += /^[A-Za-z0-9!#$&+.^_`{|}~-]+$/.test(value)
        ? `; ${name}=${value}`
        : `; ${name}="${value.replace(/["\\]/g, "\\$&")}"`;
      continue;
    }
    // RFC 2231 §3, §4: in UTF-8, in sections that fit a line.
    let section = 0;
    let piece = "utf-8''";
    for (const c of value) {
      const escaped = /^[A-Za-z0-9.^_`{|}~-]$/.test(c) ? c : [...encoder.encode(c)]
        .map((b) => `%${b.toString(16).toUpperCase().padStart(2, "0")}`).join("");
      if (piece.length + escaped.length > 55) {
        out += `; ${name}*${section++}*=${piece}`;
        piece = "";
      }
      piece += escaped;
    }
    out += section === 0 ? `; ${name}*=${piece}` : `; ${name}*${section}*=${piece}`;
  }
  return out;
}
