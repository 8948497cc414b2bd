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

function parsePartNumbers(c: Cursor): number[] {
  const part: number[] = [];
  while (c.peek() >= 0x30 && c.peek() <= 0x39) {
    part.push(c.nzNumber("part number"));
    if (part.length > maxPartDepth) c.fail(`at most ${maxPartDepth} levels of parts`);
    if (!c.at(".")) break;
    c.take(".");
  }
  return part;
}

/** Reads a section in its brackets. */
export function parseSection(c: Cursor): Section {
  c.expect("[");
  const part = parsePartNumbers(c);
  const fields: string[] = [];
  let text: Section["text"] = "";
  const dotted = part.length > 0 && c.bytes[c.pos - 1] === 0x2e;
  if (dotted || (part.length === 0 && !c.at("]"))) {
    const start = c.pos;
    if (c.takeText("HEADER.FIELDS.NOT")) text = "HEADER.FIELDS.NOT";
    else if (c.takeText("HEADER.FIELDS")) text = "HEADER.FIELDS";
    else if (c.takeText("HEADER")) text = "HEADER";
    else if (c.takeText("TEXT")) text = "TEXT";
    else if (part.length > 0 && c.takeText("MIME")) text = "MIME";
    else c.fail(part.length > 0 ? "HEADER, TEXT or MIME" : "HEADER, TEXT or part number", start);
    if (text.startsWith("HEADER.FIELDS")) {
      c.sp();
      for (const f of c.list(() => c.astring("header field name"))) fields.push(f);
    }
  }
  c.expect("]");
  let label = part.join(".");
  if (text !== "") label += (label === "" ? "" : ".") + text;
  if (fields.length > 0) label += ` (${fields.map(fieldLabel).join(" ")})`;
  return { part, text, fields, label };
}

function fieldLabel(f: string): string {
  return /^[A-Za-z0-9_.-]+$/.test(f) ? f : `"${f.replace(/["\\]/g, "\\$&")}"`;
}

function parsePartial(c: Cursor): [number, number] | undefined {
  if (!c.take("<")) return undefined;
  const from = c.number64("first byte");
  c.expect(".");
  const count = c.nzNumber("byte count", Number.MAX_SAFE_INTEGER);
  c.expect(">");
  return [from, count];
}

function whole(text: Section["text"]): Section {
  return { part: [], text, fields: [], label: text };
}

function parseItem(c: Cursor): FetchItem {
  const start = c.pos;
  // "[" may stand in an atom, so words that a section can follow are looked for first.
  for (const [name, peek] of [["BODY.PEEK", true], ["BODY", false]] as const) {
    if (!c.takeText(name)) continue;
    if (c.at("[")) {
      const section = parseSection(c);
      return { kind: "section", section, peek, binary: false, partial: parsePartial(c) };
    }
    c.pos = start;
  }
  if (c.takeText("BINARY.SIZE[")) {
    c.pos--;
    return { kind: "binarysize", section: binarySection(c) };
  }
  for (const [name, peek] of [["BINARY.PEEK", true], ["BINARY", false]] as const) {
    if (!c.takeText(name)) continue;
    const section = binarySection(c);
    return { kind: "section", section, peek, binary: true, partial: parsePartial(c) };
  }
  const word = c.word("fetch item");
  const kind = simple[word];
  if (kind) return { kind } as FetchItem;
  switch (word) {
    case "BODY":
      return { kind: "body" };
    case "PREVIEW":
      // RFC 8970 §3.2: LAZY asks for what can be had without waiting; all of ours can.
      if (c.at(" ") && c.bytes[c.pos + 1] === 0x28) {
        c.sp();
        c.list(() => c.oneOf(["LAZY"], "LAZY"));
      }
      return { kind: "preview" };
    case "RFC822":
      return { kind: "section", section: whole(""), peek: false, binary: false, name: word };
    case "RFC822.HEADER":
      return { kind: "section", section: whole("HEADER"), peek: true, binary: false, name: word };
    case "RFC822.TEXT":
      return { kind: "section", section: whole("TEXT"), peek: false, binary: false, name: word };
  }
  c.fail("known fetch item", start);
}

/** BINARY takes part numbers only. */
function binarySection(c: Cursor): Section {
  const start = c.pos;
  const s = parseSection(c);
  if (s.text !== "") c.fail("part numbers only", start);
  return s;
}

/** Reads the items of a FETCH: a macro, one item, or a list. */
export function parseFetchItems(c: Cursor): FetchItem[] {
  const fast: FetchItem[] = [{ kind: "flags" }, { kind: "internaldate" }, { kind: "size" }];
  if (c.takeWord("ALL")) return [...fast, { kind: "envelope" }];
  if (c.takeWord("FULL")) return [...fast, { kind: "envelope" }, { kind: "body" }];
  if (c.takeWord("FAST")) return fast;
  if (!c.at("(")) return [parseItem(c)];
  const items = c.list(() => parseItem(c));
  if (items.length > maxItems) c.fail(`at most ${maxItems} items`);
  return items;
}
