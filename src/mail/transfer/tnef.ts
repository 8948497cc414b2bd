/**
 * Files in winmail.dat: the Transport Neutral Encapsulation Format (MS-OXTNEF), in which some servers pack all
 * attachments of a message.
 *
 * Never fails, and is linear: unreadable parts are left out.
 *
 * @module
 */
import { decodeCharset } from "../text/charset.ts";
import { unpackRtf } from "./compressed_rtf.ts";
import type { PackedFile } from "./uuencode.ts";

const signature = 0x223e9f78;
/** Attributes of attachments (§2.1.3.3). */
const attachRendering = 0x00069002;
const attachTitle = 0x00018010;
const attachData = 0x0006800f;
const attachProperties = 0x00069005;
/** Attributes of the message. */
const messageSubject = 0x00018004;
const messageBody = 0x0002800c;
const messageProperties = 0x00069003;
const codePage = 0x00069007;
const textBody = 0x1000;
const rtfBody = 0x1009;
const htmlBody = 0x1013;
/** Properties of attachments. */
const longFileName = 0x3707;
const dataBinary = 0x3701;

/** Most files read. */
const maxFiles = 200;
/** Most attributes and properties read of all messages in one file; each may have a byte or none. */
const maxAttributes = 10_000;
const maxProperties = 20_000;
/** Most bytes of a text that are read. */
const maxText = 4 * 1024 * 1024;

/** Deepest nesting of messages that is read. */
const maxDepth = 4;
/** Most bytes of rich text unpacked, for all messages together. */
const maxRichText = 4 * 1024 * 1024;

/** The remaining limits of a file. */
interface Budget {
  richText: number;
  attributes: number;
  properties: number;
}

/** A raw text; it is decoded once everything about it is known. */
interface RawText {
  data: Uint8Array;
  charset?: string;
}

/** Facts about a file or an attached message, collected until its end. */
interface Found {
  title?: RawText;
  long?: RawText;
  content: Uint8Array;
  /** Files of an attached message, which replace it. */
  within?: PackedFile[];
}

/** The text of the message itself, in its available forms. */
interface Bodies {
  subject?: RawText;
  charset: string | undefined;
  html?: Uint8Array;
  text?: RawText;
  rtf?: Uint8Array;
}

/**
 * The files in it; undefined if it is not TNEF. Attached messages yield their texts and files.
 * @param body include the message's own text, as a file: for messages without another text
 */
export function tnefFiles(bytes: Uint8Array, body = false): PackedFile[] | undefined {
  return filesIn(bytes, body, 0, {
    richText: maxRichText,
    attributes: maxAttributes,
    properties: maxProperties,
  });
}

function isTnef(bytes: Uint8Array): boolean {
  return bytes.length >= 6 &&
    new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === signature;
}

function filesIn(
  bytes: Uint8Array,
  body: boolean,
  depth: number,
  budget: Budget,
): PackedFile[] | undefined {
  if (!isTnef(bytes)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const files: Found[] = [];
  const own: Bodies = { charset: undefined };
  for (let at = 6; at + 9 <= bytes.length && budget.attributes-- > 0;) {
    const id = view.getUint32(at + 1, true);
    const length = view.getUint32(at + 5, true);
    const from = at + 9;
    if (from + length > bytes.length) break;
    const data = bytes.subarray(from, from + length);
    at = from + length + 2;
    if (id === attachRendering) {
      if (files.length >= maxFiles) break;
      files.push({ content: new Uint8Array(0) });
    }
    const file = files[files.length - 1];
    if (!file) noteBody(own, id, data, budget);
    else if (id === attachTitle) file.title = { data };
    else if (id === attachData) file.content = data;
    else if (id === attachProperties) noteProperties(file, data, depth, budget);
  }
  const found = body ? bodyFile(own, budget) : [];
  for (const [i, f] of files.entries()) {
    if (f.within) found.push(...f.within);
    else if (f.content.length > 0) {
      const name = shortText(f.long) || shortText(f.title) || `attachment-${i + 1}`;
      found.push({ name, content: f.content });
    }
  }
  return found.slice(0, maxFiles);
}

function noteProperties(file: Found, data: Uint8Array, depth: number, budget: Budget): void {
  for (const p of properties(data, budget)) {
    if (p.id === longFileName) {
      file.long = { data: p.data, charset: p.type === 0x1f ? "utf-16le" : undefined };
    } else if (p.id === dataBinary && file.content.length === 0) {
      // For an object, which may be a message, the data after its class of 16 bytes.
      file.content = p.type === 0x0d ? p.data.subarray(16) : p.data;
      if (p.type === 0x0d && depth < maxDepth && isTnef(file.content)) {
        file.within = filesIn(file.content, true, depth + 1, budget);
      }
    }
  }
}

function noteBody(own: Bodies, id: number, data: Uint8Array, budget: Budget): void {
  if (id === codePage && data.length >= 4) {
    own.charset = `windows-${data[0] | data[1] << 8}`;
  } else if (id === messageSubject) own.subject = { data };
  else if (id === messageBody) own.text = { data };
  else if (id === messageProperties) {
    for (const p of properties(data, budget)) {
      if (p.id === htmlBody) own.html = p.data;
      else if (p.id === rtfBody) own.rtf = p.data;
      else if (p.id === textBody) {
        own.text = { data: p.data, charset: p.type === 0x1f ? "utf-16le" : undefined };
      }
    }
  }
}

/** The best form of a message's text. */
function bodyFile(own: Bodies, budget: Budget): PackedFile[] {
  const name = shortText(own.subject, own.charset).replace(/[\/\\]/g, " ").trim() || "message";
  if (own.html) return [{ name: `${name}.html`, content: own.html }];
  const text = own.text && longText(own.text, own.charset);
  if (text) return [{ name: `${name}.txt`, content: new TextEncoder().encode(text) }];
  const rtf = own.rtf && unpackRtf(own.rtf, budget.richText);
  if (!rtf || rtf.length === 0) return [];
  budget.richText -= rtf.length;
  return [{ name: `${name}.rtf`, content: rtf }];
}

function longText({ data, charset }: RawText, otherwise: string | undefined): string {
  const text = decodeCharset(data.subarray(0, maxText), charset ?? otherwise);
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return text.slice(0, end);
}

/** A name or a subject. */
function shortText(raw: RawText | undefined, otherwise?: string): string {
  if (raw === undefined) return "";
  const text = decodeCharset(raw.data.subarray(0, 1024), raw.charset ?? otherwise);
  return text.replace(/\0[^]*$/, "").trim().slice(0, 255);
}

interface Property {
  id: number;
  type: number;
  data: Uint8Array;
}

/** Bytes of values of fixed size, by type (§2.1.3.4). */
const fixed: Record<number, number> = {
  0x01: 4,
  0x02: 4,
  0x03: 4,
  0x04: 4,
  0x05: 8,
  0x06: 8,
  0x07: 8,
  0x0a: 4,
  0x0b: 4,
  0x14: 8,
  0x40: 8,
  0x48: 16,
};

function* properties(bytes: Uint8Array, budget: Budget): Generator<Property> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const has = (at: number, n: number) => at + n <= bytes.length;
  if (!has(0, 4)) return;
  const count = view.getUint32(0, true);
  let at = 4;
  for (let i = 0; i < count && budget.properties-- > 0; i++) {
    if (!has(at, 4)) return;
    const typed = view.getUint16(at, true);
    const id = view.getUint16(at + 2, true);
    at += 4;
    if (id >= 0x8000) {
      // A name: a class, and a number or a text.
      if (!has(at, 24)) return;
      const named = view.getUint32(at + 16, true);
      const n = view.getUint32(at + 20, true);
      at += 24;
      if (named === 1) at += padded(n);
    }
    const type = typed & 0xfff;
    const size = fixed[type];
    const several = (typed & 0x1000) !== 0;
    let values = 1;
    if (several || size === undefined) {
      if (!has(at, 4)) return;
      values = view.getUint32(at, true);
      at += 4;
    }
    for (let k = 0; k < values; k++) {
      let n = size;
      if (size === undefined) {
        if (!has(at, 4)) return;
        n = view.getUint32(at, true);
        at += 4;
      }
      if (!has(at, n)) return;
      if (k === 0) yield { id, type, data: bytes.subarray(at, at + n) };
      at += padded(n);
    }
  }
}

const padded = (n: number) => Math.ceil(n / 4) * 4;
