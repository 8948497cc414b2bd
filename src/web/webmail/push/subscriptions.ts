/** Browsers that are told of new mail when the page is closed, in a small database of their own. @module */
import { join } from "node:path";
import { UserError } from "../../http/mod.ts";
import { readKeys } from "../../../net/webpush/encrypt.ts";
import { newVapidKey, readVapidKey, type VapidKey } from "../../../net/webpush/vapid.ts";
import { Db, type Migration, type Row } from "../../../store/database/database.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE vapid (id INTEGER PRIMARY KEY CHECK (id = 1), jwk TEXT NOT NULL);
CREATE TABLE subscriptions (
  endpoint TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  -- Of the session that made it, with which it ends.
  session INTEGER NOT NULL,
  p256dh BLOB NOT NULL,
  auth BLOB NOT NULL,
  -- Names of mailboxes, JSON.
  mailboxes TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX subscriptions_account ON subscriptions (account);
`,
}];

export interface Subscription {
  endpoint: string;
  account: string;
  session: number;
  p256dh: Uint8Array;
  auth: Uint8Array;
  mailboxes: string[];
}

/** Browsers of one account; the oldest goes for one more. */
const maxSubscriptions = 20;

export class Subscriptions {
  readonly #db: Db;
  readonly key: VapidKey;

  private constructor(db: Db, key: VapidKey) {
    this.#db = db;
    this.key = key;
  }

  static async open(dataDir: string): Promise<Subscriptions> {
    const db = await Db.open(join(dataDir, "push.db"), migrations);
    const kept = db.get("SELECT jwk FROM vapid");
    if (kept !== undefined) return new Subscriptions(db, await readVapidKey(JSON.parse(kept[0])));
    const key = await newVapidKey();
    db.run("INSERT INTO vapid (id, jwk) VALUES (1, ?)", JSON.stringify(key.jwk));
    await db.durable();
    return new Subscriptions(db, key);
  }

  async add(subscription: Subscription): Promise<void> {
    const own = this.of(subscription.account).filter((o) => o.endpoint !== subscription.endpoint);
    for (const old of own.slice(0, Math.max(0, own.length - maxSubscriptions + 1))) {
      this.#db.run("DELETE FROM subscriptions WHERE endpoint = ?", old.endpoint);
    }
    this.#db.run(
      "INSERT OR REPLACE INTO subscriptions (endpoint, account, session, p256dh, auth, mailboxes) " +
        "VALUES (?, ?, ?, ?, ?, ?)",
      subscription.endpoint,
      subscription.account,
      subscription.session,
      subscription.p256dh,
      subscription.auth,
      JSON.stringify(subscription.mailboxes),
    );
    await this.#db.durable();
  }

  /** Removes one; of another account it stays. */
  remove(account: string, endpoint: string): void {
    this.#db.run(
      "DELETE FROM subscriptions WHERE endpoint = ? AND account = ?",
      endpoint,
      account,
    );
  }

  /** Keeps those of open sessions. */
  keepSessions(account: string, sessions: ReadonlySet<number>): void {
    for (const s of this.of(account)) {
      if (!sessions.has(s.session)) this.remove(account, s.endpoint);
    }
  }

  /** Accounts with browsers that are told. */
  accounts(): string[] {
    return this.#db.all("SELECT DISTINCT account FROM subscriptions").map((r) => r[0]);
  }

  of(account: string): Subscription[] {
    return this.#db.all(
      "SELECT endpoint, account, session, p256dh, auth, mailboxes FROM subscriptions " +
        "WHERE account = ? ORDER BY session",
      account,
    ).map((row: Row) => ({
      endpoint: row[0],
      account: row[1],
      session: row[2],
      p256dh: row[3],
      auth: row[4],
      mailboxes: JSON.parse(row[5]),
    }));
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

/** The keys that a browser gives, checked. @throws UserError */
export function subscriptionKeys(
  r: { endpoint: string; p256dh: string; auth: string },
): { p256dh: Uint8Array; auth: Uint8Array } {
  const keys = readKeys(r.p256dh, r.auth);
  if (keys === undefined) throw new UserError("the browser's keys make no sense");
  if (URL.parse(r.endpoint)?.protocol !== "https:") {
    throw new UserError("the push service has no https address");
  }
  return keys;
}
