/** The fields of a header as bytes, so that unchanged parts stay identical. @module */
import { joined } from "../platform/bytes.ts";
import { type HeaderChange, ScanError, type ScanMessage } from "./types.ts";

/** Bytes of a header passed to scanners, and its fields. */
const maxHeader = 4 * 1024 * 1024;
const maxFields = 5000;

/** A field, or lines that aren't one. */
export interface RawField {
  /** As written; "" for lines that aren't a field. */
  name: string;
  /** From its name to the end of its last line. */
  bytes: Uint8Array;
}

/** Reads a message's header. @throws HeaderTooLarge */
export function readHeader(message: ScanMessage): RawField[] {
  if (message.headerSize > maxHeader) throw new HeaderTooLarge();
  const fields = rawFields(message.read(0, message.headerSize));
  if (fields.length > maxFields) throw new HeaderTooLarge();
  return fields;
}

/** A header too large for scanners must not bypass them. */
export class HeaderTooLarge extends ScanError {
  constructor() {
    super("the message's header is too large to be scanned");
  }
}

/** Splits up to the empty line. */
export function rawFields(header: Uint8Array): RawField[] {
  const fields: RawField[] = [];
  let start = 0;
  for (let at = 0; at < header.length;) {
    const end = header.indexOf(10, at);
    const next = end < 0 ? header.length : end + 1;
    const empty = header[at] === 10 || (header[at] === 13 && header[at + 1] === 10);
    if (empty) break;
    if (at > start && header[at] !== 32 && header[at] !== 9) {
      fields.push(fieldOf(header.subarray(start, at)));
      start = at;
    }
    at = next;
    if (at >= header.length || isEmptyLine(header, at)) {
      fields.push(fieldOf(header.subarray(start, at)));
      break;
    }
  }
  return fields;
}

function isEmptyLine(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 10 || (bytes[at] === 13 && bytes[at + 1] === 10);
}

function fieldOf(bytes: Uint8Array): RawField {
  const colon = bytes.indexOf(58);
  const name = colon < 1 ? "" : String.fromCharCode(...bytes.subarray(0, Math.min(colon, 200)))
    .trimEnd();
  return { name: /^[!-9;-~]+$/.test(name) && colon <= 200 ? name : "", bytes };
}

/** The text after the colon, without the final line end; further lines begin after LF. */
export function rawValue(field: RawField): Uint8Array {
  const bytes = field.bytes.subarray(field.bytes.indexOf(58) + 1).filter((b) => b !== 13);
  return bytes.at(-1) === 10 ? bytes.subarray(0, -1) : bytes;
}

/** The header with the changes applied in order, and its empty line. */
export function changedHeader(
  fields: readonly RawField[],
  changes: readonly HeaderChange[],
): Uint8Array {
  let list = [...fields];
  for (const c of changes) {
    const named = (f: RawField) => f.name.toLowerCase() === c.name.toLowerCase();
    if (c.kind === "remove") list = list.filter((f) => !named(f));
    else if (c.kind === "add") list.push(newField(c.name, c.value));
    else if (c.kind === "insert") list.splice(c.index, 0, newField(c.name, c.value));
    else {
      let left = c.occurrence;
      const at = list.findIndex((f) => named(f) && --left === 0);
      if (c.value === "") {
        if (at >= 0) list.splice(at, 1);
      } else if (at >= 0) list[at] = newField(c.name, c.value);
      else list.push(newField(c.name, c.value));
    }
  }
  // If the message ends with its header, the last line end may be missing.
  const pieces = list.map((f) => f.bytes.at(-1) === 10 ? f.bytes : joined([f.bytes, lineEnd]));
  return joined([...pieces, lineEnd]);
}

const lineEnd = new Uint8Array([13, 10]);

function newField(name: string, value: string): RawField {
  const blank = /^[ \t]/.test(value) ? "" : " ";
  return { name, bytes: new TextEncoder().encode(`${name}:${blank}${value}\r\n`) };
}
