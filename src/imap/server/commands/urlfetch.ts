/**
 * URLFETCH (RFC 4467 §7), with what RFC 5524 adds: bytes of a part with its transfer encoding undone, and its structure.
 *
 * @module
 */
import type { EmailId } from "../../../store/ids.ts";
import { unpackStructure } from "../../../mail/structure/packed.ts";
import type { Account } from "../../../store/account/account.ts";
import { StoreError, Want } from "../../../store/types.ts";
import { formatString } from "../../format/text.ts";
import type { Cursor } from "../../parse/cursor.ts";
import { structureOfPart, withoutGlobal } from "../fetch/plain_structure.ts";
import { binaryPieces } from "../fetch/sections.ts";
import { ImapNo } from "../session/answer.ts";
import {
  type AuthorizedUrl,
  isAuthorized,
  maxUrls,
  parseAuthorizedUrl,
  urlAccount,
} from "../messages/authorized_url.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { readMessage } from "../messages/url.ts";
import type { Session } from "../session/session.ts";
import { joined } from "../../../platform/bytes.ts";

/** What may be asked of a URL (RFC 5524 §3.2). */
type Item = "BODY" | "BINARY" | "BODYPARTSTRUCTURE";

interface Wanted {
  url: string;
  /** Undefined for the plain form of RFC 4467. */
  items: Set<Item> | undefined;
}

/** Runs with the account of a URL that the session may use; undefined if it may not. */
async function withUrl<T>(
  session: Session,
  url: AuthorizedUrl | undefined,
  fn: (account: Account, u: AuthorizedUrl) => T | Promise<T>,
): Promise<T | undefined> {
  const name = url && urlAccount(session, url);
  if (name === undefined) return undefined;
  const own = name === session.store.name;
  let account = session.store;
  if (!own) {
    try {
      account = await session.backend.sharing!.open(name);
    } catch (err) {
      if (err instanceof StoreError && err.code === "accountMissing") return undefined;
      throw err;
    }
  }
  try {
    return isAuthorized(session, url!, account, Date.now()) ? await fn(account, url!) : undefined;
  } finally {
    if (!own) account.close();
  }
}

/** Bytes that a URL names; undefined if it names nothing that is there. */
function bytesOf(session: Session, account: Account, url: AuthorizedUrl): Uint8Array | undefined {
  const mailbox = account.mailboxByName(url.message.mailbox)!;
  const parts: Uint8Array[] = [];
  const limit = session.backend.maxMessageSize;
  const size = readMessage(account, mailbox, url.message, limit, (b) => parts.push(b.slice()));
  return size === undefined || size > limit ? undefined : joined(parts);
}

/** The structure of the part that a URL names, "NIL" if it names no part. */
function structureOf(session: Session, account: Account, url: AuthorizedUrl): string {
  const { section, uid } = url.message;
  if (section.text !== "" || url.message.partial) return "NIL";
  let body = "";
  const mailbox = account.mailboxByName(url.message.mailbox)!;
  account.fetch(mailbox.id, [uid], Want.Body, (row) => void (body = row.body));
  const plain = session.enabled.has("IMAP4REV2") || session.utf8 ? body : withoutGlobal(body);
  return structureOfPart(plain, section.part) ?? "NIL";
}

/** The decoded part that a URL names; "unknown" if it can't be decoded. */
async function decodedOf(
  session: Session,
  account: Account,
  url: AuthorizedUrl,
): Promise<Uint8Array | "unknown" | undefined> {
  const { section, uid, partial } = url.message;
  // Headers have no transfer encoding.
  if (section.text !== "") return bytesOf(session, account, url);
  const mailbox = account.mailboxByName(url.message.mailbox)!;
  let found: { emailId: EmailId; size: number; structure: string } | undefined;
  account.fetch(mailbox.id, [uid], Want.Content, (row) => {
    found = { emailId: row.emailId, size: row.size, structure: row.structure };
  });
  if (!found || found.size > session.backend.maxMessageSize) return undefined;
  const reader = account.openMessage(found.emailId);
  try {
    const work = binaryPieces(reader, unpackStructure(found.structure), section);
    for (;;) {
      const step = work.next();
      if (!step.done) {
        // Yields to others while a large part is decoded.
        await new Promise((resolve) => setTimeout(resolve, 0));
        continue;
      }
      if (step.value === "missing") return undefined;
      if (step.value === "unknown") return "unknown";
      const all = joined(step.value);
      return partial ? all.subarray(partial[0], partial[0] + partial[1]) : all;
    }
  } finally {
    reader.close();
  }
}

function writeLiteral(session: Session, bytes: Uint8Array | undefined): void {
  if (!bytes) return session.conn.write("NIL");
  // A literal must not have NUL (RFC 3516 §4.1).
  session.conn.write(`${bytes.includes(0) ? "~" : ""}{${bytes.length}}\r\n`);
  session.conn.write(bytes);
}

/** Answers the form of RFC 5524. @returns whether an encoding could not be undone */
async function extended(session: Session, { url, items }: Wanted): Promise<boolean> {
  let unknown = false;
  const found = await withUrl(session, parseAuthorizedUrl(url), async (account, url) => {
    const plain = bytesOf(session, account, url);
    if (!plain) return undefined;
    const decoded = items!.has("BINARY") ? await decodedOf(session, account, url) : undefined;
    unknown = decoded === "unknown";
    const structure = items!.has("BODYPARTSTRUCTURE")
      ? structureOf(session, account, url)
      : undefined;
    return { plain, decoded: decoded === "unknown" ? undefined : decoded, structure };
  });
  session.conn.write(`* URLFETCH ${formatString(url, session.utf8)}`);
  // RFC 4467 §7: why is not told.
  if (!found) session.conn.write(" NIL");
  else {
    if (found.structure !== undefined) {
      session.conn.write(` (BODYPARTSTRUCTURE ${found.structure})`);
    }
    for (const item of ["BINARY", "BODY"] as const) {
      if (!items!.has(item)) continue;
      session.conn.write(` (${item} `);
      writeLiteral(session, item === "BODY" ? found.plain : found.decoded);
      session.conn.write(")");
    }
  }
  session.conn.write("\r\n");
  await session.conn.flush();
  return unknown;
}

/** Reads `"url"` or `("url" BODYPARTSTRUCTURE BINARY)`. */
function readWanted(cursor: Cursor): Wanted {
  if (!cursor.take("(")) return { url: cursor.astring("URL"), items: undefined };
  const url = cursor.astring("URL");
  const items = new Set<Item>();
  while (!cursor.take(")")) {
    cursor.sp();
    const item = cursor.atom("item").toUpperCase();
    if (item !== "BODY" && item !== "BINARY" && item !== "BODYPARTSTRUCTURE") {
      cursor.fail("BODY, BINARY or BODYPARTSTRUCTURE");
    }
    items.add(item);
  }
  if (items.has("BODY") && items.has("BINARY")) cursor.fail("BODY or BINARY, not both");
  return { url, items: items.size > 0 ? items : undefined };
}

export const urlFetch: Command = {
  name: "URLFETCH",
  states: loggedIn,
  capabilities: ["URLAUTH=BINARY"],
  parse(cursor, session) {
    const wanted: Wanted[] = [];
    do {
      cursor.sp();
      if (wanted.length >= maxUrls) cursor.fail(`at most ${maxUrls} URLs`);
      wanted.push(readWanted(cursor));
    } while (!cursor.atEnd);
    return async () => {
      let unknown = false;
      for (const w of wanted) {
        if (w.items) {
          unknown = await extended(session, w) || unknown;
          continue;
        }
        const bytes = await withUrl(
          session,
          parseAuthorizedUrl(w.url),
          (account, u) => bytesOf(session, account, u),
        );
        session.conn.write(`* URLFETCH ${formatString(w.url, session.utf8)} `);
        // RFC 4467 §7: why is not told.
        if (bytes) {
          session.conn.write(`{${bytes.length}}\r\n`);
          session.conn.write(bytes);
        } else session.conn.write("NIL");
        session.conn.write("\r\n");
        await session.conn.flush();
      }
      if (unknown) throw new ImapNo("a transfer encoding can't be undone", "UNKNOWN-CTE");
    };
  },
};
