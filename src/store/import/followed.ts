/**
 * Messages imported from other servers, by uid, so that later changes there can be followed: `imports.db` in
 * the account's folder.
 *
 * Flag changes are carried over as differences, so that changes made here are kept; a message that is gone
 * there is removed here if it is still in the mailbox that it was imported to. A mailbox that is empty or gone
 * there removes nothing here: most likely the old server was cleared.
 *
 * @module
 */
import { join } from "node:path";
import type { Account } from "../account/account.ts";
import { Db, type Migration } from "../database/database.ts";
import type { MailboxId } from "../ids.ts";
import { flagsOf, type SourceMessage } from "./sources.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
-- A message of a mailbox of another server.
CREATE TABLE brought (
  source TEXT NOT NULL,
  mailbox TEXT NOT NULL,
  uid INTEGER NOT NULL,
  validity TEXT NOT NULL,
  -- What it became here.
  message_id INTEGER NOT NULL,
  mailbox_id INTEGER NOT NULL,
  -- Its flags there, with blanks between, sorted.
  flags TEXT NOT NULL,
  PRIMARY KEY (source, mailbox, uid)
) WITHOUT ROWID;
`,
}];

const flagText = (flags: Iterable<string>) =>
  [...new Set(flags)].filter((f) => f !== "\\Recent").sort().join(" ");

interface Row {
  uid: number;
  messageId: number;
  mailboxId: MailboxId;
  flags: string;
}

/** The messages of one account that were imported from one source. */
export class Followed {
  readonly #db: Db;
  readonly #account: Account;
  readonly #source: string;
  /** Number of changes carried over. */
  changes = 0;

  private constructor(db: Db, account: Account, source: string) {
    this.#db = db;
    this.#account = account;
    this.#source = source;
  }

  /** @param source such as "ann@old.example.org" */
  static async open(account: Account, source: string): Promise<Followed> {
    const db = await Db.open(join(account.dir, "imports.db"), migrations);
    return new Followed(db, account, source);
  }

  /** Notes stored messages; not durable before {@link durable}. */
  note(list: readonly { from: SourceMessage; id: number; mailboxId: MailboxId }[]): void {
    this.#db.transaction(() => {
      for (const { from: { origin }, id, mailboxId } of list) {
        if (origin === undefined) continue;
        this.#db.run(
          "INSERT OR REPLACE INTO brought (source, mailbox, uid, validity, message_id, mailbox_id, flags) " +
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
          this.#source,
          origin.mailbox,
          origin.uid,
          origin.validity,
          id,
          mailboxId,
          flagText(origin.flags),
        );
      }
    });
  }

  durable(): Promise<void> {
    return this.#db.durable();
  }

  /** Whether anything of a mailbox there is known. */
  knows(mailbox: string, validity: string): boolean {
    return this.#db.get(
      "SELECT 1 FROM brought WHERE source = ? AND mailbox = ? AND validity = ? LIMIT 1",
      this.#source,
      mailbox,
      validity,
    ) !== undefined;
  }

  /**
   * Carries over what has changed in a mailbox since the last time.
   * @param now flags of all of its messages, by uid
   * @returns what was not done, in words; "" if everything was
   */
  async follow(
    mailbox: string,
    validity: string,
    now: ReadonlyMap<number, readonly string[]>,
  ): Promise<string> {
    const rows = this.#db.all(
      "SELECT uid, message_id, mailbox_id, flags FROM brought WHERE source = ? AND mailbox = ? AND validity = ?",
      this.#source,
      mailbox,
      validity,
    ).map(([uid, messageId, mailboxId, flags]): Row => ({ uid, messageId, mailboxId, flags }));
    const gone = rows.filter((r) => !now.has(r.uid));
    await this.#changeFlags(rows.filter((r) => now.has(r.uid)), now, mailbox);
    if (now.size === 0 && gone.length > 0) {
      return `is empty there now; what was brought of it stays here`;
    }
    await this.#remove(gone, mailbox);
    await this.#db.durable();
    return "";
  }

  async #changeFlags(
    rows: readonly Row[],
    now: ReadonlyMap<number, readonly string[]>,
    mailbox: string,
  ): Promise<void> {
    /** Rows with the same change. */
    const groups = new Map<string, { rows: Row[]; add: string[]; remove: string[] }>();
    for (const r of rows) {
      const flags = flagText(now.get(r.uid)!);
      if (flags === r.flags) continue;
      const was = new Set(r.flags.split(" ")), is = new Set(flags.split(" "));
      const add = [...is.difference(was)].filter((f) => f !== "");
      const remove = [...was.difference(is)].filter((f) => f !== "");
      const key = JSON.stringify([add, remove]);
      const group = groups.get(key) ?? { rows: [], add, remove };
      group.rows.push(r);
      groups.set(key, group);
    }
    for (const group of groups.values()) {
      for (const [mailboxId, uids] of this.#here(group.rows, false)) {
        for (const op of ["add", "remove"] as const) {
          const { flags, keywords } = flagsOf(group[op]);
          if (flags === 0 && keywords.length === 0) continue;
          await this.#account.storeFlags(mailboxId, uids, op, flags, keywords);
        }
        this.changes += uids.length;
      }
      this.#db.transaction(() => {
        for (const r of group.rows) {
          this.#db.run(
            "UPDATE brought SET flags = ? WHERE source = ? AND mailbox = ? AND uid = ?",
            flagText(now.get(r.uid)!),
            this.#source,
            mailbox,
            r.uid,
          );
        }
      });
    }
  }

  async #remove(rows: readonly Row[], mailbox: string): Promise<void> {
    for (const [mailboxId, uids] of this.#here(rows, true)) {
      await this.#account.expunge(mailboxId, uids, undefined, { force: true });
      this.changes += uids.length;
    }
    this.#db.transaction(() => {
      for (const r of rows) {
        this.#db.run(
          "DELETE FROM brought WHERE source = ? AND mailbox = ? AND uid = ?",
          this.#source,
          mailbox,
          r.uid,
        );
      }
    });
  }

  /** Messages that are still here, by mailbox. @param unmoved only those still where they were imported to */
  #here(rows: readonly Row[], unmoved: boolean): Map<MailboxId, number[]> {
    const found = new Map<MailboxId, number[]>();
    for (const r of rows) {
      const m = this.#account.message(r.messageId);
      if (m === undefined || unmoved && m.mailboxId !== r.mailboxId) continue;
      const uids = found.get(m.mailboxId) ?? [];
      uids.push(m.uid);
      found.set(m.mailboxId, uids);
    }
    return found;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
