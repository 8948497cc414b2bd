/**
 * Who may do what with a mailbox (RFC 4314). Rights are stored in the mailbox's account; its owner always has
 * all of them, without a row. Identifiers are names of accounts, or "anyone"; with "-" in front the rights are
 * denied.
 *
 * @module
 */
import type { MailboxId } from "../ids.ts";
import type { AccountDb } from "../database/account_db.ts";
import type { Db } from "../database/database.ts";
import { nextModseq, requireMailbox } from "./mailboxes.ts";
import { StoreError } from "../types.ts";

/**
 * lookup, read, keep seen, write flags, insert, post, create below, delete the mailbox, delete messages,
 * expunge, administer.
 */
export const allRights = "lrswipkxtea";
/** Everybody with an account. */
export const anyone = "anyone";
/** Most identifiers of a mailbox. */
const maxIdentifiers = 200;

/** Rights granted to an identifier, or denied with "-" in front. */
export interface Granted {
  identifier: string;
  rights: string;
}

/** Rights in their usual order, each once. */
function ordered(rights: Iterable<string>): string {
  const set = new Set(rights);
  return [...allRights].filter((r) => set.has(r)).join("");
}

/**
 * Parses rights; undefined if there is another letter. RFC 2086 rights that were split stand for their
 * successors (RFC 4314 §2.1.1): "c" for "k", "d" for "x", "t" and "e".
 */
export function parseRights(text: string): string | undefined {
  let rights = "";
  for (const letter of text) {
    if (letter === "c") rights += "k";
    else if (letter === "d") rights += "xte";
    else if (allRights.includes(letter)) rights += letter;
    else return undefined;
  }
  return ordered(rights);
}

/** Rights as sent to clients: old ones know only "c" and "d". */
export function formatRights(rights: string): string {
  const c = rights.includes("k") ? "c" : "";
  const d = /[xte]/.test(rights) ? "d" : "";
  return rights + c + d;
}

/** All rights granted on a mailbox, by identifier. */
export function grantedRights(db: Db, mailboxId: MailboxId): Granted[] {
  return db.all(
    "SELECT identifier, rights FROM mailbox_rights WHERE mailbox_id = ? ORDER BY identifier",
    mailboxId,
  ).map(([identifier, rights]) => ({ identifier, rights }));
}

/** A user's effective rights: those granted to it and to anyone, minus those denied to either. */
export function effectiveRights(account: AccountDb, mailboxId: MailboxId, user: string): string {
  if (user === account.name) return allRights;
  const rows = account.db.all(
    "SELECT identifier, rights FROM mailbox_rights WHERE mailbox_id = ? AND identifier IN (?, ?, ?, ?)",
    mailboxId,
    user,
    anyone,
    `-${user}`,
    `-${anyone}`,
  );
  const granted = new Set<string>();
  for (const [identifier, rights] of rows) {
    if (!identifier.startsWith("-")) { for (const r of rights) granted.add(r); }
  }
  for (const [identifier, rights] of rows) {
    if (identifier.startsWith("-")) { for (const r of rights) granted.delete(r); }
  }
  return ordered(granted);
}

/**
 * Changes the rights granted to an identifier; durable when it resolves. Without rights its row is removed.
 * @throws StoreError "mailboxMissing", "rights" if the mailbox has too many identifiers
 */
export function changeRights(
  account: AccountDb,
  mailboxId: MailboxId,
  identifier: string,
  change: (before: string) => string,
): Promise<void> {
  const { db } = account;
  return account.writer.write(() => {
    requireMailbox(db, mailboxId);
    const before = db.get(
      "SELECT rights FROM mailbox_rights WHERE mailbox_id = ? AND identifier = ?",
      mailboxId,
      identifier,
    )?.[0] ?? "";
    const after = ordered(change(before));
    if (after === before) return;
    db.run("UPDATE mailboxes SET formseq = ? WHERE id = ?", nextModseq(db), mailboxId);
    if (after === "") {
      db.run(
        "DELETE FROM mailbox_rights WHERE mailbox_id = ? AND identifier = ?",
        mailboxId,
        identifier,
      );
      return;
    }
    if (before === "" && grantedRights(db, mailboxId).length >= maxIdentifiers) {
      throw new StoreError("rights", `rights were granted to ${maxIdentifiers} users already`);
    }
    db.run(
      "INSERT INTO mailbox_rights (mailbox_id, identifier, rights) VALUES (?, ?, ?) " +
        "ON CONFLICT (mailbox_id, identifier) DO UPDATE SET rights = excluded.rights",
      mailboxId,
      identifier,
      after,
    );
  });
}

/** Removes all rights of an identifier, granted and denied, in all mailboxes of an account. */
export function forgetIdentifier(account: AccountDb, identifier: string): Promise<void> {
  return account.writer.write(() => {
    account.db.run(
      "DELETE FROM mailbox_rights WHERE identifier IN (?, ?)",
      identifier,
      `-${identifier}`,
    );
  });
}

/** Ids of the account's mailboxes on which somebody has rights. */
export function sharedMailboxIds(db: Db): Set<number> {
  return new Set(db.all("SELECT DISTINCT mailbox_id FROM mailbox_rights").map((r) => r[0]));
}
