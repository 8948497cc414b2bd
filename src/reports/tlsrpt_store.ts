/**
 * Databases of TLS reporting: reports received (`tlsrpt.db`), and results of our own connections to
 * report (`tlsrptresult.db`).
 *
 * @module
 */
import { join } from "node:path";
import { Db, type Migration } from "../store/database/database.ts";
import { tlsFailures, tlsReports, tlsrptSessions, tlsSessions } from "./metrics.ts";
import { type TlsPolicyResult, type TlsReport, tlsResultTypes } from "./tlsrpt.ts";
import { mergeTlsResults } from "./tlsrpt_build.ts";

const reportMigrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE reports (
  id INTEGER PRIMARY KEY,
  received INTEGER NOT NULL,
  -- The first policy domain that is ours.
  domain TEXT NOT NULL,
  from_domain TEXT NOT NULL,
  mail_from TEXT NOT NULL,
  -- About a mail host of ours, not a domain.
  host_report INTEGER NOT NULL,
  report_id TEXT NOT NULL,
  begin_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  -- JSON of TlsReport.
  report TEXT NOT NULL
);
CREATE UNIQUE INDEX reports_id ON reports (domain, from_domain, report_id, begin_time, end_time);
CREATE INDEX reports_time ON reports (end_time, domain);
`,
}];

/** A report as stored. */
export interface StoredTlsReport {
  id: number;
  /** Milliseconds. */
  received: number;
  domain: string;
  fromDomain: string;
  mailFrom: string;
  hostReport: boolean;
  report: TlsReport;
}

/** Reports received. */
export class TlsReports {
  readonly #db: Db;
  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<TlsReports> {
    return new TlsReports(await Db.open(join(dataDir, "tlsrpt.db"), reportMigrations));
  }

  /** Stores a report; resolves when it is on disk: false if it was there already. */
  async add(r: Omit<StoredTlsReport, "id">): Promise<boolean> {
    const { changes } = this.#db.run(
      "INSERT INTO reports (received, domain, from_domain, mail_from, host_report, report_id, begin_time, end_time, report) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      r.received,
      r.domain,
      r.fromDomain,
      r.mailFrom,
      r.hostReport ? 1 : 0,
      r.report.reportId,
      r.report.begin,
      r.report.end,
      JSON.stringify(r.report),
    );
    await this.#db.durable();
    tlsReports.inc({ result: changes === 1 ? "stored" : "duplicate" });
    if (changes !== 1) return false;
    for (const p of r.report.policies) {
      tlsSessions.inc({ result: "success" }, p.totalSuccessfulSessionCount);
      tlsrptSessions.inc({ type: "success" }, p.totalSuccessfulSessionCount);
      tlsSessions.inc({ result: "failure" }, p.totalFailureSessionCount);
      for (const f of p.failures) {
        const type = (tlsResultTypes as readonly string[]).includes(f.resultType)
          ? f.resultType
          : "other";
        tlsFailures.inc({ type }, f.failedSessionCount);
        tlsrptSessions.inc({ type }, f.failedSessionCount);
      }
    }
    return true;
  }

  get(id: number): StoredTlsReport | undefined {
    const row = this.#db.get(`SELECT ${columns} FROM reports WHERE id = ?`, id);
    return row && stored(row);
  }

  /**
   * Reports that end in a period, newest first.
   * @param begin milliseconds, inclusive
   * @param end milliseconds, exclusive
   * @param domain "" for all
   */
  list(begin: number, end: number, domain = "", limit = 1000): StoredTlsReport[] {
    return this.#db.all(
      `SELECT ${columns} FROM reports WHERE end_time >= ? AND end_time < ? AND (? = '' OR domain = ?) ` +
        "ORDER BY end_time DESC, id DESC LIMIT ?",
      begin,
      end,
      domain,
      domain,
      limit,
    ).map(stored);
  }

  /** Removes reports that ended before a time (milliseconds). Returns how many. */
  removeBefore(end: number): number {
    return this.#db.run("DELETE FROM reports WHERE end_time < ?", end).changes;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

const columns = "id, received, domain, from_domain, mail_from, host_report, report";

function stored(row: unknown[]): StoredTlsReport {
  return {
    id: row[0] as number,
    received: row[1] as number,
    domain: row[2] as string,
    fromDomain: row[3] as string,
    mailFrom: row[4] as string,
    hostReport: row[5] === 1,
    report: JSON.parse(row[6] as string) as TlsReport,
  };
}

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
  /** Whose TLSRPT record is asked for an address: a recipient domain, or an MX host. */
  policyDomain: string;
  recipientDomain: string;
  isHost: boolean;
  /** False if only reports were sent: a report about reports would never end. */
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

  /** Adds to what is there of the day. */
  add(r: TlsDayResult): void {
    const host = r.isHost ? 1 : 0;
    this.#db.transaction(() => {
      const row = this.#db.get(
        "SELECT results FROM results WHERE day = ? AND domain = ? AND recipient_domain = ? AND is_host = ?",
        r.day,
        r.policyDomain,
        r.recipientDomain,
        host,
      );
      const before = row ? JSON.parse(row[0] as string) as TlsPolicyResult[] : [];
      this.#db.run(
        "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET " +
          "wanted = max(wanted, excluded.wanted), results = excluded.results",
        r.day,
        r.policyDomain,
        r.recipientDomain,
        host,
        r.wanted ? 1 : 0,
        JSON.stringify(mergeTlsResults(before, r.results)),
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

  /** Removes what has been reported: all of a policy domain on a day. */
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
