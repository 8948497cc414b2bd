/**
 * Which accounts have granted rights to whom: `shares.db` in the data folder. The rights themselves are in the
 * accounts; this says where to look, so that listing mailboxes need not open every account.
 *
 * An entry is written before its right, so that none is missing after a crash. An obsolete one does no harm.
 *
 * @module
 */
import { join } from "node:path";
import type { AccountDatabase } from "../database/account_rows.ts";
import { Db, type Migration } from "../database/database.ts";
import { anyone } from "./rights.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE shares (
  -- Name of an account, or "anyone".
  identifier TEXT NOT NULL,
  owner TEXT NOT NULL,
  PRIMARY KEY (identifier, owner)
) WITHOUT ROWID;
`,
}];

/** Somebody gained or lost rights on something. */
export interface RightsChange {
  /** Name of the account that it belongs to. */
  owner: string;
  /** Who changed them: the account, and the address used to log in, or "". */
  by: { account: string; login: string };
  type: "Mailbox" | "Calendar" | "AddressBook";
  /** Its id in the account. */
  id: number;
  name: string;
  /** Name of the account whose rights they are. */
  account: string;
  /** Letters of RFC 4314 for mailboxes, "read" or "write" for others; "" for none. */
  before: string;
  after: string;
}

/** The tables with rows of accounts: to whom they have granted something. */
export const sharesOfAccounts: AccountDatabase = {
  file: "shares.db",
  migrations,
  tables: [{ name: "shares", column: "owner" }],
};

export class Shares {
  readonly #db: Db;
  /** Notifies those concerned of changes of rights; durable when it resolves. */
  onChange: ((change: RightsChange) => Promise<void>) | undefined;

  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<Shares> {
    return new Shares(await Db.open(join(dataDir, "shares.db"), migrations));
  }

  /** Notes that an account grants something to an identifier; durable when it resolves. */
  async add(owner: string, identifier: string): Promise<void> {
    this.#db.run(
      "INSERT OR IGNORE INTO shares (identifier, owner) VALUES (?, ?)",
      identifier,
      owner,
    );
    await this.#db.durable();
  }

  /** Reports changed rights; unchanged ones are skipped. */
  async changed(change: RightsChange): Promise<void> {
    if (change.before !== change.after && change.account !== anyone) await this.onChange?.(change);
  }

  /** Accounts that may have granted something to a user, except its own. */
  owners(user: string): string[] {
    return this.#db.all(
      "SELECT DISTINCT owner FROM shares WHERE identifier IN (?, ?) AND owner != ? ORDER BY owner",
      user,
      anyone,
      user,
    ).map((r) => r[0]);
  }

  /** Forgets an account, on either side; durable when it resolves. */
  async forget(account: string): Promise<void> {
    this.#db.run("DELETE FROM shares WHERE identifier = ?1 OR owner = ?1", account);
    await this.#db.durable();
  }

  /** Names on either side, without "anyone". */
  names(): string[] {
    return this.#db.all(
      "SELECT identifier FROM shares WHERE identifier != ?1 UNION SELECT owner FROM shares",
      anyone,
    ).map((r) => r[0]);
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
