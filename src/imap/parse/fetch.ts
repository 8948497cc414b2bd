/**
 * What FETCH asks for (RFC 9051 §6.4.5, RFC 3516, 7162, 8474, 8514, 8970).
 *
 * @module
 */
import type { Cursor } from "./cursor.ts";

/** The text of a section after its part numbers. */
export interface Section {
  /** Part numbers; empty for the whole message. */
  part: number[];
  /** "" is the part's body, or with no numbers the whole message. */
  text: "" | "HEADER" | "HEADER.FIELDS" | "HEADER.FIELDS.NOT" | "TEXT" | "MIME";
  fields: string[];
  /** The section as it is repeated in the answer, without its brackets. */
  label: string;
}

export type FetchItem =
  | {
    kind:
      | "uid"
      | "flags"
      | "internaldate"
      | "size"
      | "envelope"
      | "bodystructure"
      | "body"
      | "modseq"
      | "savedate"
      | "emailid"
      | "threadid"
      | "preview";
  }
  | {
    kind: "section";
    section: Section;
    peek: boolean;
    binary: boolean;
    /** First byte and count. */
    partial?: [number, number];
    /** How the answer names it when that isn't BODY[...]: RFC822 and its kin. */
    name?: string;
  }
  | { kind: "binarysize"; section: Section };

/** Items that a FETCH may ask for. */
const maxItems = 200;
/** Numbers in the name of a part, as in BODY[1.2.3]. */
const maxPartDepth = 100;

const simple: Record<string, Exclude<FetchItem["kind"], "section" | "binarysize">> = {
  UID: "uid",
  FLAGS: "flags",
  INTERNALDATE: "internaldate",
  "RFC822.SIZE": "size",
  ENVELOPE: "envelope",
  BODYSTRUCTURE: "bodystructure",
  MODSEQ: "modseq",
  SAVEDATE: "savedate",
  EMAILID: "emailid",
  THREADID: "threadid",
};

function parsePartNumbers(cursor: Cursor): number[] {
  const part: number[] = [];
  while (cursor.peek() >= 0x30 && cursor.peek() <= 0x39) {
    part.push(cursor.nzNumber("part number"));
    if (part.length > maxPartDepth) cursor.fail(`at most ${maxPartDepth} levels of parts`);
    if (!cursor.at(".")) break;
    cursor.take(".");
  }
  return part;
}

/** Reads a section in its brackets. */
export function parseSection(cursor: Cursor): Section {
  cursor.expect("[");
  const part = parsePartNumbers(cursor);
  const fields: string[] = [];
  let text: Section["text"] = "";
  const dotted = part.length > 0 && cursor.bytes[cursor.pos - 1] === 0x2e;
  if (dotted || (part.length === 0 && !cursor.at("]"))) {
    const start = cursor.pos;
    if (cursor.takeText("HEADER.FIELDS.NOT")) text = "HEADER.FIELDS.NOT";
    else if (cursor.takeText("HEADER.FIELDS")) text = "HEADER.FIELDS";
    else if (cursor.takeText("HEADER")) text = "HEADER";
    else if (cursor.takeText("TEXT")) text = "TEXT";
    else if (part.length > 0 && cursor.takeText("MIME")) text = "MIME";
    else {cursor.fail(
        part.length > 0 ? "HEADER, TEXT or MIME" : "HEADER, TEXT or part number",
        start,
      );}
    if (text.startsWith("HEADER.FIELDS")) {
      cursor.sp();
      for (const f of cursor.list(() => cursor.astring("header field name"))) fields.push(f);
    }
  }
  cursor.expect("]");
  let label = part.join(".");
  if (text !== "") label += (label === "" ? "" : ".") + text;
  if (fields.length > 0) label += ` (${fields.map(fieldLabel).join(" ")})`;
  return { part, text, fields, label };
}

function fieldLabel(f: string): string {
  return /^[A-Za-z0-9_.-]+$/.test(f) ? f : `"${f.replace(/["\\]/g, "\\$&")}"`;
}

function parsePartial(cursor: Cursor): [number, number] | undefined {
  if (!cursor.take("<")) return undefined;
  const from = cursor.number64("first byte");
  cursor.expect(".");
  // Clients that count down ask for none.
  const count = cursor.lenient
    ? cursor.number64("byte count")
    : cursor.nzNumber("byte count", Number.MAX_SAFE_INTEGER);
  cursor.expect(">");
  return [from, count];
}

function whole(text: Section["text"]): Section {
  return { part: [], text, fields: [], label: text };
}

function parseItem(cursor: Cursor): FetchItem {
  const start = cursor.pos;
  // "[" is allowed in an atom, so words that a section can follow are tried first.
  for (const [name, peek] of [["BODY.PEEK", true], ["BODY", false]] as const) {
    if (!cursor.takeText(name)) continue;
    if (cursor.at("[")) {
      const section = parseSection(cursor);
      return { kind: "section", section, peek, binary: false, partial: parsePartial(cursor) };
    }
    cursor.pos = start;
  }
  if (cursor.takeText("BINARY.SIZE[")) {
    cursor.pos--;
    return { kind: "binarysize", section: binarySection(cursor) };
  }
  for (const [name, peek] of [["BINARY.PEEK", true], ["BINARY", false]] as const) {
    if (!cursor.takeText(name)) continue;
    const section = binarySection(cursor);
    return { kind: "section", section, peek, binary: true, partial: parsePartial(cursor) };
  }
  const word = cursor.word("fetch item");
  const kind = simple[word];
  if (kind) return { kind } as FetchItem;
  switch (word) {
    case "BODY":
      return { kind: "body" };
    case "PREVIEW":
      // RFC 8970 §3.2: LAZY asks for previews that are ready; all of ours are.
      if (cursor.at(" ") && cursor.bytes[cursor.pos + 1] === 0x28) {
        cursor.sp();
        cursor.list(() => cursor.oneOf(["LAZY"], "LAZY"));
      }
      return { kind: "preview" };
    case "RFC822":
      return { kind: "section", section: whole(""), peek: false, binary: false, name: word };
    case "RFC822.HEADER":
      return { kind: "section", section: whole("HEADER"), peek: true, binary: false, name: word };
    case "RFC822.TEXT":
      return { kind: "section", section: whole("TEXT"), peek: false, binary: false, name: word };
  }
  cursor.fail("known fetch item", start);
}

/** BINARY takes part numbers only. */
function binarySection(cursor: Cursor): Section {
  const start = cursor.pos;
  const s = parseSection(cursor);
  if (s.text !== "") cursor.fail("part numbers only", start);
  return s;
}

/** Reads the items of a FETCH: a macro, one item, or a list. */
export function parseFetchItems(cursor: Cursor): FetchItem[] {
  const fast: FetchItem[] = [{ kind: "flags" }, { kind: "internaldate" }, { kind: "size" }];
  if (cursor.takeWord("ALL")) return [...fast, { kind: "envelope" }];
  if (cursor.takeWord("FULL")) return [...fast, { kind: "envelope" }, { kind: "body" }];
  if (cursor.takeWord("FAST")) return fast;
  if (!cursor.at("(")) return [parseItem(cursor)];
  const items = cursor.list(() => parseItem(cursor));
  if (items.length > maxItems) cursor.fail(`at most ${maxItems} items`);
  return items;
}
