/**
 * Mailboxes: names, hierarchy, special uses, subscriptions and counts.
 *
 * The functions that change something run inside a write (see writer.ts).
 *
 * @module
 */
import type { Db, Row } from "./database.ts";
import { type Mailbox, type MailboxCounts, SpecialUse, StoreError } from "./types.ts";
import type { WriteContext } from "./writer.ts";

/** Longest mailbox name, in UTF-8 bytes. */
export const maxMailboxNameBytes = 1000;
/** Deepest hierarchy. */
export const maxMailboxDepth = 32;

const columns =
  "id, parent_id, name, uidvalidity, uidnext, modseq, createseq, special_use, keywords, " +
  "total, deleted, unread, unseen, size";

function fromRow(r: Row): Mailbox {
  return {
    id: r[0],
    parentId: r[1],
    name: r[2],
    uidValidity: r[3],
    uidNext: r[4],
    modseq: r[5],
    createseq: r[6],
    specialUse: r[7],
    keywords: r[8] === "" ? [] : r[8].split(" "),
    total: r[9],
    deleted: r[10],
    unread: r[11],
    unseen: r[12],
    size: r[13],
  };
}

/**
 * The name as it is stored: Unicode NFC, "Inbox" spelled so in any case of the first level.
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
  if (/[%*]/.test(name)) throw bad('has "%" or "*"');
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

export function mailboxById(db: Db, id: number): Mailbox | undefined {
  const r = db.get(`SELECT ${columns} FROM mailboxes WHERE id = ? AND expunged = 0`, id);
  return r && fromRow(r);
}

/** By name in any spelling; undefined also for names that can't exist. */
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
export function requireMailbox(db: Db, id: number): Mailbox {
  const m = mailboxById(db, id);
  if (!m) throw new StoreError("mailboxMissing", "mailbox does not exist (any more)");
  return m;
}

/** Raises the account's modseq; each change gets a new one. */
export function nextModseq(db: Db): number {
  return db.get("UPDATE state SET modseq = modseq + 1 RETURNING modseq")![0];
}

function insertMailbox(db: Db, name: string, specialUse: number, modseq: number): Mailbox {
  const slash = name.lastIndexOf("/");
  const parent = slash < 0 ? undefined : mailboxByName(db, name.slice(0, slash));
  const uidValidity = db.get(
    "UPDATE state SET uidvalidity = max(uidvalidity + 1, ?) RETURNING uidvalidity",
    // Also rises over an account that is removed and made again with the same name.
    Math.floor(Date.now() / 1000) - 1_600_000_000,
  )![0];
  const { lastInsertRowid } = db.run(
    "INSERT INTO mailboxes (parent_id, name, uidvalidity, uidnext, modseq, createseq, special_use) " +
      "VALUES (?, ?, ?, 1, ?, ?, ?)",
    parent?.id ?? 0,
    name,
    uidValidity,
    modseq,
    modseq,
    specialUse,
  );
  // RFC 4314 §4: who may use the parent may use it in the same way.
  if (parent) {
    db.run(
      "INSERT INTO mailbox_rights (mailbox_id, identifier, rights) " +
        "SELECT ?, identifier, rights FROM mailbox_rights WHERE mailbox_id = ?",
      lastInsertRowid,
      parent.id,
    );
  }
  return requireMailbox(db, lastInsertRowid);
}

/**
 * Makes a mailbox and the parents it lacks, subscribed.
 * @throws StoreError "mailboxExists", "mailboxName", "specialUse"
 */
export function createMailbox(
  db: Db,
  ctx: WriteContext,
  name: string,
  specialUse = 0,
): { mailbox: Mailbox; created: Mailbox[] } {
  name = normalizeMailboxName(name);
  if (mailboxByName(db, name)) {
    throw new StoreError("mailboxExists", `mailbox ${name} exists already`);
  }
  if (specialUse !== 0) {
    const holder = mailboxBySpecialUse(db, specialUse);
    if (holder) {
      throw new StoreError("specialUse", `mailbox ${holder.name} has this special use already`);
    }
  }
  const modseq = nextModseq(db);
  const created: Mailbox[] = [];
  const levels = name.split("/");
  for (let i = 1; i <= levels.length; i++) {
    const path = levels.slice(0, i).join("/");
    if (mailboxByName(db, path)) continue;
    const mailbox = insertMailbox(db, path, i === levels.length ? specialUse : 0, modseq);
    db.run("INSERT OR IGNORE INTO subscriptions (name) VALUES (?)", path);
    created.push(mailbox);
    ctx.changes.push({ kind: "addMailbox", mailbox, subscribed: true, modseq });
  }
  return { mailbox: created[created.length - 1], created };
}

/** The mailbox of that name, made if it is missing. */
export function ensureMailbox(db: Db, ctx: WriteContext, name: string): Mailbox {
  return mailboxByName(db, name) ?? createMailbox(db, ctx, name).mailbox;
}

/**
 * Renames a mailbox and all below it; subscriptions follow. Missing parents of the new name are made.
 * Renaming Inbox is the caller's business: its messages move (RFC 9051 §6.3.6).
 * @throws StoreError "mailboxMissing", "mailboxExists", "mailboxName", "inbox"
 */
export function renameMailbox(
  db: Db,
  ctx: WriteContext,
  oldName: string,
  newName: string,
): Mailbox[] {
  const mailbox = mailboxByName(db, oldName);
  if (!mailbox) throw new StoreError("mailboxMissing", `no mailbox ${oldName}`);
  newName = normalizeMailboxName(newName);
  if (mailbox.name === "Inbox") throw new StoreError("inbox", "Inbox can't be renamed");
  if (mailboxByName(db, newName)) {
    throw new StoreError("mailboxExists", `mailbox ${newName} exists already`);
  }
  if (newName.startsWith(`${mailbox.name}/`)) {
    throw new StoreError("mailboxName", "a mailbox can't be moved below itself");
  }
  const slash = newName.lastIndexOf("/");
  if (slash > 0) ensureMailbox(db, ctx, newName.slice(0, slash));
  const modseq = nextModseq(db);
  const renamed: Mailbox[] = [];
  const prefix = `${mailbox.name}/`;
  const affected = listMailboxes(db).filter((m) =>
    m === mailbox || m.id === mailbox.id || m.name.startsWith(prefix)
  );
  for (const m of affected) {
    const name = normalizeMailboxName(newName + m.name.slice(mailbox.name.length));
    const cut = name.lastIndexOf("/");
    const parent = cut < 0 ? 0 : mailboxByName(db, name.slice(0, cut))?.id ?? 0;
    db.run(
      "UPDATE mailboxes SET name = ?, parent_id = ?, modseq = ? WHERE id = ?",
      name,
      parent,
      modseq,
      m.id,
    );
    const subscribed = db.run("DELETE FROM subscriptions WHERE name = ?", m.name).changes > 0;
    if (subscribed) db.run("INSERT OR IGNORE INTO subscriptions (name) VALUES (?)", name);
    ctx.changes.push({
      kind: "renameMailbox",
      mailboxId: m.id,
      oldName: m.name,
      newName: name,
      modseq,
    });
    renamed.push(requireMailbox(db, m.id));
  }
  return renamed;
}

/** Gives a mailbox its special uses, in place of those it had. @throws StoreError "specialUse" */
export function setSpecialUse(db: Db, ctx: WriteContext, mailboxId: number, bits: number): void {
  const mailbox = requireMailbox(db, mailboxId);
  for (const bit of Object.values(SpecialUse)) {
    if ((bits & bit) === 0) continue;
    const holder = mailboxBySpecialUse(db, bit);
    if (holder && holder.id !== mailboxId) {
      throw new StoreError("specialUse", `mailbox ${holder.name} has this special use already`);
    }
  }
  if (mailbox.specialUse === bits) return;
  const modseq = nextModseq(db);
  db.run("UPDATE mailboxes SET special_use = ?, modseq = ? WHERE id = ?", bits, modseq, mailboxId);
  ctx.changes.push({
    kind: "mailboxSpecialUse",
    mailboxId,
    name: mailbox.name,
    specialUse: bits,
    modseq,
  });
}

/** Subscribes to a name; the mailbox need not exist (RFC 9051 §6.3.7). */
export function subscribe(db: Db, ctx: WriteContext, name: string): void {
  name = normalizeMailboxName(name);
  if (db.run("INSERT OR IGNORE INTO subscriptions (name) VALUES (?)", name).changes > 0) {
    ctx.changes.push({ kind: "subscription", name, subscribed: true });
  }
}

export function unsubscribe(db: Db, ctx: WriteContext, name: string): void {
  name = normalizeMailboxName(name);
  if (db.run("DELETE FROM subscriptions WHERE name = ?", name).changes > 0) {
    ctx.changes.push({ kind: "subscription", name, subscribed: false });
  }
}

export function subscriptions(db: Db): string[] {
  return db.all("SELECT name FROM subscriptions ORDER BY name").map((r) => r[0]);
}

/** A change in a mailbox's counts, summed up over the messages that a write touches. */
export class CountDelta implements MailboxCounts {
  total = 0;
  deleted = 0;
  unread = 0;
  unseen = 0;
  size = 0;

  /** Adds (`sign` 1) or takes away (-1) a message with these flags and size. */
  count(sign: 1 | -1, flags: number, size: number): void {
    this.total += sign;
    this.size += sign * size;
    this.countFlags(sign, flags);
  }

  /** The same for the counts that depend on flags only. */
  countFlags(sign: 1 | -1, flags: number): void {
    const seen = (flags & 1) !== 0;
    const deleted = (flags & 8) !== 0;
    if (deleted) this.deleted += sign;
    if (!seen) this.unseen += sign;
    if (!seen && !deleted) this.unread += sign;
  }
}

/** Applies a delta and the change's modseq, and tells the new counts. */
export function applyCounts(
  db: Db,
  ctx: WriteContext,
  mailboxId: number,
  delta: CountDelta,
  modseq: number,
): void {
  const r = db.get(
    "UPDATE mailboxes SET total = total + ?, deleted = deleted + ?, unread = unread + ?, " +
      "unseen = unseen + ?, size = size + ?, modseq = max(modseq, ?) WHERE id = ? " +
      "RETURNING total, deleted, unread, unseen, size",
    delta.total,
    delta.deleted,
    delta.unread,
    delta.unseen,
    delta.size,
    modseq,
    mailboxId,
  )!;
  ctx.changes.push({
    kind: "mailboxCounts",
    mailboxId,
    counts: { total: r[0], deleted: r[1], unread: r[2], unseen: r[3], size: r[4] },
  });
}
