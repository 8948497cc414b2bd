/**
 * A message that scripts read and change: header fields, and a body that is read on demand.
 *
 * @module
 */
import { decodeHeaderBytes } from "../../mail/header/header.ts";
import { decodeWords } from "../../mail/header/words.ts";
import { parseMessage, type Part } from "../../mail/structure/structure.ts";
import { joined } from "../../platform/bytes.ts";

/** Bytes of a message held elsewhere. */
export interface MailSource {
  /** Header fields that are, or will be, in front of the message; each ends with CRLF. */
  prefix: Uint8Array;
  /** Bytes after the prefix. */
  size: number;
  /** Reads bytes after the prefix, by offsets. */
  read(from: number, to: number): Uint8Array;
  /** Structure of the part after the prefix; parsed from the bytes if not given. */
  root?: Part;
}

/** New bytes, or a range of the original message (offsets after its prefix). */
export type MessagePiece = Uint8Array | { from: number; to: number };

/** A header field. */
export interface MailField {
  /** Lower case. */
  name: string;
  /** As in the message, with its line end. */
  raw: Uint8Array;
}

/** Fields of the last delivery, which are removed from forwarded messages. */
const deliveryFields: ReadonlySet<string> = new Set(["return-path", "x-mox-reason"]);

/** Most bytes and fields of a header that are read. */
const maxHeader = 1024 * 1024;
const maxFields = 5000;
const encoder = new TextEncoder();

/** Splits a header, up to its empty line, into its fields. */
export function splitFields(bytes: Uint8Array): MailField[] {
  const fields: MailField[] = [];
  let at = 0;
  while (at < bytes.length && fields.length < maxFields) {
    let end = lineEnd(bytes, at);
    if (bytes[at] === 10 || bytes[at] === 13 && bytes[at + 1] === 10) break;
    while (end < bytes.length && (bytes[end] === 32 || bytes[end] === 9)) end = lineEnd(bytes, end);
    const colon = bytes.subarray(at, end).indexOf(58);
    if (colon > 0 && bytes[at] !== 32 && bytes[at] !== 9) {
      const name = decodeHeaderBytes(bytes.subarray(at, at + colon)).trimEnd().toLowerCase();
      fields.push({ name, raw: bytes.subarray(at, end) });
    }
    at = end;
  }
  return fields;
}

function lineEnd(bytes: Uint8Array, from: number): number {
  const lf = bytes.indexOf(10, from);
  return lf < 0 ? bytes.length : lf + 1;
}

/** Value of a field: unfolded, trimmed, with encoded words unchanged. */
export function rawValue(field: MailField): string {
  const colon = field.raw.indexOf(58);
  return decodeHeaderBytes(field.raw.subarray(colon + 1)).replace(/\r?\n/g, "").trim();
}

/** Value of a field with its encoded words decoded, trimmed. */
export function decodedValue(field: MailField): string {
  const v = rawValue(field);
  return v.includes("=?") ? decodeWords(v).trim() : v;
}

/** The message; it may be changed. */
export class SieveMail {
  #source: MailSource;
  #root: Part | undefined;
  /** Fields of the prefix and the message's header together. */
  fields: MailField[];
  /** Fields of the prefix, which this server has added. */
  readonly #prefixFields: ReadonlySet<MailField>;
  #headerChanged = false;
  /** Set if the body has been replaced: the whole message is in memory then. */
  #rewritten = false;
  readonly #values = new Map<string, string[]>();

  constructor(source: MailSource) {
    this.#source = source;
    this.#root = source.root;
    const header = source.read(0, Math.min(source.root?.bodyOffset ?? source.size, maxHeader));
    const prefix = splitFields(source.prefix);
    this.#prefixFields = new Set(prefix);
    this.fields = [...prefix, ...splitFields(header)];
  }

  /** Bytes of header and body. */
  get size(): number {
    if (!this.#headerChanged) return this.#source.prefix.length + this.#source.size;
    const { bodyOffset } = this.root;
    return this.#header().length + this.#source.size - bodyOffset;
  }

  /** Structure of the bytes that {@link read} returns. */
  get root(): Part {
    return this.#root ??= parseMessage(this.#source.read(0, this.#source.size)).root;
  }

  /** Bytes by the offsets of the structure. */
  read(from: number, to: number): Uint8Array {
    return this.#source.read(from, to);
  }

  /** Whether the header ends with an empty line: then there is a body, even if empty. */
  get hasBody(): boolean {
    const { bodyOffset } = this.root;
    if (bodyOffset < this.#source.size) return true;
    const end = this.#source.read(Math.max(0, bodyOffset - 4), bodyOffset);
    return /(?:^|\n)\r?\n$/.test(String.fromCharCode(...end));
  }

  /** Bytes in the message, by the offsets of the structure. */
  get end(): number {
    return this.#source.size;
  }

  /** Fields of a name, in lower case. */
  named(name: string): MailField[] {
    return this.fields.filter((f) => f.name === name);
  }

  /** Decoded values of the fields of a name, in lower case. */
  values(name: string): string[] {
    let v = this.#values.get(name);
    if (!v) this.#values.set(name, v = this.named(name).map(decodedValue));
    return v;
  }

  /** Replaces all fields. */
  setFields(fields: MailField[]): void {
    this.fields = fields;
    this.#headerChanged = true;
    this.#values.clear();
  }

  /** Replaces the message. */
  setMessage(bytes: Uint8Array): void {
    this.#source = {
      prefix: new Uint8Array(0),
      size: bytes.length,
      read: (from, to) => bytes.slice(from, Math.max(from, to)),
    };
    this.#root = parseMessage(bytes).root;
    this.fields = splitFields(bytes.subarray(0, Math.min(this.#root.bodyOffset, maxHeader)));
    this.#rewritten = true;
    this.#headerChanged = false;
    this.#values.clear();
  }

  #header(fields = this.fields): Uint8Array {
    const crlf = encoder.encode("\r\n");
    const pieces = fields.flatMap((f) => f.raw[f.raw.length - 1] === 10 ? [f.raw] : [f.raw, crlf]);
    return joined([...pieces, crlf]);
  }

  /**
   * The message as it is now; undefined if unchanged.
   * @param onward for forwarding: without the fields added by this server
   */
  pieces(onward = false): readonly MessagePiece[] | undefined {
    if (!this.#headerChanged && !this.#rewritten) return undefined;
    const fields = onward
      ? this.fields.filter((f) => !this.#prefixFields.has(f) && !deliveryFields.has(f.name))
      : this.fields;
    const { bodyOffset } = this.root;
    const body = this.#rewritten
      ? this.#source.read(bodyOffset, this.#source.size)
      : { from: bodyOffset, to: this.#source.size };
    return [this.#header(fields), body];
  }

  /** The whole message, including the prefix. */
  bytes(): Uint8Array {
    const { prefix, size } = this.#source;
    if (!this.#headerChanged) return joined([prefix, this.#source.read(0, size)]);
    return joined([this.#header(), this.#source.read(this.root.bodyOffset, size)]);
  }
}

/** A field with a text value, folded at the value's line ends. */
export function newField(name: string, value: string): MailField {
  return { name: name.toLowerCase(), raw: encoder.encode(`${name}: ${value}\r\n`) };
}
