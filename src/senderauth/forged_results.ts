/** Finds results in an incoming message that claim to be this server's (RFC 8601 §5). @module */
import { normalizeName } from "../dns/mod.ts";
import { fieldText, type HeaderFields, scanHeader } from "./header_fields.ts";

/** A part of the header, from `start` up to `end`. */
export interface HeaderRange {
  start: number;
  end: number;
}

/**
 * The Authentication-Results fields with our authserv-id and the Received-SPF fields with us as receiver. They
 * must be left out of the stored message: only fields added by this server itself may be in its name. In
 * ascending order.
 */
export function stripForgedResults(headerBytes: Uint8Array, authservId: string): HeaderRange[] {
  const ours = comparable(authservId);
  // Without limits: a forged field must not hide behind ten thousand others.
  const header = scanHeader(headerBytes, Infinity, Infinity);
  return header.fields.filter((field) => {
    if (field.name === "authentication-results") {
      const id = readAuthservId(fieldText(header, field));
      // An unreadable one that names us is removed to be safe.
      return id === undefined ? mentions(header, field, ours) : comparable(id) === ours;
    }
    if (field.name !== "received-spf") return false;
    const receiver = readReceiver(fieldText(header, field));
    return receiver === undefined ? mentions(header, field, ours) : comparable(receiver) === ours;
  }).map(({ start, end }) => ({ start, end }));
}

function mentions(
  header: HeaderFields,
  field: HeaderFields["fields"][number],
  id: string,
): boolean {
  return fieldText(header, field).toLowerCase().includes(id);
}

function comparable(id: string): string {
  return normalizeName(id) ?? id.toLowerCase();
}

/** The value of receiver= in a Received-SPF field. */
function readReceiver(text: string): string | undefined {
  const key = "receiver=";
  const lower = text.toLowerCase();
  for (let at = lower.indexOf(key); at >= 0; at = lower.indexOf(key, at + 1)) {
    if (at === 0 || " \t;)".includes(text[at - 1])) {
      return readAuthservId(text.slice(at + key.length));
    }
  }
  return undefined;
}

/** The authserv-id at the start of a field's value; undefined if it has none. */
export function readAuthservId(text: string): string | undefined {
  let i = skipComments(text, 0);
  if (text[i] === '"') {
    let out = "";
    for (i++; i < text.length && text[i] !== '"'; i++) {
      if (text[i] === "\\") i++;
      out += text[i] ?? "";
    }
    return i < text.length ? out : undefined;
  }
  const start = i;
  while (i < text.length && !' \t\r\n;("'.includes(text[i])) i++;
  return i === start ? undefined : text.slice(start, i);
}

/** Skips white space and comments, which may be nested. */
function skipComments(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const c = text[i];
    if (c === "(") depth++;
    else if (depth > 0) {
      if (c === "\\") i++;
      else if (c === ")") depth--;
    } else if (c !== " " && c !== "\t" && c !== "\r" && c !== "\n") return i;
  }
  return text.length;
}

/**
 * True if the value of an Authentication-Results field is in the name of this server, or is unreadable and
 * names it.
 */
export function isOwnResult(value: string, authservId: string): boolean {
  const ours = comparable(authservId);
  const id = readAuthservId(value);
  return id === undefined ? value.toLowerCase().includes(ours) : comparable(id) === ours;
}
