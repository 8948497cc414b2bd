/** Cached MTA-STS policies, in their own database (`mtasts.db`). @module */
import { join } from "node:path";
import { Db, type Migration } from "../store/database/database.ts";
import type { StsPolicy } from "./sts_policy.ts";

/** A policy as it was fetched. */
export interface CachedPolicy extends StsPolicy {
  domain: string;
  /** Id in the DNS at that time. */
  recordId: string;
  /** Milliseconds. */
  fetched: number;
  expires: number;
  /** When it was last used, to the day. */
  used: number;
}

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
    CREATE TABLE policies (
      domain TEXT PRIMARY KEY,
      record_id TEXT NOT NULL,
      fetched INTEGER NOT NULL,
      expires INTEGER NOT NULL,
      mode TEXT NOT NULL,
      max_age INTEGER NOT NULL,
      mx TEXT NOT NULL,
      lines TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
}, {
  version: 2,
  sql: `
    -- When a delivery asked last, to a day; what nobody writes to any more is not kept fresh.
    ALTER TABLE policies ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
    UPDATE policies SET used = fetched;
  `,
}];

const day = 86_400_000;

export class StsCache {
  readonly #db: Db;
  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<StsCache> {
    return new StsCache(await Db.open(join(dataDir, "mtasts.db"), migrations));
  }

  /** The policy of a domain if still valid; records the use. */
  use(domain: string, now: number): CachedPolicy | undefined {
    const found = this.get(domain, now);
    if (found && found.used < now - day) {
      this.#db.run("UPDATE policies SET used = ? WHERE domain = ?", now, domain);
    }
    return found;
  }

  /** Domains with policies past half of their lifetime that were used since a time, the next to expire first. */
  stale(now: number, usedSince: number, limit: number): string[] {
    return this.#db.all(
      "SELECT domain FROM policies WHERE expires > ? AND (fetched + expires) / 2 <= ? AND used >= ? " +
        "ORDER BY expires LIMIT ?",
      now,
      now,
      usedSince,
      limit,
    ).map(([domain]) => domain);
  }

  /** The policy of a domain if still valid. */
  get(domain: string, now: number): CachedPolicy | undefined {
    const row = this.#db.get(
      "SELECT record_id, fetched, expires, mode, max_age, mx, lines, used FROM policies " +
        "WHERE domain = ? AND expires > ?",
      domain,
      now,
    );
    if (row === undefined) return undefined;
    const [recordId, fetched, expires, mode, maxAge, mx, lines, used] = row;
    return {
      domain,
      recordId,
      fetched,
      expires,
      mode,
      maxAge,
      mx: JSON.parse(mx),
      lines: JSON.parse(lines),
      used,
    };
  }

  /** Valid policies, by domain, up to a limit. */
  list(
    now: number,
    limit: number,
  ): Pick<CachedPolicy, "domain" | "mode" | "fetched" | "expires" | "mx">[] {
    return this.#db.all(
      "SELECT domain, mode, fetched, expires, mx FROM policies WHERE expires > ? ORDER BY domain LIMIT ?",
      now,
      limit,
    ).map(([domain, mode, fetched, expires, mx]) => ({
      domain,
      mode,
      fetched,
      expires,
      mx: JSON.parse(mx),
    }));
  }

  /** Durable when it resolves: a policy is binding once seen. */
  async put(policy: CachedPolicy): Promise<void> {
    this.#db.run(
      "INSERT OR REPLACE INTO policies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      policy.domain,
      policy.recordId,
      policy.fetched,
      policy.expires,
      policy.mode,
      policy.maxAge,
      JSON.stringify(policy.mx),
      JSON.stringify(policy.lines),
      policy.used,
    );
    this.#db.run("DELETE FROM policies WHERE expires < ?", policy.fetched);
    await this.#db.durable();
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
