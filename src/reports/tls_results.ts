/** Results of our own connections to be reported to others: `tlsrptresult.db`. @module */
import { join } from "node:path";
import { Db, type Migration } from "../store/database/database.ts";
import type { TlsPolicyResult } from "./tlsrpt.ts";
import { mergeTlsResults } from "./tlsrpt_build.ts";

const resultMigrations: readonly Migration[] = [{
  version: 1,
  sql: `
-- Results of a UTC day with a policy domain, for one recipient domain or MX host.
CREATE TABLE results (
  day TEXT NOT NULL,
  domain TEXT NOT NULL,
  recipient_domain TEXT NOT NULL,
  is_host INTEGER NOT NULL,
  -- Whether a report is to be sent: not if all that was sent were reports.
  wanted INTEGER NOT NULL,
  -- JSON of TlsPolicyResult[].
  results TEXT NOT NULL,
  PRIMARY KEY (day, domain, recipient_domain, is_host)
) WITHOUT ROWID;
`,
}];

/** Results of connections on one day. */
export interface TlsDayResult {
  /** UTC, YYYYMMDD. */
  day: string;
  /** Whose TLSRPT record has the report address: a recipient domain, or an MX host. */
  policyDomain: string;
  recipientDomain: string;
  isHost: boolean;
  /** False if only reports were sent: reports about reports would never end. */
  wanted: boolean;
  results: TlsPolicyResult[];
}

/** The day of a time in milliseconds, as {@link TlsDayResult.day}. */
export function reportDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll("-", "");
}

/** Results of our connections, to be reported. A crash may lose the last ones. */
export class TlsResults {
  readonly #db: Db;
  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<TlsResults> {
    return new TlsResults(await Db.open(join(dataDir, "tlsrptresult.db"), resultMigrations));
  }

  /** Adds to the data of the day. */
  add(result: TlsDayResult): void {
    const host = result.isHost ? 1 : 0;
    this.#db.transaction(() => {
      const row = this.#db.get(
        "SELECT results FROM results WHERE day = ? AND domain = ? AND recipient_domain = ? AND is_host = ?",
        result.day,
        result.policyDomain,
        result.recipientDomain,
        host,
      );
      const before = row ? JSON.parse(row[0] as string) as TlsPolicyResult[] : [];
      this.#db.run(
        "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET " +
          "wanted = max(wanted, excluded.wanted), results = excluded.results",
        result.day,
        result.policyDomain,
        result.recipientDomain,
        host,
        result.wanted ? 1 : 0,
        JSON.stringify(mergeTlsResults(before, result.results)),
      );
    });
  }

  /** Results of days before the given one, by day and policy domain. */
  before(day: string): TlsDayResult[] {
    return this.#db.all(
      "SELECT day, domain, recipient_domain, is_host, wanted, results FROM results " +
        "WHERE day < ? ORDER BY day, domain, recipient_domain",
      day,
    ).map(([d, domain, recipient, host, wanted, results]) => ({
      day: d,
      policyDomain: domain,
      recipientDomain: recipient,
      isHost: host === 1,
      wanted: wanted === 1,
      results: JSON.parse(results as string) as TlsPolicyResult[],
    }));
  }

  /** Removes reported data: everything of a policy domain on a day. */
  remove(r: Pick<TlsDayResult, "day" | "policyDomain" | "isHost">): number {
    return this.#db.run(
      "DELETE FROM results WHERE day = ? AND domain = ? AND is_host = ?",
      r.day,
      r.policyDomain,
      r.isHost ? 1 : 0,
    ).changes;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
