/**
 * Mailboxes: their names and how to look them up. account/mailbox_changes.ts changes them.
 *
 * @module
 */
import type { MailboxId } from "../ids.ts";
import type { Db, Row } from "../database/database.ts";
import { type Mailbox, StoreError } from "../types.ts";

/** Longest mailbox name, in UTF-8 bytes. */
export const maxMailboxNameBytes = 1000;
/** Deepest hierarchy. */
export const maxMailboxDepth = 32;

const columns =
  "id, parent_id, name, uidvalidity, uidnext, modseq, createseq, special_use, keywords, " +
  "total, deleted, unread, unseen, size, formseq, sort_order";

function fromRow(row: Row): Mailbox {
  return {
    id: row[0],
    parentId: row[1],
    name: row[2],
    uidValidity: row[3],
    uidNext: row[4],
    modseq: row[5],
    createseq: row[6],
    specialUse: row[7],
    keywords: row[8] === "" ? [] : row[8].split(" "),
    total: row[9],
    deleted: row[10],
    unread: row[11],
    unseen: row[12],
    size: row[13],
    formseq: row[14],
    sortOrder: row[15],
  };
}

/**
 * The stored form of a name: Unicode NFC, with a first level "inbox" in any case spelled "Inbox".
 * @throws StoreError "mailboxName" for names that can't be used.
 */
export function normalizeMailboxName(name: string): string {
  const bad = (why: string) => new StoreError("mailboxName", `bad mailbox name: ${why}`);
  name = name.normalize("NFC");
  if (name === "") throw bad("empty");
  if (name.startsWith("/") || name.endsWith("/")) throw bad('starts or ends with "/"');
  if (name.startsWith("#")) throw bad('starts with "#"');
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) throw bad("has a control character");
  if (!name.isWellFormed()) throw bad("is not valid Unicode");
  if (new TextEncoder().encode(name).length > maxMailboxNameBytes) {
    throw bad(`longer than ${maxMailboxNameBytes} bytes`);
  }
  const levels = name.split("/");
  if (levels.length > maxMailboxDepth) throw bad(`more than ${maxMailboxDepth} levels`);
  if (levels.some((l) => l === "" || l === "." || l === "..")) {
    throw bad('has an empty level, "." or ".."');
  }
  if (levels[0].toLowerCase() === "inbox") levels[0] = "Inbox";
  return levels.join("/");
}

function compareNames(a: Mailbox, b: Mailbox): number {
  const inbox = Number(b.name === "Inbox") - Number(a.name === "Inbox");
  return inbox || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** All live mailboxes: Inbox first, then by name. */
export function listMailboxes(db: Db): Mailbox[] {
  return db.all(`SELECT ${columns} FROM mailboxes WHERE expunged = 0`).map(fromRow).sort(
    compareNames,
  );
}

export function mailboxById(db: Db, id: MailboxId): Mailbox | undefined {
  const r = db.get(`SELECT ${columns} FROM mailboxes WHERE id = ? AND expunged = 0`, id);
  return r && fromRow(r);
}

/** A mailbox by name in any spelling; also undefined for names that can't exist. */
export function mailboxByName(db: Db, name: string): Mailbox | undefined {
  try {
    name = normalizeMailboxName(name);
  } catch {
    return undefined;
  }
  const r = db.get(`SELECT ${columns} FROM mailboxes WHERE name = ? AND expunged = 0`, name);
  return r && fromRow(r);
}

export function mailboxBySpecialUse(db: Db, bit: number): Mailbox | undefined {
  const r = db.get(
    `SELECT ${columns} FROM mailboxes WHERE expunged = 0 AND special_use & ? != 0 ORDER BY id LIMIT 1`,
    bit,
  );
  return r && fromRow(r);
}

/** @throws StoreError "mailboxMissing" */
export function requireMailbox(db: Db, id: MailboxId): Mailbox {
  const m = mailboxById(db, id);
  if (!m) throw new StoreError("mailboxMissing", "mailbox does not exist (any more)");
  return m;
}

/** Raises the account's modseq; each change gets a new one. */
export function nextModseq(db: Pick<Db, "get">): number {
  return db.get("UPDATE state SET modseq = modseq + 1 RETURNING modseq")![0];
}

export function subscriptions(db: Db): string[] {
  return db.all("SELECT name FROM subscriptions ORDER BY name").map((r) => r[0]);
}

/** Mailboxes removed at a modseq or later. */
export function goneMailboxesSince(
  db: Pick<Db, "all">,
  modseq: number,
): { id: MailboxId; modseq: number; createseq: number }[] {
  return db.all(
    "SELECT id, modseq, createseq FROM mailboxes WHERE expunged = 1 AND modseq >= ?",
    modseq,
  )
    .map((r) => ({ id: r[0], modseq: r[1], createseq: r[2] }));
}
