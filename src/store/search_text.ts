/**
 * A message's texts as SEARCH compares them: decoded from transfer encodings and charsets, and folded.
 * The search and the full-text index see the same ones.
 *
 * @module
 */
import { decodeCharset } from "../mail/charset.ts";
import { splitHeader } from "../mail/header.ts";
import { decodeWords } from "../mail/words.ts";
import { type Part, unpackStructure } from "../mail/structure.ts";
import { decodeTransferEncoding } from "../mail/transfer.ts";
import type { MessageReader, Summary, SummaryAddress } from "./types.ts";

/** Bytes of a part that are looked at. */
const maxPartBytes = 32 * 1024 * 1024;
const maxHeaderBytes = 1024 * 1024;

/** Text for comparing without regard to case: upper case takes ß with SS and ς with σ as one. */
export function foldCase(s: string): string {
  return s.normalize("NFC").toUpperCase();
}

/** A field of a header: its name in lower case, its value decoded and folded. */
export interface TextField {
  name: string;
  value: string;
}

/** A field as TEXT sees it. */
export function fieldText(f: TextField): string {
  return `${f.name.toUpperCase()}: ${f.value}`;
}

/** Addresses as FROM, TO, CC and BCC see them. */
export function addressText(a: SummaryAddress): string {
  return foldCase(a.name === "" ? a.address : `${a.name} <${a.address}>`);
}

/** All texts of a summary that are searched, one by one. */
export function summaryTexts(s: Summary): string[] {
  const lists = [s.from, s.to, s.cc, s.bcc];
  return [foldCase(s.subject), ...lists.flatMap((l) => l.map(addressText))];
}

/** A message's texts, read as they are asked for. */
export class MessageText {
  readonly #openFile: () => MessageReader;
  readonly #root: Part;
  #reader: MessageReader | undefined;
  #fields: TextField[] | undefined;

  /** @param structure packed, as it is stored. */
  constructor(structure: string, open: () => MessageReader) {
    this.#root = unpackStructure(structure);
    this.#openFile = open;
  }

  close(): void {
    this.#reader?.close();
  }

  #open(): MessageReader {
    return this.#reader ??= this.#openFile();
  }

  /** Fields of the message's own header. */
  fields(): TextField[] {
    if (this.#fields) return this.#fields;
    const end = Math.min(this.#root.bodyOffset, maxHeaderBytes);
    return this.#fields = parseFields(this.#open().read(0, end));
  }

  header(name: string, text: string): boolean {
    return this.fields().some((f) => f.name === name && f.value.includes(text));
  }

  /** Any field of the message's header, or of a part of it. */
  headers(text: string): boolean {
    if (this.fields().some((f) => fieldText(f).includes(text))) return true;
    for (const t of this.partFields()) if (t.includes(text)) return true;
    return false;
  }

  /** MIME header fields of parts, which TEXT looks at too (RFC 9051 §6.4.4). */
  partFields(): Generator<string> {
    return this.#fieldsOfParts(this.#root);
  }

  *#fieldsOfParts(p: Part): Generator<string> {
    if (p.message) yield* this.#fieldsOfParts(p.message);
    for (const c of p.parts) {
      const end = Math.min(c.bodyOffset, c.headerOffset + maxHeaderBytes);
      for (const f of parseFields(this.#open().read(c.headerOffset, end))) yield fieldText(f);
      yield* this.#fieldsOfParts(c);
    }
  }

  body(text: string): boolean {
    for (const t of this.bodyTexts()) if (t.includes(text)) return true;
    return false;
  }

  /** Texts of the body: parts of text, and fields of messages in it. */
  bodyTexts(): Generator<string> {
    return this.#partTexts(this.#root);
  }

  *#partTexts(p: Part): Generator<string> {
    if (p.message) {
      const head = this.#open().read(p.message.headerOffset, p.message.bodyOffset);
      for (const f of parseFields(head)) yield fieldText(f);
      yield* this.#partTexts(p.message);
    } else if (p.parts.length > 0) {
      for (const c of p.parts) yield* this.#partTexts(c);
    } else if (p.type === "text" || p.type === "") {
      const from = p.bodyOffset;
      const raw = this.#open().read(from, Math.min(p.endOffset, from + maxPartBytes));
      const bytes = decodeTransferEncoding(raw, p.encoding) ?? raw;
      yield foldCase(decodeCharset(bytes, p.params.charset ?? "utf-8"));
    }
  }
}

function parseFields(header: Uint8Array): TextField[] {
  return splitHeader(header).map(({ name, value }) => ({
    name,
    value: foldCase(decodeWords(value)),
  }));
}
