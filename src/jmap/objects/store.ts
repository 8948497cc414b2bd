/**
 * JMAP objects other than mail: identities, submissions, push subscriptions. Stored in `jmap.db` of the data
 * folder, as JSON by account and type, with a record of changes.
 *
 * @module
 */
import { join } from "node:path";
import type { AccountDatabase } from "../../store/database/account_rows.ts";
import { Db, type Migration } from "../../store/database/database.ts";
import type { Event } from "../../store/emails/changes.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
-- Counters of an account, as its mail has them.
CREATE TABLE accounts (
  account TEXT PRIMARY KEY,
  modseq INTEGER NOT NULL,
  next_id INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE objects (
  account TEXT NOT NULL,
  type TEXT NOT NULL,
  id INTEGER NOT NULL,
  -- Null for one that is gone.
  value TEXT,
  createseq INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  PRIMARY KEY (account, type, id)
) WITHOUT ROWID;
CREATE INDEX objects_modseq ON objects (account, type, modseq);

-- Keys of the server, such as that by which push services know it.
CREATE TABLE keys (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`,
}];

/** The tables with rows of accounts. */
export const jmapOfAccounts: AccountDatabase = {
  file: "jmap.db",
  migrations,
  tables: [{ name: "accounts" }, { name: "objects" }],
};

/** Types of objects, with the prefix of their ids. */
export const objectTypes = {
  identity: "I",
  submission: "S",
  push: "P",
  share: "N",
  event: "V",
  look: "L",
  participant: "Q",
} as const;
/** A type; event notifications for shared calendars, and looks of collections, have one type per owner. */
export type ObjectType = keyof typeof objectTypes | `event/${string}` | `look/${string}`;

const letterOf = (type: ObjectType): string =>
  objectTypes[type.split("/", 1)[0] as keyof typeof objectTypes];

export interface StoredObject<T> {
  id: number;
  value: T;
}

/** Removed objects are remembered for this many later changes. */
const keptGone = 10_000;

export class ObjectStore {
  readonly #db: Db;
  /** Called when objects of an account have changed. */
  onChange: ((account: string, type: ObjectType) => void) | undefined;

  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<ObjectStore> {
    return new ObjectStore(await Db.open(join(dataDir, "jmap.db"), migrations));
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #next(account: string): number {
    return this.#db.get(
      "INSERT INTO accounts (account, modseq, next_id) VALUES (?, 1, 1) " +
        "ON CONFLICT (account) DO UPDATE SET modseq = modseq + 1 RETURNING modseq",
      account,
    )![0];
  }

  async #done(account: string, type: ObjectType): Promise<void> {
    await this.#db.durable();
    this.onChange?.(account, type);
  }

  /** Modseq of the last change of objects of a type. */
  state(account: string, type: ObjectType): number {
    return this.#db.get(
      "SELECT coalesce(max(modseq), 0) FROM objects WHERE account = ? AND type = ?",
      account,
      type,
    )![0];
  }

  /** Existing objects, by id. */
  list<T>(account: string, type: ObjectType): StoredObject<T>[] {
    return this.#db.all(
      "SELECT id, value FROM objects WHERE account = ? AND type = ? AND value IS NOT NULL ORDER BY id",
      account,
      type,
    ).map(([id, value]) => ({ id, value: JSON.parse(value) }));
  }

  get<T>(account: string, type: ObjectType, id: number): T | undefined {
    const value = this.#db.get(
      "SELECT value FROM objects WHERE account = ? AND type = ? AND id = ?",
      account,
      type,
      id,
    )?.[0];
    return typeof value === "string" ? JSON.parse(value) : undefined;
  }

  /** Numbers of the objects whose property equals a text. */
  find(account: string, type: ObjectType, property: string, text: string): number[] {
    return this.#db.all(
      "SELECT id FROM objects WHERE account = ? AND type = ? AND value IS NOT NULL " +
        "AND json_extract(value, '$.' || ?) = ?",
      account,
      type,
      property,
      text,
    ).map((r) => r[0]);
  }

  /**
   * Adds an object; durable when it resolves with its id.
   * @param keep most objects of the type that stay; beyond that the oldest are removed
   */
  async add(account: string, type: ObjectType, value: unknown, keep?: number): Promise<number> {
    const id = this.#db.transaction(() => {
      const modseq = this.#next(account);
      const taken = this.#db.get(
        "UPDATE accounts SET next_id = next_id + 1 WHERE account = ? RETURNING next_id - 1",
        account,
      )![0];
      this.#db.run(
        "INSERT INTO objects (account, type, id, value, createseq, modseq) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        account,
        type,
        taken,
        JSON.stringify(value),
        modseq,
      );
      if (keep !== undefined) this.#forgetOldest(account, type, keep);
      return taken as number;
    });
    await this.#done(account, type);
    return id;
  }

  /** In a transaction. */
  #forgetOldest(account: string, type: ObjectType, keep: number): void {
    const old = this.#db.all(
      "SELECT id FROM objects WHERE account = ? AND type = ? AND value IS NOT NULL " +
        "ORDER BY id DESC LIMIT -1 OFFSET ?",
      account,
      type,
      keep,
    );
    for (const [id] of old) {
      this.#db.run(
        "UPDATE objects SET value = NULL, modseq = ? WHERE account = ? AND type = ? AND id = ?",
        this.#next(account),
        account,
        type,
        id,
      );
    }
    if (old.length === 0) return;
    this.#forgetGone(account, type);
  }

  /** Forgets objects removed long ago. In a transaction. */
  #forgetGone(account: string, type: ObjectType): void {
    this.#db.run(
      "DELETE FROM objects WHERE account = ?1 AND type = ?2 AND value IS NULL " +
        "AND modseq < (SELECT modseq FROM accounts WHERE account = ?1) - ?3",
      account,
      type,
      keptGone,
    );
  }

  /** Replaces an object; durable when it resolves. False if it doesn't exist. */
  async put(account: string, type: ObjectType, id: number, value: unknown): Promise<boolean> {
    const changed = this.#db.transaction(() =>
      this.#db.run(
        "UPDATE objects SET value = ?, modseq = ? WHERE account = ? AND type = ? AND id = ? " +
          "AND value IS NOT NULL",
        JSON.stringify(value),
        this.#next(account),
        account,
        type,
        id,
      ).changes > 0
    );
    await this.#done(account, type);
    return changed;
  }

  /** Removes an object; durable when it resolves. False if it doesn't exist. */
  async remove(account: string, type: ObjectType, id: number): Promise<boolean> {
    const changed = this.#db.transaction(() => {
      const modseq = this.#next(account);
      const { changes } = this.#db.run(
        "UPDATE objects SET value = NULL, modseq = ? WHERE account = ? AND type = ? AND id = ? " +
          "AND value IS NOT NULL",
        modseq,
        account,
        type,
        id,
      );
      this.#forgetGone(account, type);
      return changes > 0;
    });
    await this.#done(account, type);
    return changed;
  }

  /** Changes since a modseq; undefined for an unknown one. */
  changes(account: string, type: ObjectType, since: number): Event[] | undefined {
    const now = this.state(account, type);
    if (since > now || since < now - keptGone) return undefined;
    return this.#db.all(
      "SELECT id, value IS NULL, createseq, modseq FROM objects " +
        "WHERE account = ? AND type = ? AND modseq > ?",
      account,
      type,
      since,
    ).flatMap(([id, gone, createseq, modseq]): Event[] => {
      const isNew = createseq > since;
      if (gone) return isNew ? [] : [{ order: id, modseq, kind: "destroyed" }];
      return [{
        order: id,
        modseq: isNew ? createseq : modseq,
        kind: isNew ? "created" : "updated",
      }];
    });
  }

  /** Names of accounts that have objects. */
  accounts(): string[] {
    return this.#db.all("SELECT DISTINCT account FROM objects").map((r) => r[0]);
  }

  /** Types with objects in any account. */
  types(): ObjectType[] {
    return this.#db.all("SELECT DISTINCT type FROM objects").map((r) => r[0]);
  }

  /** Forgets all objects of a type; durable when it resolves. */
  async forgetType(type: ObjectType): Promise<void> {
    this.#db.run("DELETE FROM objects WHERE type = ?", type);
    await this.#db.durable();
  }

  /** Forgets an account; durable when it resolves. */
  async forget(account: string): Promise<void> {
    this.#db.run("DELETE FROM objects WHERE account = ?", account);
    this.#db.run("DELETE FROM accounts WHERE account = ?", account);
    await this.#db.durable();
  }

  /** A key of the server, created on first use. */
  async key(name: string, make: () => Promise<string>): Promise<string> {
    const known = this.#db.get("SELECT value FROM keys WHERE name = ?", name)?.[0];
    if (known !== undefined) return known;
    this.#db.run("INSERT OR IGNORE INTO keys (name, value) VALUES (?, ?)", name, await make());
    await this.#db.durable();
    return this.#db.get("SELECT value FROM keys WHERE name = ?", name)![0];
  }
}

/** The id of an object, for clients. */
export function objectId(type: ObjectType, id: number): string {
  return `${letterOf(type)}${id}`;
}

/** The number of an id; undefined if it is not of that type. */
export function objectNumber(type: ObjectType, id: string): number | undefined {
  return id.startsWith(letterOf(type)) && /^[1-9]\d{0,14}$/.test(id.slice(1))
    ? Number(id.slice(1))
    : undefined;
}
