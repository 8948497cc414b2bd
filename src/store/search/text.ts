/**
 * A message's texts as SEARCH compares them: decoded from transfer encodings and charsets, and folded. The
 * search and the full-text index use the same ones.
 *
 * Large parts are read and decoded in pieces, so that memory is bounded and their full length is searched.
 *
 * @module
 */
import { addressLimits, flattenAddresses, parseAddressList } from "../../mail/address/address.ts";
import { type HeaderField, splitHeader } from "../../mail/header/header.ts";
import { htmlText } from "../../mail/text/html_text.ts";
import { decodeWords } from "../../mail/header/words.ts";
import { parseContentType, parseDisposition } from "../../mail/header/params.ts";
import {
  decodeText,
  decodeTextPieces,
  fileNameOf,
  isEncodedMessage,
  openEncodedMessage,
} from "../../mail/structure/contents.ts";
import { leaves, type Part } from "../../mail/structure/structure.ts";
import { unpackStructure } from "../../mail/structure/packed.ts";
import type { SearchNode, SummaryField } from "./types.ts";
import type { MessageReader, Summary, SummaryAddress } from "../types.ts";

/** Parts up to this many bytes are decoded in one go; also the size of the pieces of larger ones. */
const wholePartBytes = 1024 * 1024;
const pieceBytes = 256 * 1024;
/** Bytes of a header read at a time. */
const headerPieceBytes = 32 * 1024;
/** Most bytes of one header field that are read. */
const maxFieldBytes = 4 * 1024 * 1024;
/** Most characters held back because they could be composed with what follows. */
const maxHeldText = 1024 * 1024;

/** Folds a text for comparing regardless of case: upper case equates ß with SS and ς with σ. */
export function foldCase(s: string): string {
  return s.normalize("NFC").toUpperCase();
}

/** A folded text without the marks on its letters. */
export function withoutMarks(folded: string): string {
  // deno-lint-ignore no-control-regex -- all of ASCII
  if (/^[\x00-\x7f]*$/.test(folded)) return folded;
  return folded.normalize("NFD").replace(/[\u0300-\u036f\u00ad\u200b\u2060]/g, "").normalize("NFC")
    .replace(/[ØŁĐĦŦıÞÐÆŒ]/g, (c) => plainLetters[c]);
}

/** Letters without removable marks that are searched as if they had them. */
const plainLetters: Record<string, string> = {
  "Ø": "O",
  "Ł": "L",
  "Đ": "D",
  "Ħ": "H",
  "Ŧ": "T",
  "ı": "I",
  "Þ": "TH",
  "Ð": "D",
  "Æ": "AE",
  "Œ": "OE",
};

/** Folds text that comes in pieces: characters that can be composed (NFC) are not split. */
export function* foldPieces(pieces: Iterable<string>): Generator<string> {
  let held = "";
  for (const p of pieces) {
    const text = held + p;
    const cut = composedCut(text);
    if (cut > 0) yield foldCase(text.slice(0, cut));
    held = text.slice(cut);
  }
  yield foldCase(held);
}

/** The index before the last character that isn't composed with the preceding one. */
function composedCut(text: string): number {
  for (let i = text.length - 1; i >= 0; i--) {
    const c = text.codePointAt(i)!;
    if (c < 0x300) return i;
    // Half of a surrogate pair, whose second half may still follow.
    const half = c >= 0xd800 && c <= 0xdfff;
    const jamo = (c >= 0x1160 && c <= 0x11ff) || (c >= 0xd7b0 && c <= 0xd7ff);
    if (!half && !jamo && !/\p{M}/u.test(String.fromCodePoint(c))) return i;
  }
  return text.length > maxHeldText ? text.length : 0;
}

/** A field of a header: its name in lower case, its value decoded and folded. */
export interface TextField {
  name: string;
  value: string;
}

/** A field in the form that TEXT searches. */
export function fieldText(field: TextField): string {
  return `${field.name.toUpperCase()}: ${field.value}`;
}

/** Addresses in the form that FROM, TO, CC and BCC search. */
export function addressText(address: SummaryAddress): string {
  return foldCase(address.name === "" ? address.address : `${address.name} <${address.address}>`);
}

/** All searched texts of a summary, one by one. */
export function summaryTexts(summary: Summary): string[] {
  const lists = [summary.from, summary.to, summary.cc, summary.bcc];
  const groups = Object.values(summary.groups ?? {}).flatMap((g) => g.names.map(foldCase));
  return [foldCase(summary.subject), ...lists.flatMap((l) => l.map(addressText)), ...groups];
}

/** A condition on the texts of a message. */
export type TextNode = Extract<
  SearchNode,
  { op: "header" | "body" | "text" | "summary" | "shown" }
>;

/** Header fields that users see. */
const shownFields: ReadonlySet<string> = new Set([
  ...["subject", "from", "sender", "reply-to", "to", "cc", "bcc"],
]);

/** A message's texts, read on demand. */
export class MessageText {
  readonly #openFile: () => MessageReader;
  readonly #root: Part;
  #reader: MessageReader | undefined;

  /** @param structure packed, as stored. */
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
  *fields(): Generator<TextField> {
    for (const f of this.#fieldsIn(0, this.#root.bodyOffset)) yield folded(f);
  }

  /** Whether the message meets a condition; in steps, between which others may be served. */
  *find(node: TextNode): Generator<void, boolean> {
    switch (node.op) {
      case "header":
        return this.#anyField((f) => f.name === node.name && f.value.includes(node.text));
      case "summary":
        return this.#inSummary(node.field, node.text, node.loose === true);
      case "shown":
        if (
          this.#anyField((f) =>
            shownFields.has(f.name) && withoutMarks(f.value).includes(node.text)
          )
        ) {
          return true;
        }
        for (const name of this.fileNames()) if (name.includes(node.text)) return true;
        return yield* this.#inTexts(this.shownTexts(), node.text);
      case "text":
        if (this.#anyField((f) => fieldText(f).includes(node.text))) return true;
        for (const t of this.partFields()) if (t.includes(node.text)) return true;
        return yield* this.#inTexts(this.bodyTexts(), node.text);
      case "body":
        return yield* this.#inTexts(this.bodyTexts(), node.text);
    }
  }

  #anyField(fits: (field: TextField) => boolean): boolean {
    for (const f of this.fields()) if (fits(f)) return true;
    return false;
  }

  /** MIME header fields of parts, which TEXT includes (RFC 9051 §6.4.4). */
  partFields(): Generator<string> {
    return this.#fieldsOfParts(this.#root);
  }

  *#fieldsOfParts(part: Part): Generator<string> {
    if (part.message) yield* this.#fieldsOfParts(part.message);
    for (const c of part.parts) {
      for (const f of this.#fieldsIn(c.headerOffset, c.bodyOffset)) yield fieldText(folded(f));
      yield* this.#fieldsOfParts(c);
    }
  }

  /** Whether an envelope field has the text, including the part that is not stored. */
  #inSummary(field: SummaryField, text: string, loose: boolean): boolean {
    const form = (s: string) => loose ? withoutMarks(s) : s;
    const values: string[] = [];
    for (const f of this.#fieldsIn(0, this.#root.bodyOffset)) {
      if (f.name !== field) continue;
      if (field === "subject") return form(folded(f).value).includes(text);
      values.push(f.value);
    }
    const list = parseAddressList(values.join(", "), addressLimits, true);
    return list.some((a) => "group" in a && form(foldCase(a.group)).includes(text)) ||
      flattenAddresses(list).some((a) =>
        form(addressText({ name: a.name, address: `${a.localpart}@${a.domain.toLowerCase()}` }))
          .includes(text)
      );
  }

  *#inTexts(texts: Iterable<Iterable<string>>, text: string): Generator<void, boolean> {
    for (const pieces of texts) {
      // The end of the last piece, in which the text may begin.
      let end = "";
      for (const p of pieces) {
        const t = end + p;
        if (t.includes(text)) return true;
        end = text.length > 1 ? t.slice(1 - text.length) : "";
        yield;
      }
    }
    return false;
  }

  /** Names of files, folded and without marks. */
  *fileNames(): Generator<string> {
    for (const p of leaves(this.#root)) {
      const name = fileNameOf(p);
      if (name !== "") yield withoutMarks(foldCase(name));
    }
  }

  /** True if the visible text differs from {@link bodyTexts}. */
  get isFormatted(): boolean {
    for (const p of leaves(this.#root)) {
      if (p.subtype === "html" || fileNameOf(p) !== "") return true;
    }
    return false;
  }

  /** The visible texts, in pieces, folded and without marks: for HTML the text between the tags. */
  *shownTexts(): Generator<Iterable<string>> {
    for (const p of leaves(this.#root)) {
      if (p.type !== "text" || p.disposition === "attachment") continue;
      const html = p.subtype === "html";
      yield (function* (pieces: Iterable<string>) {
        for (const t of pieces) yield withoutMarks(foldCase(html ? htmlText(t).text : t));
      })(this.#decoded(p));
    }
  }

  #decoded(part: Part): Iterable<string> {
    return part.endOffset - part.bodyOffset <= wholePartBytes
      ? [decodeText(part, this.#open().read(part.bodyOffset, part.endOffset))]
      : decodeTextPieces(part, () => this.#pieces(part));
  }

  /** Texts of the body, in pieces: text parts, and fields of messages in it. */
  bodyTexts(): Generator<Iterable<string>> {
    return this.#partTexts(this.#root);
  }

  *#partTexts(part: Part): Generator<Iterable<string>> {
    if (part.message) {
      for (const f of this.#fieldsIn(part.message.headerOffset, part.message.bodyOffset)) {
        yield [fieldText(folded(f))];
      }
      yield* this.#partTexts(part.message);
    } else if (part.parts.length > 0) {
      for (const c of part.parts) yield* this.#partTexts(c);
    } else if (isEncodedMessage(part)) {
      const inner = openEncodedMessage(part, this.#open().read(part.bodyOffset, part.endOffset));
      yield [headerTexts(inner.read(0, inner.root.bodyOffset))];
      for (const t of leaves(inner.root)) {
        if (t.type === "text") {
          yield [foldCase(decodeText(t, inner.read(t.bodyOffset, t.endOffset)))];
        }
      }
    } else if (part.type === "text" || part.type === "message" || part.type === "") {
      // For message/delivery-status and the like (RFC 3464, 8098), the fields.
      if (part.endOffset - part.bodyOffset <= wholePartBytes) {
        yield [foldCase(decodeText(part, this.#open().read(part.bodyOffset, part.endOffset)))];
      } else {
        yield foldPieces(decodeTextPieces(part, () => this.#pieces(part)));
      }
    }
  }

  /** A part's bytes, in pieces. */
  *#pieces(part: Part): Generator<Uint8Array> {
    for (let at = part.bodyOffset; at < part.endOffset; at += pieceBytes) {
      yield this.#open().read(at, Math.min(part.endOffset, at + pieceBytes));
    }
  }

  /** Fields of a header, read in pieces that end with a field. */
  *#fieldsIn(from: number, to: number): Generator<HeaderField> {
    let end = Math.min(to, from + headerPieceBytes);
    while (from < to) {
      const bytes = this.#open().read(from, end);
      // The file is damaged, and ends here.
      if (bytes.length < end - from) to = end = from + bytes.length;
      if (bytes.length === 0) return;
      let cut = end === to ? bytes.length : fieldCut(bytes);
      if (cut === 0) {
        if (bytes.length < maxFieldBytes) {
          end = Math.min(to, end + headerPieceBytes * 8);
          continue;
        }
        cut = bytes.length;
      }
      yield* splitHeader(bytes.subarray(0, cut));
      from += cut;
      end = Math.min(to, from + headerPieceBytes);
    }
  }
}

/** The end of the last line that is followed by another field; 0 if there is none. */
function fieldCut(bytes: Uint8Array): number {
  for (let i = bytes.length - 2; i >= 0; i--) {
    if (bytes[i] === 10 && bytes[i + 1] !== 32 && bytes[i + 1] !== 9) return i + 1;
  }
  return 0;
}

function folded(field: HeaderField): TextField {
  return { name: field.name, value: foldCase(decodeWords(field.value) + decodedParameters(field)) };
}

/** Parameters in the encodings of RFC 2231, decoded. */
function decodedParameters(field: HeaderField): string {
  if (!field.value.includes("*")) return "";
  const parsed = field.name === "content-type"
    ? parseContentType(field.value)
    : field.name === "content-disposition"
    ? parseDisposition(field.value)
    : undefined;
  if (!parsed) return "";
  return Object.entries(parsed.params).map(([name, value]) => `; ${name}=${value}`).join("");
}

/** A header's fields in one text. */
function headerTexts(header: Uint8Array): string {
  return splitHeader(header).map((f) => fieldText(folded(f))).join("\r\n");
}
