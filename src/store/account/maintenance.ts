/**
 * Repairs of an account at an administrator's request: corrects ids, counts, sizes and data derived from
 * messages by what is on disk.
 *
 * Each works in slices of one transaction, so that the server keeps working; after each slice the account is
 * usable, and an interrupted repair can be run again.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import type { Account } from "./account.ts";
import { describeFile } from "../messages/describe.ts";
import { packSummary } from "../messages/summary.ts";
import { applyCounts, CountDelta } from "../mailboxes/counts.ts";
import { mailboxByName, nextModseq } from "../mailboxes/mailboxes.ts";
import { type Mailbox, StoreError } from "../types.ts";

/** Sessions are in the way of a repair. */
export class AccountInUse extends Error {
  override name = "AccountInUse";
}

/** Rows changed in one transaction. */
const slice = 500;

/** The mailbox of that name, or all mailboxes for an empty name. @throws StoreError "mailboxMissing" */
function chosen(account: Account, mailboxName: string): Mailbox[] {
  if (mailboxName === "") return account.mailboxes();
  const mailbox = mailboxByName(account.db, mailboxName);
  if (!mailbox) throw new StoreError("mailboxMissing", `no mailbox ${mailboxName}`);
  return [mailbox];
}

/** If uids changed during a session, it would show and delete the wrong messages. */
function requireUnused(account: Account): void {
  if (account.references > 1) {
    throw new AccountInUse(
      `sessions have account ${account.name} open: try again when they have ended`,
    );
  }
}

function newUidValidity(account: Account): number {
  return account.db.get(
    "UPDATE state SET uidvalidity = max(uidvalidity, " +
      "(SELECT coalesce(max(uidvalidity), 0) FROM mailboxes)) + 1 RETURNING uidvalidity",
  )![0];
}

/**
 * Gives mailboxes a new UIDVALIDITY, so that mail programs fetch everything again.
 * @returns the new values by mailbox
 */
export async function bumpUidValidity(
  account: Account,
  mailboxName = "",
): Promise<Map<string, number>> {
  const result = new Map<string, number>();
  await account.writer.write(() => {
    for (const m of chosen(account, mailboxName)) {
      const value = newUidValidity(account);
      account.db.run("UPDATE mailboxes SET uidvalidity = ? WHERE id = ?", value, m.id);
      result.set(m.name, value);
    }
  });
  return result;
}

/**
 * Renumbers the messages of mailboxes from 1, in their order, under a new UIDVALIDITY.
 * @returns messages by mailbox
 * @throws AccountInUse while sessions have the account open
 */
export async function reassignUids(
  account: Account,
  mailboxName = "",
): Promise<Map<string, number>> {
  requireUnused(account);
  const result = new Map<string, number>();
  for (const m of chosen(account, mailboxName)) {
    // Before the first and after the last slice: a client that looked in between sees a third value.
    await bumpUidValidity(account, m.name);
    await account.writer.write(() => {
      account.db.run("DELETE FROM messages WHERE mailbox_id = ? AND expunged = 1", m.id);
    });
    let next = 1;
    for (let after = 0;;) {
      const count = await account.writer.write(() => {
        const rows = account.db.all(
          "SELECT id, uid FROM messages WHERE mailbox_id = ? AND expunged = 0 AND uid > ? " +
            "ORDER BY uid LIMIT ?",
          m.id,
          after,
          slice,
        ) as [number, number][];
        const modseq = rows.length > 0 ? nextModseq(account.db) : 0;
        // A new uid is never above the old one, so no uid is used twice meanwhile.
        for (const [id, uid] of rows) {
          account.db.run(
            "UPDATE messages SET uid = ?, modseq = ?, createseq = ? WHERE id = ?",
            next++,
            modseq,
            modseq,
            id,
          );
          after = uid;
        }
        return rows.length;
      });
      if (count < slice) break;
    }
    await account.writer.write(() => {
      requireUnused(account);
      account.db.run(
        "UPDATE mailboxes SET uidnext = ?, uidvalidity = ?, " +
          "modseq = (SELECT modseq FROM state) WHERE id = ?",
        next,
        newUidValidity(account),
        m.id,
      );
    });
    result.set(m.name, next - 1);
  }
  return result;
}

/**
 * Corrects a mailbox's UIDNEXT that is not above all its uids, and an account's UIDVALIDITY that is not above
 * those of its mailboxes.
 * @returns what was changed, in words
 * @throws AccountInUse while sessions have the account open
 */
export async function fixUidMeta(account: Account): Promise<string[]> {
  requireUnused(account);
  return await account.writer.write(() => {
    const fixed: string[] = [];
    const { db } = account;
    for (
      const [id, name, uidnext, highest] of db.all(
        "SELECT b.id, b.name, b.uidnext, coalesce(max(m.uid), 0) FROM mailboxes b " +
          "JOIN messages m ON m.mailbox_id = b.id WHERE b.expunged = 0 GROUP BY b.id",
      ) as [number, string, number, number][]
    ) {
      if (uidnext > highest) continue;
      db.run(
        "UPDATE mailboxes SET uidnext = ?, uidvalidity = ? WHERE id = ?",
        highest + 1,
        newUidValidity(account),
        id,
      );
      fixed.push(`mailbox ${name}: uidnext ${uidnext} is ${highest + 1} now`);
    }
    const [have, need] = db.get(
      "SELECT uidvalidity, (SELECT coalesce(max(uidvalidity), 0) FROM mailboxes) FROM state",
    )! as [number, number];
    if (have < need) {
      db.run("UPDATE state SET uidvalidity = ?", need);
      fixed.push(`account: uidvalidity ${have} is ${need} now`);
    }
    return fixed;
  });
}

/**
 * Recounts the messages of each mailbox and the bytes of the account.
 * @returns what was changed, in words
 */
export async function recalculateCounts(account: Account): Promise<string[]> {
  return await account.writer.write((ctx) => {
    const fixed: string[] = [];
    const counts = new Map<number, CountDelta>();
    for (
      const [mailboxId, flags, size] of account.db.iterate(
        "SELECT mailbox_id, flags, size FROM messages WHERE expunged = 0",
      )
    ) {
      let c = counts.get(mailboxId);
      if (!c) counts.set(mailboxId, c = new CountDelta());
      c.count(1, flags, size);
    }
    for (const m of account.mailboxes()) {
      const want = counts.get(m.id) ?? new CountDelta();
      const delta = new CountDelta();
      for (const k of ["total", "deleted", "unread", "unseen", "size"] as const) {
        delta[k] = want[k] - m[k];
        if (delta[k] !== 0) fixed.push(`mailbox ${m.name}: ${k} ${m[k]} is ${want[k]} now`);
      }
      const { total, deleted, unread, unseen, size } = delta;
      if (total || deleted || unread || unseen || size) {
        applyCounts(account.db, ctx, m.id, delta, nextModseq(account.db));
      }
    }
    const [used, sum] = account.db.get(
      "SELECT message_size, (SELECT coalesce(sum(size), 0) FROM emails) FROM state",
    )! as [number, number];
    if (used !== sum) {
      account.db.run("UPDATE state SET message_size = ?", sum);
      fixed.push(`account: ${used} bytes are ${sum} now`);
    }
    return fixed;
  });
}

/** Ids of the emails above a given one, in order. */
function emailsAfter(account: Account, after: number, condition: string): EmailId[] {
  return account.db.all(
    `SELECT id FROM emails WHERE id > ? AND ${condition} ORDER BY id LIMIT ?`,
    after,
    slice,
  ).map((r) => r[0]);
}

/**
 * Corrects sizes that differ from prefix plus file, and the counts that include them.
 * @returns what was changed or found missing, in words
 */
export async function fixMessageSizes(account: Account): Promise<string[]> {
  const found: string[] = [];
  for (let after = 0;;) {
    const ids = emailsAfter(account, after, "1");
    if (ids.length === 0) break;
    after = ids.at(-1)!;
    await account.writer.write(() => {
      for (const id of ids) {
        const row = account.db.get("SELECT size, length(prefix) FROM emails WHERE id = ?", id);
        if (!row) continue;
        let size: number;
        try {
          size = row[1] + Deno.statSync(account.files.path(id)).size;
        } catch (err) {
          if (!(err instanceof Deno.errors.NotFound)) throw err;
          found.push(`email ${id}: its file ${account.files.path(id)} is missing`);
          continue;
        }
        const wrong = account.db.get(
          "SELECT 1 FROM messages WHERE email_id = ? AND expunged = 0 AND size != ?",
          id,
          size,
        );
        if (size === row[0] && !wrong) continue;
        account.db.run("UPDATE emails SET size = ? WHERE id = ?", size, id);
        account.db.run(
          "UPDATE messages SET size = ? WHERE email_id = ? AND expunged = 0",
          size,
          id,
        );
        found.push(`email ${id}: size ${row[0]} is ${size} now`);
      }
    });
  }
  account.rows.clear();
  return [...found, ...await recalculateCounts(account)];
}

/**
 * Computes again what is stored about each message's content: structure, envelope, summary.
 * @param options.missing only messages that lack it.
 * @returns how many were done, and which can't be read
 */
export function reparse(
  account: Account,
  options: ReparseOptions = {},
): Promise<{ done: number; failed: string[] }> {
  // The index is built from what is computed here.
  return account.fulltext.anew(() => reparseAll(account, options));
}

interface ReparseOptions {
  missing?: boolean;
  progress?: (done: number) => void;
}

async function reparseAll(
  account: Account,
  options: ReparseOptions,
): Promise<{ done: number; failed: string[] }> {
  const condition = options.missing ? "(structure = '' OR envelope = '' OR summary = '')" : "1";
  const failed: string[] = [];
  let done = 0;
  for (let after = 0;;) {
    const ids = emailsAfter(account, after, condition);
    if (ids.length === 0) return { done, failed };
    after = ids.at(-1)!;
    const described: [number, Awaited<ReturnType<typeof describeFile>>][] = [];
    for (const id of ids) {
      try {
        described.push([id, await describeFile(account.files.path(id))]);
      } catch (err) {
        failed.push(`email ${id}: ${err instanceof Error ? err.message : String(err)}`);
      }
      // Parsing is fast, but many messages in a row would keep connections waiting.
      if (described.length % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await account.writer.write(() => {
      for (const [id, d] of described) {
        const row = account.db.get("SELECT prefix FROM emails WHERE id = ?", id);
        if (!row) continue;
        account.db.run(
          "UPDATE emails SET envelope = ?, body = ?, bodystructure = ?, structure = ?, summary = ?, " +
            "listed = ? WHERE id = ?",
          d.envelope,
          d.body,
          d.bodyStructure,
          d.structure(row[0].length),
          packSummary(d.summary),
          d.listed(row[0]) ?? null,
          id,
        );
      }
    });
    // Data cached with the rows comes from summaries, and no modseq shows that those have changed.
    account.rows.clear();
    done += described.length;
    options.progress?.(done);
  }
}
