/**
 * IMAP URLs that name a message of the same account, or bytes of it (RFC 5092, as CATENATE uses them).
 *
 * @module
 */
import type { EmailId } from "../../../store/ids.ts";
import { unpackStructure } from "../../../mail/structure/packed.ts";
import type { Account } from "../../../store/account/account.ts";
import { type Mailbox, Want } from "../../../store/types.ts";
import { Cursor, ParseError } from "../../parse/cursor.ts";
import { parseSection, type Section } from "../../parse/fetch.ts";
import { findPlace } from "../mailboxes/places.ts";
import { readSection, sectionSpan } from "../fetch/sections.ts";
import type { Session } from "../session/session.ts";

export interface MessageUrl {
  /** Undefined for the selected mailbox. */
  mailbox: string | undefined;
  uidValidity: number | undefined;
  uid: number;
  section: Section;
  partial: [number, number] | undefined;
}

/** Length above which a URL is ignored. */
const maxUrl = 4096;

/** Reads "/mailbox;UIDVALIDITY=1/;UID=2/;SECTION=1.2/;PARTIAL=0.10", or from ";UID" on. */
export function parseUrl(url: string): MessageUrl | undefined {
  if (url.length > maxUrl) return undefined;
  const at = url.search(/\/?;UID=/i);
  if (at < 0) return undefined;
  let mailbox: string | undefined;
  let uidValidity: number | undefined;
  const path = url.slice(0, at);
  if (path !== "") {
    if (!path.startsWith("/")) return undefined;
    const [name, validity] = path.slice(1).split(/;UIDVALIDITY=/i);
    try {
      mailbox = decodeURIComponent(name);
    } catch {
      return undefined;
    }
    if (validity !== undefined) {
      if (!/^[1-9][0-9]{0,9}$/.test(validity)) return undefined;
      uidValidity = Number(validity);
    }
  }
  const [uidText, ...rest] = url.slice(at).replace(/^\/?;UID=/i, "").split("/;");
  if (!/^[1-9][0-9]{0,9}$/.test(uidText)) return undefined;
  const r: MessageUrl = {
    mailbox,
    uidValidity,
    uid: Number(uidText),
    section: { part: [], text: "", fields: [], label: "" },
    partial: undefined,
  };
  for (const item of rest) {
    const [name, value = ""] = item.split("=", 2);
    try {
      if (name.toUpperCase() === "SECTION") {
        const c = new Cursor(new TextEncoder().encode(`[${decodeURIComponent(value)}]`));
        r.section = parseSection(c);
        c.end();
      } else if (name.toUpperCase() === "PARTIAL" && /^[0-9]{1,15}(\.[0-9]{1,15})?$/.test(value)) {
        const [from, count] = value.split(".").map(Number);
        r.partial = [from, count ?? Number.MAX_SAFE_INTEGER];
      } else {
        return undefined;
      }
    } catch (err) {
      if (err instanceof ParseError || err instanceof URIError) return undefined;
      throw err;
    }
  }
  return r;
}

/** Bytes read at a time. */
const chunk = 64 * 1024;

/**
 * Passes on the bytes that a URL names.
 * @returns how many, or undefined if it names nothing that is there
 */
export async function readUrl(
  session: Session,
  url: string,
  limit: number,
  each: (bytes: Uint8Array) => void,
): Promise<number | undefined> {
  const u = parseUrl(url);
  if (!u) return undefined;
  const p = await findPlace(session, u.mailbox ?? session.view?.name ?? "");
  if (!p?.rights.includes("r")) return undefined;
  const { account, mailbox: m } = p;
  return readMessage(account, m, u, limit, each);
}

/** The same for a parsed URL, of a mailbox that may be read. */
export function readMessage(
  account: Account,
  mailbox: Mailbox,
  url: MessageUrl,
  limit: number,
  each: (bytes: Uint8Array) => void,
): number | undefined {
  if (url.uidValidity !== undefined && url.uidValidity !== mailbox.uidValidity) return undefined;
  let found: { emailId: EmailId; size: number; structure: string } | undefined;
  account.fetch(mailbox.id, [url.uid], Want.Content, (row) => {
    found = { emailId: row.emailId, size: row.size, structure: row.structure };
  });
  if (!found) return undefined;
  const span = sectionSpan(unpackStructure(found.structure), url.section, found.size);
  if (!span) return undefined;
  const reader = account.openMessage(found.emailId);
  try {
    if (url.section.fields.length > 0) {
      const all = readSection(reader, span, url.section);
      const bytes = url.partial
        ? all.subarray(url.partial[0], url.partial[0] + url.partial[1])
        : all;
      each(bytes);
      return bytes.length;
    }
    let from = span.from;
    let to = span.to;
    if (url.partial) {
      from = Math.min(to, from + url.partial[0]);
      to = Math.min(to, from + url.partial[1]);
    }
    const total = to - from;
    if (total > limit) return total;
    for (; from < to; from += chunk) each(reader.read(from, Math.min(to, from + chunk)));
    return total;
  } finally {
    reader.close();
  }
}
