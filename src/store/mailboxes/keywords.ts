/**
 * Keywords: flags without a bit of their own. Stored in lower case and sorted, as one text per row.
 *
 * @module
 */
import type { MailboxId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import { flagNames, StoreError } from "../types.ts";
import type { WriteContext } from "../database/writer.ts";

/** Most keywords of a mailbox; more are refused with a clear NO. */
export const maxKeywordsPerMailbox = 1000;
/** Most keywords of a message. */
export const maxKeywordsPerMessage = 100;
/** Most bytes of a keyword. */
export const maxKeywordBytes = 100;

const bits = new Map(flagNames.map(([bit, name]) => [name.toLowerCase(), bit]));
// Other clients' spellings of flags that have a bit.
for (
  const [name, of] of [["$forwarded", 32], ["forwarded", 32], ["junk", 64], ["nonjunk", 128], [
    "notjunk",
    128,
  ], ["phishing", 256]] as const
) {
  bits.set(name, of);
}

/** The bit of a flag such as `\Seen` or `$Junk`, in any case. */
export function flagBit(name: string): number | undefined {
  return bits.get(name.toLowerCase());
}

/**
 * Checks keywords and brings them into the stored form: lower case, sorted, each once.
 * @throws StoreError "keyword" for characters that IMAP atoms can't have.
 */
export function normalizeKeywords(keywords: readonly string[]): string[] {
  const r = new Set<string>();
  for (const k of keywords) {
    const lower = k.toLowerCase();
    // RFC 9051 §9: flag-keyword is an atom.
    if (!/^[\x21-\x7e]+$/.test(lower) || /[(){%*"\\\]]/.test(lower)) {
      throw new StoreError(
        "keyword",
        `keyword ${JSON.stringify(k)} has a character that is not allowed`,
      );
    }
    if (lower.length > maxKeywordBytes) {
      throw new StoreError("keyword", `keyword is longer than ${maxKeywordBytes} bytes`);
    }
    r.add(lower);
  }
  if (r.size > maxKeywordsPerMessage) {
    throw new StoreError("tooManyKeywords", `a message can have ${maxKeywordsPerMessage} keywords`);
  }
  return [...r].sort();
}

/**
 * Adds keywords to those known in the mailbox, in the spelling first used: messages have them in lower case.
 * @throws StoreError "tooManyKeywords"
 */
export function addMailboxKeywords(
  db: Db,
  ctx: WriteContext,
  mailboxId: MailboxId,
  keywords: readonly string[],
): void {
  if (keywords.length === 0) return;
  const text = db.get("SELECT keywords FROM mailboxes WHERE id = ?", mailboxId)![0] as string;
  const known = spellings(text === "" ? [] : text.split(" "));
  const before = known.size;
  for (const k of keywords) if (!known.has(k.toLowerCase())) known.set(k.toLowerCase(), k);
  if (known.size === before) return;
  if (known.size > maxKeywordsPerMailbox) {
    throw new StoreError("tooManyKeywords", `a mailbox can have ${maxKeywordsPerMailbox} keywords`);
  }
  const all = [...known].sort(([a], [b]) => a < b ? -1 : 1).map(([, k]) => k);
  db.run("UPDATE mailboxes SET keywords = ? WHERE id = ?", all.join(" "), mailboxId);
  ctx.changes.push({ kind: "mailboxKeywords", mailboxId, keywords: all });
}

/** Forgets keywords of a mailbox that none of its messages has, of those that may be forgotten. */
export function forgetUnusedKeywords(
  db: Db,
  ctx: WriteContext,
  mailboxId: MailboxId,
  mayForget: (keyword: string) => boolean,
): void {
  const text = db.get("SELECT keywords FROM mailboxes WHERE id = ?", mailboxId)?.[0] as string ??
    "";
  const known = text === "" ? [] : text.split(" ");
  if (!known.some(mayForget)) return;
  const used = new Set<string>();
  for (
    const [keywords] of db.all(
      "SELECT DISTINCT keywords FROM messages WHERE mailbox_id = ? AND expunged = 0",
      mailboxId,
    )
  ) for (const k of (keywords as string).split(" ")) used.add(k);
  const left = known.filter((k) => used.has(k.toLowerCase()) || !mayForget(k));
  if (left.length === known.length) return;
  db.run("UPDATE mailboxes SET keywords = ? WHERE id = ?", left.join(" "), mailboxId);
  ctx.changes.push({ kind: "mailboxKeywords", mailboxId, keywords: left });
}

/** A mailbox's keywords in its spelling, by their stored form. */
export function spellings(keywords: readonly string[]): Map<string, string> {
  return new Map(keywords.map((k) => [k.toLowerCase(), k]));
}

/** Keywords of messages in the mailbox's spelling. */
export function spelledIn(db: Db, mailboxId: MailboxId, keywords: Iterable<string>): string[] {
  const text = db.get("SELECT keywords FROM mailboxes WHERE id = ?", mailboxId)?.[0] as string ??
    "";
  const known = spellings(text.split(" "));
  return [...keywords].map((k) => known.get(k) ?? k);
}
