/** Checking the signature of a message (RFC 1847, RFC 3156, RFC 8551) when it is read. @module */
import type { CheckedSignature } from "../../../webmail/api/mod.ts";
import {
  checkPgp,
  checkSmimeMessage,
  maxSignature,
  maxSigned,
  senderOf,
  smimeParts,
} from "../../encryption/mod.ts";
import type { HeaderField } from "../../mail/header/header.ts";
import type { Part } from "../../mail/structure/structure.ts";
import type { Account } from "../../store/account/account.ts";
import { addressBooks } from "./contacts/books.ts";
import { ContactSearch } from "./contacts/search.ts";
import { headerFields, type MessageContent, partBytes, withContent } from "./reading/content.ts";
import { numberedParts } from "./reading/parts.ts";
import { protectionOf } from "./reading/protection.ts";

/** Bytes of a key. */
const maxKey = 256 * 1024;
/** Contacts with the sender's address whose keys are tried. */
const maxContacts = 5;

const unknown: CheckedSignature = { state: "unknown", signer: "", fingerprint: "" };

/**
 * Checks it. What is too large counts as unknown.
 * @param trusted PEM of certificate authorities
 * @param reader whose contacts vouch for keys
 * @throws HttpError 404 for a message that is gone
 */
export function checkSignature(
  account: Account,
  id: number,
  trusted: readonly string[],
  reader: Account = account,
): Promise<CheckedSignature> {
  return withContent(account, id, async (c) => {
    const kind = protectionOf(c.root);
    const fields = headerFields(c);
    const from = senderOf(fields);
    // Who has two senders, or none, has none that a signature could be of.
    if (from === undefined) return unknown;
    if (kind === "pgpSigned") return await checkOpenPgp(reader, c, fields, from);
    const parts = smimeParts(c.root);
    if (kind !== "smimeSigned" || !parts) return unknown;
    const message = { root: c.root, read: (a: number, b: number) => c.reader.read(a, b) };
    const checked = checkSmimeMessage(message, parts, trusted, Date.now());
    return checked === "tooLarge" ? unknown : checked;
  });
}

const tooLarge = (p: Part, max: number) => p.endOffset - p.bodyOffset > max;

async function checkOpenPgp(
  reader: Account,
  c: MessageContent,
  fields: readonly HeaderField[],
  from: string,
): Promise<CheckedSignature> {
  const [content, signature] = c.root.parts;
  if (!signature || tooLarge(signature, maxSignature)) return unknown;
  if (content.endOffset - content.headerOffset > maxSigned) return unknown;
  return await checkPgp({
    signature: new TextDecoder().decode(partBytes(c, signature)),
    content: c.reader.read(content.headerOffset, content.endOffset),
    from,
    known: await keysOfContacts(reader, from),
    brought: [...attachedKeys(c), ...autocryptKeys(fields, from)],
  });
}

function* attachedKeys(content: MessageContent): Generator<string | Uint8Array> {
  for (const { part } of numberedParts(content.root)) {
    const keys = part.type === "application" && part.subtype === "pgp-keys";
    if (!keys || tooLarge(part, maxKey)) continue;
    const bytes = partBytes(content, part);
    const text = new TextDecoder().decode(bytes);
    yield text.includes("-----BEGIN PGP PUBLIC KEY") ? text : bytes;
  }
}

/** The header field of Autocrypt (level 1, §3.1). */
function autocryptKeys(fields: readonly HeaderField[], from: string): Uint8Array[] {
  const found = fields.filter((f) => f.name === "autocrypt");
  // With several none counts.
  if (found.length !== 1 || found[0].value.length > maxKey) return [];
  const attributes = new Map(
    found[0].value.split(";").map((a) => {
      const equals = a.indexOf("=");
      return [a.slice(0, equals).trim().toLowerCase(), a.slice(equals + 1).trim()];
    }),
  );
  if (attributes.get("addr")?.toLowerCase() !== from) return [];
  const key = fromBase64(attributes.get("keydata") ?? "");
  return key === undefined ? [] : [key];
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text.replace(/\s+/g, "")), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Keys that the account's own contacts have for an address (RFC 6350 §6.8.1). */
async function keysOfContacts(account: Account, from: string): Promise<(string | Uint8Array)[]> {
  const g = await account.groupware();
  const search = new ContactSearch([from], maxContacts);
  await search.add(g, addressBooks(g), "");
  return search.done().contacts.filter((contact) =>
    contact.emails.some((e) => e.toLowerCase() === from)
  )
    .flatMap((contact) => {
      const card = g.content(contact.id);
      return card ? cardKeys(new TextDecoder().decode(card)) : [];
    });
}

/** OpenPGP keys of a vCard: as data: of version 4.0, or in base64 of 2.1 and 3.0. */
export function cardKeys(card: string): (string | Uint8Array)[] {
  const keys: (string | Uint8Array)[] = [];
  for (const line of card.replace(/\r?\n[ \t]/g, "").split(/\r?\n/)) {
    const m = /^(?:[\w-]+\.)?KEY((?:;[^:]*)?):(.*)$/i.exec(line.slice(0, 2 * maxKey));
    if (!m) continue;
    const data = /^data:application\/pgp-keys;base64,(.*)$/i.exec(m[2].replaceAll("\\,", ","));
    const key = data
      ? fromBase64(data[1])
      : /ENCODING=(?:b|base64)\b/i.test(m[1])
      ? fromBase64(m[2])
      : undefined;
    if (key === undefined) continue;
    const text = new TextDecoder().decode(key);
    keys.push(text.includes("-----BEGIN PGP PUBLIC KEY") ? text : key);
  }
  return keys;
}
