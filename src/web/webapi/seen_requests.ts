/**
 * Requests with an id of the client's, answered once: the same request again within a day gets the answer
 * of the first, also after a restart.
 *
 * That a request has begun is durable before anything is sent, its answer before the client has it. One
 * that the end of the process cut off is told so: whether it was sent is not known.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { giveWay } from "../../platform/turns.ts";
import type { AccountDatabase } from "../../store/database/account_rows.ts";
import { Db, type Migration } from "../../store/database/database.ts";
import { ApiError } from "./errors.ts";

const lifetime = 24 * 3600_000;

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE requests (
  account TEXT NOT NULL,
  id TEXT NOT NULL,
  hash TEXT NOT NULL,
  time INTEGER NOT NULL,
  -- JSON; null while it is not answered.
  answer TEXT,
  PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE INDEX requests_time ON requests (time);
`,
}];

/** What accounts have in it: a request that is repeated at the account's new server is answered as before. */
export const requestsOfAccounts: AccountDatabase = {
  file: "webapi.db",
  migrations,
  tables: [{ name: "requests" }],
};

/** Bytes of a body that are hashed at a time. */
const hashedAtOnce = 1024 * 1024;

/** What must be the same of a request for it to be the same one. */
export async function requestHash(body: Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < body.length; at += hashedAtOnce) {
    if (at > 0) await giveWay();
    hash.update(body.subarray(at, at + hashedAtOnce));
  }
  return hash.digest("base64url");
}

export class SeenRequests {
  readonly #db: Db;
  /** Those that are being answered. */
  readonly #running = new Map<string, { hash: string; answer: Promise<unknown> }>();
  readonly #now: () => number;

  private constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  static async open(dataDir: string, now: () => number = Date.now): Promise<SeenRequests> {
    return new SeenRequests(await Db.open(join(dataDir, "webapi.db"), migrations), now);
  }

  /**
   * Runs `fn`, unless its answer is known. What it throws is forgotten, so that it can be tried again,
   * but an ApiError that is partial.
   * @param hash of its body, see {@link requestHash}
   * @throws ApiError "requestIDReused" for another request with the id, "requestInterrupted"
   */
  async once<T>(account: string, id: string, hash: string, fn: () => Promise<T>): Promise<T> {
    const key = `${account}\0${id}`;
    const running = this.#running.get(key);
    if (running !== undefined) {
      if (running.hash !== hash) throw reused();
      return await running.answer as T;
    }
    const answer = this.#run(account, id, hash, fn);
    this.#running.set(key, { hash, answer });
    try {
      return await answer;
    } finally {
      this.#running.delete(key);
    }
  }

  async #run<T>(account: string, id: string, hash: string, fn: () => Promise<T>): Promise<T> {
    const now = this.#now();
    this.#db.run("DELETE FROM requests WHERE time < ?", now - lifetime);
    const row = this.#db.get(
      "SELECT hash, answer FROM requests WHERE account = ? AND id = ?",
      account,
      id,
    );
    if (row) {
      if (row[0] !== hash) throw reused();
      if (row[1] === null) {
        throw new ApiError(
          "requestInterrupted",
          "the first request with this id was cut off: whether it was carried out is not known",
          { status: 409 },
        );
      }
      return JSON.parse(row[1]) as T;
    }
    this.#db.run(
      "INSERT INTO requests (account, id, hash, time) VALUES (?, ?, ?, ?)",
      account,
      id,
      hash,
      now,
    );
    await this.#db.durable();
    let answer: T;
    try {
      answer = await fn();
    } catch (err) {
      if (!(err instanceof ApiError && err.partial)) {
        this.#db.run("DELETE FROM requests WHERE account = ? AND id = ?", account, id);
      }
      throw err;
    }
    this.#db.run(
      "UPDATE requests SET answer = ? WHERE account = ? AND id = ?",
      JSON.stringify(answer),
      account,
      id,
    );
    await this.#db.durable();
    return answer;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map((r) => r.answer));
    await this.#db.close();
  }
}

function reused(): ApiError {
  return new ApiError("requestIDReused", "another request had this id", { status: 409 });
}
