/**
 * Who may do what with a mailbox (RFC 4314). Rights are kept in the account of the mailbox; its owner has all
 * of them, always, and no row. Identifiers are names of accounts, or "anyone"; with "-" in front the rights
 * are taken away.
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
/** Everybody who has an account. */
export const anyone = "anyone";
/** Identifiers of a mailbox at most. */
const maxIdentifiers = 200;

/** What an identifier was granted, or with "-" in front denied. */
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
 * Rights of a text; undefined if it has another letter. Those of RFC 2086 that were divided stand for what
 * they became (RFC 4314 §2.1.1): "c" for "k", "d" for "x", "t" and "e".
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

/** Rights as clients are told of them: old ones know "c" and "d" only. */
export function formatRights(rights: string): string {
  const c = rights.includes("k") ? "c" : "";
  const d = /[xte]/.test(rights) ? "d" : "";
  return rights + c + d;
}

/** All that was granted of a mailbox, by identifier. */
export function grantedRights(db: Db, mailboxId: MailboxId): Granted[] {
  return db.all(
    "SELECT identifier, rights FROM mailbox_rights WHERE mailbox_id = ? ORDER BY identifier",
    mailboxId,
  ).map(([identifier, rights]) => ({ identifier, rights }));
}

/** What a user may do: what it and everybody was granted, without what either was denied. */
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
 * Changes what an identifier is granted; durable when it resolves. Without rights its row goes.
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

/** Takes all rights from an identifier, granted and denied, in all mailboxes of an account. */
export function forgetIdentifier(account: AccountDb, identifier: string): Promise<void> {
  return account.writer.write(() => {
    account.db.run(
      "DELETE FROM mailbox_rights WHERE identifier IN (?, ?)",
      identifier,
      `-${identifier}`,
    );
  });
}

/** Ids of the mailboxes of an account that somebody was granted rights of. */
export function sharedMailboxIds(db: Db): Set<number> {
  return new Set(db.all("SELECT DISTINCT mailbox_id FROM mailbox_rights").map((r) => r[0]));
}
