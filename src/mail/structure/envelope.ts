/**
 * IMAP ENVELOPE and BODYSTRUCTURE as text, ready to be sent (RFC 9051 §7.5.2).
 *
 * Printable ASCII is a quoted string, what is missing NIL, and anything else a literal whose length
 * counts UTF-8 bytes: the text is sent as UTF-8.
 *
 * @module
 */
import { type Address, type Group, parseAddressList } from "../address/address.ts";
import { type HeaderField, headerField, splitHeader } from "../header/header.ts";
import type { Part } from "./structure.ts";
import { encodeWord } from "../header/encode.ts";

const encoder = new TextEncoder();

/** A string as IMAP has it; undefined is NIL. */
export function imapString(s: string | undefined): string {
  if (s === undefined) return "NIL";
  if (/^[\x20-\x7e]*$/.test(s)) {
    return s.length > 1000
      ? `{${s.length}}\r\n${s}`
      : `"${/["\\]/.test(s) ? s.replace(/["\\]/g, "\\$&") : s}"`;
  }
  s = s.replaceAll("\0", "");
  return `{${encoder.encode(s).length}}\r\n${s}`;
}

/** A display name for clients that decode words but expect no UTF-8. */
function nameString(name: string): string {
  return imapString(name === "" ? undefined : encodeWord(name));
}

/** Mailbox and host are never NIL: that would be a mark of a group. */
function address(a: Address): string {
  return `(${nameString(a.rawName)} ${imapString(a.route)} ${imapString(a.localpart)} ${
    imapString(a.domain)
  })`;
}

function addresses(list: readonly (Address | Group)[]): string {
  if (list.length === 0) return "NIL";
  let s = "";
  for (const a of list) {
    if ("group" in a) {
      // RFC 9051 §7.5.2: a group starts with its name as mailbox and no host, and ends with NILs.
      s += `(NIL NIL ${imapString(a.group)} NIL)`;
      for (const m of a.members) s += address(m);
      s += "(NIL NIL NIL NIL)";
    } else {
      s += address(a);
    }
  }
  return `(${s})`;
}

/** The ENVELOPE of a message with these header fields. */
export function imapEnvelope(fields: readonly HeaderField[]): string {
  const list = (name: string) => {
    const values = fields.filter((f) => f.name === name).map((f) => f.value);
    return values.length === 0 ? "NIL" : addresses(parseAddressList(values.join(", ")));
  };
  const text = (name: string) => {
    const v = headerField(fields, name);
    return imapString(v === undefined ? undefined : encodeWord(v));
  };
  const from = list("from");
  const or = (l: string) => l === "NIL" ? from : l;
  return `(${text("date")} ${text("subject")} ${from} ${or(list("sender"))} ${
    or(list("reply-to"))
  } ${list("to")} ${list("cc")} ${list("bcc")} ${text("in-reply-to")} ${text("message-id")})`;
}

function params(p: Record<string, string> | undefined): string {
  if (!p) return "NIL";
  const list = Object.entries(p);
  if (list.length === 0) return "NIL";
  return `(${
    list.map(([k, v]) => `${imapString(k.toUpperCase())} ${imapString(encodeWord(v))}`).join(" ")
  })`;
}

function disposition(p: Part): string {
  return p.disposition === undefined
    ? "NIL"
    : `(${imapString(p.disposition.toUpperCase())} ${params(p.dispositionParams)})`;
}

function languages(p: Part): string {
  return p.language ? `(${p.language.map((l) => imapString(l)).join(" ")})` : "NIL";
}

/** BODY, or with `extended` BODYSTRUCTURE. Uses the headers of embedded messages, so only after parsing. */
export function imapBodyStructure(p: Part, extended: boolean): string {
  if (p.parts.length > 0) {
    let s = "(";
    for (const c of p.parts) s += imapBodyStructure(c, extended);
    s += ` ${imapString(p.subtype.toUpperCase())}`;
    if (extended) {
      s += ` ${params(p.params)} ${disposition(p)} ${languages(p)} ${imapString(p.location)}`;
    }
    return `${s})`;
  }
  const { type, subtype } = p;
  let s = `(${imapString(type.toUpperCase())} ${imapString(subtype.toUpperCase())} ${
    params(p.params)
  } ${imapString(p.id)} ${imapString(p.description && encodeWord(p.description))} ${
    imapString(p.encoding.toUpperCase())
  } ${p.endOffset - p.bodyOffset}`;
  if (type === "message" && (subtype === "rfc822" || subtype === "global")) {
    if (p.message) {
      s += ` ${imapEnvelope(splitHeader(p.message.header ?? new Uint8Array(0)))} ${
        imapBodyStructure(p.message, extended)
      } ${p.lines}`;
    } else {
      // Encoded, so that it wasn't looked into.
      s +=
        ` (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0) ${p.lines}`;
    }
  } else if (type === "text") {
    s += ` ${p.lines}`;
  }
  if (extended) {
    s += ` ${imapString(p.md5)} ${disposition(p)} ${languages(p)} ${imapString(p.location)}`;
  }
  return `${s})`;
}
