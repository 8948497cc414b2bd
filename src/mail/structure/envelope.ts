/**
 * IMAP ENVELOPE and BODYSTRUCTURE as text, ready to send (RFC 9051 §7.5.2).
 *
 * Printable ASCII becomes a quoted string, a missing value NIL, and anything else a literal whose length counts
 * UTF-8 bytes: the text is sent as UTF-8.
 *
 * @module
 */
import { type Address, type Group, parseAddressList } from "../address/address.ts";
import { type HeaderField, headerField, splitHeader } from "../header/header.ts";
import type { Part } from "./structure.ts";
import { encodeWord } from "../header/encode.ts";

const encoder = new TextEncoder();

/** A string in IMAP's syntax; undefined is NIL. */
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

/** Mailbox and host are never NIL: that would mark a group. */
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
      s += `(NIL NIL ${imapString(encodeWord(a.rawGroup ?? a.group))} NIL)`;
      for (const m of a.members) s += address(m);
      s += "(NIL NIL NIL NIL)";
    } else {
      s += address(a);
    }
  }
  return `(${s})`;
}

/** Address fields of an ENVELOPE, in order. */
const addressNames = ["from", "sender", "reply-to", "to", "cc", "bcc"] as const;
type AddressName = typeof addressNames[number];
export type AddressLists = Record<AddressName, (Address | Group)[] | undefined>;

/**
 * Most characters and addresses that are read in one message, including embedded ones; longer lists are cut.
 * This bounds the size of a message's description; a thousand recipients with their names are some 50,000
 * characters.
 */
const perMessage = { characters: 128 * 1024, addresses: 5000 };
/** Most characters of other fields in an ENVELOPE. */
const maxText = 16 * 1024;

/** Makes the texts of one message and its embedded ones, within the limits of one message. */
export class EnvelopeTexts {
  #left = { ...perMessage };
  readonly #made = new Map<Part, string>();

  /** The addresses of each field; undefined for a missing one. */
  lists(fields: readonly HeaderField[]): AddressLists {
    const lists = {} as AddressLists;
    for (const name of addressNames) {
      const values = fields.filter((f) => f.name === name).map((f) => f.value);
      lists[name] = values.length === 0 ? undefined : this.#parse(values.join(", "));
    }
    return lists;
  }

  #parse(value: string): (Address | Group)[] {
    const list = parseAddressList(value, this.#left, true);
    this.#left.characters = Math.max(0, this.#left.characters - value.length);
    let count = 0;
    for (const a of list) count += "group" in a ? 1 + a.members.length : 1;
    this.#left.addresses = Math.max(0, this.#left.addresses - count);
    return list;
  }

  /** The ENVELOPE of a message with these header fields. */
  envelope(fields: readonly HeaderField[], lists = this.lists(fields)): string {
    const list = (name: AddressName) => {
      const l = lists[name];
      return l === undefined ? "NIL" : addresses(l);
    };
    const field = (name: string) => headerField(fields, name)?.slice(0, maxText);
    const text = (name: string) => {
      const v = field(name);
      return imapString(v === undefined ? undefined : encodeWord(v));
    };
    const from = list("from");
    const or = (l: string) => l === "NIL" ? from : l;
    return `(${text("date")} ${text("subject")} ${from} ${or(list("sender"))} ${
      or(list("reply-to"))
    } ${list("to")} ${list("cc")} ${list("bcc")} ${imapString(field("in-reply-to"))} ${
      // Not a text with encoded words: it is compared with the ids in replies.
      imapString(field("message-id"))})`;
  }

  /** The ENVELOPE of an embedded message. */
  embedded(message: Part): string {
    let text = this.#made.get(message);
    if (text === undefined) {
      text = this.envelope(splitHeader(message.header ?? new Uint8Array(0)));
      this.#made.set(message, text);
    }
    return text;
  }
}

/** The ENVELOPE of a message with these header fields. */
export function imapEnvelope(fields: readonly HeaderField[]): string {
  return new EnvelopeTexts().envelope(fields);
}

function params(p: Record<string, string> | undefined): string {
  if (!p) return "NIL";
  const list = Object.entries(p);
  if (list.length === 0) return "NIL";
  return `(${
    list.map(([k, v]) => `${imapString(k.toUpperCase())} ${imapString(encodeWord(v))}`).join(" ")
  })`;
}

function disposition(part: Part): string {
  return part.disposition === undefined
    ? "NIL"
    : `(${imapString(part.disposition.toUpperCase())} ${params(part.dispositionParams)})`;
}

function languages(part: Part): string {
  return part.language ? `(${part.language.map((l) => imapString(l)).join(" ")})` : "NIL";
}

/** BODY, or with `extended` BODYSTRUCTURE. Uses the headers of embedded messages, so only after parsing. */
export function imapBodyStructure(
  part: Part,
  extended: boolean,
  texts: EnvelopeTexts = new EnvelopeTexts(),
): string {
  if (part.parts.length > 0) {
    // Joined in one go, as a string built bit by bit takes many times its length in memory.
    let s = `(${part.parts.map((c) => imapBodyStructure(c, extended, texts)).join("")} ${
      imapString(part.subtype.toUpperCase())
    }`;
    if (extended) {
      s += ` ${params(part.params)} ${disposition(part)} ${languages(part)} ${
        imapString(part.location)
      }`;
    }
    return `${s})`;
  }
  const { type, subtype } = part;
  let s = `(${imapString(type.toUpperCase())} ${imapString(subtype.toUpperCase())} ${
    params(part.params)
  } ${imapString(part.id)} ${imapString(part.description && encodeWord(part.description))} ${
    imapString(part.encoding.toUpperCase())
  } ${part.endOffset - part.bodyOffset}`;
  if (type === "message" && (subtype === "rfc822" || subtype === "global")) {
    if (part.message) {
      s += ` ${texts.embedded(part.message)} ${
        imapBodyStructure(part.message, extended, texts)
      } ${part.lines}`;
    } else {
      // Encoded, so it wasn't parsed.
      s +=
        ` (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0) ${part.lines}`;
    }
  } else if (type === "text") {
    s += ` ${part.lines}`;
  }
  if (extended) {
    s += ` ${imapString(part.md5)} ${disposition(part)} ${languages(part)} ${
      imapString(part.location)
    }`;
  }
  return `${s})`;
}
