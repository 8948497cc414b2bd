/**
 * Trains scanners with what users mark: messages that get $Junk or $NotJunk, for example by moving them into or
 * out of the Junk mailbox, are sent to rspamd. `learning.db` in the data folder has those that it hasn't
 * received yet, so that none is lost while it is down.
 *
 * @module
 */
import { emailStructure } from "../store/messages/content.ts";
import { trainableMessage } from "../store/messages/trained.ts";
import { join } from "node:path";
import { Log } from "../log/mod.ts";
import { counter } from "../metrics/mod.ts";
import type { Scanners } from "../scanning/mod.ts";
import type { Account } from "../store/account/account.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { AccountDatabase } from "../store/database/account_rows.ts";
import { Db, type Migration } from "../store/database/database.ts";
import { isEncryptedType } from "../encryption/mod.ts";
import { unpackStructure } from "../mail/structure/packed.ts";
import { Flag } from "../store/types.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE learning (
  scanner TEXT NOT NULL,
  account TEXT NOT NULL,
  message INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  -- Milliseconds since the epoch.
  due INTEGER NOT NULL,
  PRIMARY KEY (scanner, account, message)
) WITHOUT ROWID;
CREATE INDEX learning_due ON learning (due);
`,
}];

/** The tables with rows of accounts. */
export const learningOfAccounts: AccountDatabase = {
  file: "learning.db",
  migrations,
  tables: [{ name: "learning" }],
};

/** Most waiting messages; beyond that, as in large imports, the rest isn't learned. */
const maxWaiting = 20_000;
/** Most attempts for a message, with 3 seconds and then 1 to 60 minutes in between: some three days. */
const maxTries = 100;
const firstWait = 3_000;
const minute = 60_000;

const learned = counter(
  "mox_scanner_learned_total",
  "Messages that scanners were to learn; gone: expunged before, or no longer marked.",
  { result: ["spam", "ham", "gone", "failed", "given up"] },
);

/** Whether an account is in the configuration. */
export type IsAccount = (name: string) => boolean;

/** Messages still to be learned. */
export class ScanLearning {
  readonly #db: Db;
  readonly #log = new Log("scanning");
  readonly #scanners: Pick<Scanners, "learning" | "teach">;
  readonly #accounts: Pick<Accounts, "open">;
  readonly #isAccount: IsAccount;
  readonly #firstDue: number;
  #running: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  private constructor(
    db: Db,
    scanners: Pick<Scanners, "learning" | "teach">,
    accounts: Pick<Accounts, "open">,
    isAccount: IsAccount,
    firstDue: number,
  ) {
    this.#firstDue = firstDue;
    this.#db = db;
    this.#scanners = scanners;
    this.#accounts = accounts;
    this.#isAccount = isAccount;
  }

  /** @param firstDue nothing is learned before this time (milliseconds since the epoch); for test data */
  static async open(
    dataDir: string,
    scanners: Pick<Scanners, "learning" | "teach">,
    accounts: Pick<Accounts, "open">,
    isAccount: IsAccount,
    firstDue = 0,
  ): Promise<ScanLearning> {
    const db = await Db.open(join(dataDir, "learning.db"), migrations);
    return new ScanLearning(db, scanners, accounts, isAccount, firstDue);
  }

  /** Listens to an opened account, in addition to its other listeners. */
  attach(account: Account): void {
    const before = account.onTraining;
    account.onTraining = (ids) => {
      before?.(ids);
      this.note(account.name, ids);
    };
  }

  /** Called with messages that may have been marked. */
  note(account: string, ids: readonly number[]): void {
    if (this.#stopped) return;
    const now = Date.now();
    let room = maxWaiting - this.#db.get("SELECT count(*) FROM learning")![0];
    this.#db.transaction(() => {
      for (const scanner of this.#scanners.learning) {
        for (const id of ids) {
          if (room-- <= 0) return;
          this.#db.run(
            "INSERT OR REPLACE INTO learning (scanner, account, message, tries, due) " +
              "VALUES (?, ?, ?, 0, ?)",
            scanner,
            account,
            id,
            Math.max(now, this.#firstDue),
          );
        }
      }
    });
    this.start();
  }

  /** Number of waiting messages. */
  get waiting(): number {
    return this.#db.get("SELECT count(*) FROM learning")![0];
  }

  /** Continues with what is due. */
  start(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#running ??= this.#run().catch((err) => this.#log.error("learning", { err: err as Error }))
      .finally(() => {
        this.#running = undefined;
        if (this.#stopped) return;
        const due = this.#db.get("SELECT min(due) FROM learning")![0] as number | null;
        if (due === null) return;
        this.#timer = setTimeout(
          () => this.start(),
          Math.min(3_600_000, Math.max(0, due - Date.now())),
        );
        Deno.unrefTimer(this.#timer as unknown as number);
      });
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const row = this.#db.get(
        "SELECT scanner, account, message, tries FROM learning WHERE due <= ? ORDER BY due LIMIT 1",
        Date.now(),
      ) as [string, string, number, number] | undefined;
      if (!row) return;
      const [scanner, account, message, tries] = row;
      const key = [scanner, account, message] as const;
      const where = "WHERE scanner = ? AND account = ? AND message = ?";
      try {
        const as = await this.#teach(scanner, account, message);
        learned.inc({ result: as ?? "gone" });
        this.#db.run(`DELETE FROM learning ${where}`, ...key);
      } catch (err) {
        const fields = { scanner, account, message, why: (err as Error).message };
        if (tries + 1 >= maxTries) {
          this.#log.error("scanner can't learn a message, given up", fields);
          learned.inc({ result: "given up" });
          this.#db.run(`DELETE FROM learning ${where}`, ...key);
          continue;
        }
        this.#log.warn("scanner can't learn a message now", fields);
        learned.inc({ result: "failed" });
        // For all waiting messages: otherwise each would be tried.
        const due = Date.now() + (tries === 0 ? firstWait : minute * Math.min(60, tries));
        this.#db.run(`UPDATE learning SET tries = tries + 1 ${where}`, ...key);
        this.#db.run("UPDATE learning SET due = max(due, ?) WHERE scanner = ?", due, scanner);
      }
    }
  }

  async #teach(
    scanner: string,
    name: string,
    message: number,
  ): Promise<"spam" | "ham" | undefined> {
    if (!this.#isAccount(name) || !this.#scanners.learning.includes(scanner)) return undefined;
    const account = await this.#accounts.open(name);
    try {
      const marked = trainableMessage(account.db, message);
      if (!marked) return undefined;
      const { flags, emailId } = marked;
      const junk = (flags & Flag.Junk) !== 0;
      if (junk === ((flags & Flag.NotJunk) !== 0)) return undefined;
      const as = junk ? "spam" : "ham";
      const root = unpackStructure(emailStructure(account.db, emailId) ?? '[0,0,0,0,"text/plain"]');
      // There is nothing to learn from.
      if (isEncryptedType(root)) return undefined;
      const reader = account.openMessage(emailId);
      try {
        await this.#scanners.teach(scanner, as, {
          size: reader.size,
          headerSize: root.bodyOffset,
          read: (from, to) => reader.read(from, to),
        });
      } finally {
        reader.close();
      }
      return as;
    } finally {
      account.close();
    }
  }

  /** Resolves when everything due was tried. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Finishes the current work. */
  async close(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.idle();
    await this.#db.close();
  }
}
