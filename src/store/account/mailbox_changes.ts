/**
 * Changes of mailboxes: creating, renaming, removing, special uses and subscriptions.
 *
 * The functions run inside a write (see writer.ts).
 *
 * @module
 */
import { asMailboxId, type EmailId, type MailboxId, noMailbox } from "../ids.ts";
import { moveMessages } from "../messages/copy_move.ts";
import type { Db } from "../database/database.ts";
import { expungeMessages } from "../messages/expunge.ts";
import { mailboxUids } from "../messages/fetch.ts";
import type { MailboxRules } from "../messages/insert.ts";
import {
  listMailboxes,
  mailboxByName,
  mailboxBySpecialUse,
  nextModseq,
  normalizeMailboxName,
  requireMailbox,
} from "../mailboxes/mailboxes.ts";
import { type Mailbox, SpecialUse, StoreError } from "../types.ts";
import type { WriteContext } from "../database/writer.ts";

function insertMailbox(db: Db, name: string, specialUse: number, modseq: number): Mailbox {
  const slash = name.lastIndexOf("/");
  const parent = slash < 0 ? undefined : mailboxByName(db, name.slice(0, slash));
  const uidValidity = db.get(
    "UPDATE state SET uidvalidity = max(uidvalidity + 1, ?) RETURNING uidvalidity",
    // This also rises when an account is removed and created again under the same name.
    Math.floor(Date.now() / 1000) - 1_600_000_000,
  )![0];
  const { lastInsertRowid } = db.run(
    "INSERT INTO mailboxes (parent_id, name, uidvalidity, uidnext, modseq, createseq, formseq, special_use) " +
      "VALUES (?, ?, ?, 1, ?4, ?4, ?4, ?5)",
    parent?.id ?? 0,
    name,
    uidValidity,
    modseq,
    specialUse,
  );
  // RFC 4314 §4: a new mailbox inherits the rights of its parent.
  if (parent) {
    db.run(
      "INSERT INTO mailbox_rights (mailbox_id, identifier, rights) " +
        "SELECT ?, identifier, rights FROM mailbox_rights WHERE mailbox_id = ?",
      lastInsertRowid,
      parent.id,
    );
  }
  return requireMailbox(db, asMailboxId(lastInsertRowid));
}

/**
 * Creates a mailbox and its missing parents, subscribed.
 * @param limit the most mailboxes that the account may have; no limit for those that the server creates for
 * incoming mail
 * @throws StoreError "mailboxExists", "mailboxName", "specialUse", "overQuota"
 */
export function createMailbox(
  db: Db,
  ctx: WriteContext,
  name: string,
  specialUse = 0,
  limit?: number,
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
  if (limit !== undefined && countMailboxes(db) > limit) {
    throw new StoreError(
      "overQuota",
      `account is over its quota of ${limit} mailboxes (QuotaMailboxes)`,
    );
  }
  return { mailbox: created[created.length - 1], created };
}

/** Mailboxes of the account (RFC 9208 §5.3). */
export function countMailboxes(db: Db): number {
  return db.get("SELECT count(*) FROM mailboxes WHERE expunged = 0")![0] as number;
}

/** The mailbox of that name, created if it is missing. */
export function ensureMailbox(db: Db, ctx: WriteContext, name: string): Mailbox {
  return mailboxByName(db, name) ?? createMailbox(db, ctx, name).mailbox;
}

/**
 * Renames a mailbox and all below it; subscriptions follow. Missing parents of the new name are created.
 * Renaming Inbox moves its messages to a new mailbox (RFC 9051 §6.3.6).
 * @param train called after the commit with the messages that became ham or spam by that move, or are neither
 * any more
 * @throws StoreError "mailboxMissing", "mailboxExists", "mailboxName"
 */
export function renameMailbox(
  db: Db,
  ctx: WriteContext,
  rules: MailboxRules,
  oldName: string,
  newName: string,
  train: (messageIds: number[]) => void,
): Mailbox[] {
  const mailbox = mailboxByName(db, oldName);
  if (!mailbox) throw new StoreError("mailboxMissing", `no mailbox ${oldName}`);
  if (mailbox.name === "Inbox") return renameInbox(db, ctx, rules, mailbox, newName, train);
  newName = normalizeMailboxName(newName);
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
      "UPDATE mailboxes SET name = ?1, parent_id = ?2, modseq = ?3, formseq = ?3 WHERE id = ?4",
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

/** A mailbox with the name that it gets. */
export interface Renaming {
  id: MailboxId;
  /** {@link noMailbox} for none. */
  parentId: MailboxId;
  /** Its last level. */
  name: string;
}

/**
 * Renames mailboxes of which each gets the name of the next one, and the last one that of the first. Listeners are told
 * of each step, with a name that one of them has for a moment: so their lists come out right. Nobody else sees it.
 * @throws StoreError as renameMailbox; then nothing is renamed
 */
export function renameInCircle(
  db: Db,
  ctx: WriteContext,
  rules: MailboxRules,
  circle: readonly Renaming[],
): void {
  const rename = (id: MailboxId, to: string) => {
    const { name } = requireMailbox(db, id);
    // Its messages would be moved.
    if (name === "Inbox") throw new StoreError("inbox", "Inbox can't be renamed");
    if (name !== to) renameMailbox(db, ctx, rules, name, to, () => {});
  };
  let n = 0;
  while (mailboxByName(db, `~${n}`)) n++;
  rename(circle[0].id, `~${n}`);
  for (const { id, parentId, name } of [...circle.slice(1).reverse(), circle[0]]) {
    const above = parentId === noMailbox ? "" : `${requireMailbox(db, parentId).name}/`;
    rename(id, above + name);
  }
}

/** Gives mailboxes special uses that others of them have. @throws StoreError "specialUse" */
export function setSpecialUses(
  db: Db,
  ctx: WriteContext,
  uses: readonly { id: MailboxId; bits: number }[],
): void {
  for (const { id } of uses) setSpecialUse(db, ctx, id, 0);
  for (const { id, bits } of uses) setSpecialUse(db, ctx, id, bits);
}

function renameInbox(
  db: Db,
  ctx: WriteContext,
  rules: MailboxRules,
  inbox: Mailbox,
  newName: string,
  train: (messageIds: number[]) => void,
): Mailbox[] {
  const { mailbox, created } = createMailbox(db, ctx, newName, 0, rules.quotaMailboxes?.());
  const uids = mailboxUids(db, inbox.id);
  const { trainable } = moveMessages(db, ctx, rules, inbox.id, uids, mailbox.id);
  if (trainable.length > 0) ctx.afterCommit(() => train(trainable));
  return created.map((m) => requireMailbox(db, m.id));
}

/**
 * Removes a mailbox with its messages.
 * @param removeFiles called after the commit with the emails that are in no mailbox any more
 * @throws StoreError "inbox", "mailboxHasChildren", "mailboxMissing"
 */
export function deleteMailbox(
  db: Db,
  ctx: WriteContext,
  name: string,
  removeFiles: (emailIds: EmailId[]) => void,
  keepSubscription: boolean,
): void {
  const m = mailboxByName(db, name);
  if (!m) throw new StoreError("mailboxMissing", `no mailbox ${name}`);
  if (m.name === "Inbox") throw new StoreError("inbox", "Inbox can't be removed");
  if (listMailboxes(db).some((c) => c.name.startsWith(`${m.name}/`))) {
    throw new StoreError("mailboxHasChildren", `mailbox ${m.name} has mailboxes below it`);
  }
  expungeMessages(db, ctx, m.id, undefined, true, removeFiles);
  const modseq = nextModseq(db);
  db.run(
    "UPDATE mailboxes SET expunged = 1, modseq = ?1, formseq = ?1, special_use = 0 WHERE id = ?2",
    modseq,
    m.id,
  );
  db.run("DELETE FROM annotations WHERE mailbox_id = ?", m.id);
  db.run("DELETE FROM mailbox_rights WHERE mailbox_id = ?", m.id);
  db.run("DELETE FROM url_keys WHERE mailbox_id = ?", m.id);
  ctx.changes.push({ kind: "removeMailbox", mailboxId: m.id, name: m.name, modseq });
  // It was subscribed when it was created; a subscription that somebody asked for stays (RFC 9051 §6.3.7).
  if (!keepSubscription) unsubscribe(db, ctx, m.name);
}

/** Sets the special uses of a mailbox, replacing the old ones. @throws StoreError "specialUse" */
export function setSpecialUse(db: Db, ctx: WriteContext, mailboxId: MailboxId, bits: number): void {
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
  db.run(
    "UPDATE mailboxes SET special_use = ?1, modseq = ?2, formseq = ?2 WHERE id = ?3",
    bits,
    modseq,
    mailboxId,
  );
  ctx.changes.push({
    kind: "mailboxSpecialUse",
    mailboxId,
    name: mailbox.name,
    specialUse: bits,
    modseq,
  });
}

/** Notes a change of a mailbox that JMAP shows and IMAP doesn't: its modseq stays. */
function noteForm(db: Db, name: string): void {
  const m = mailboxByName(db, name);
  if (m) db.run("UPDATE mailboxes SET formseq = ? WHERE id = ?", nextModseq(db), m.id);
}

/** Sets a mailbox's place among the others, as JMAP clients show them (RFC 8621 §2). */
export function setSortOrder(db: Db, mailboxId: MailboxId, order: number): void {
  requireMailbox(db, mailboxId);
  db.run(
    "UPDATE mailboxes SET sort_order = ?1, formseq = ?2 WHERE id = ?3 AND sort_order != ?1",
    order,
    nextModseq(db),
    mailboxId,
  );
}

/** Subscribes to a name; the mailbox need not exist (RFC 9051 §6.3.7). */
export function subscribe(db: Db, ctx: WriteContext, name: string): void {
  name = normalizeMailboxName(name);
  if (db.run("INSERT OR IGNORE INTO subscriptions (name) VALUES (?)", name).changes > 0) {
    noteForm(db, name);
    ctx.changes.push({ kind: "subscription", name, subscribed: true });
  }
}

export function unsubscribe(db: Db, ctx: WriteContext, name: string): void {
  name = normalizeMailboxName(name);
  if (db.run("DELETE FROM subscriptions WHERE name = ?", name).changes > 0) {
    noteForm(db, name);
    ctx.changes.push({ kind: "subscription", name, subscribed: false });
  }
}
