/**
 * Databases of DMARC: reports received (`dmarcrpt.db`), and evaluations to report (`dmarceval.db`).
 *
 * @module
 */
import { join } from "node:path";
import { Db, type Migration } from "../store/database/database.ts";
import type { DmarcReport } from "./dmarc.ts";
import type { DmarcEvaluation } from "./dmarc_build.ts";
import { dmarcAligned, dmarcMessages, dmarcReports, policyEvaluated } from "./metrics.ts";

const reportMigrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE reports (
  id INTEGER PRIMARY KEY,
  received INTEGER NOT NULL,
  domain TEXT NOT NULL,
  from_domain TEXT NOT NULL,
  report_id TEXT NOT NULL,
  -- Seconds.
  begin_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  -- JSON of DmarcReport.
  report TEXT NOT NULL
);
CREATE UNIQUE INDEX reports_id ON reports (domain, from_domain, report_id, begin_time, end_time);
CREATE INDEX reports_time ON reports (end_time, domain);
`,
}];

/** A report as stored. */
export interface StoredDmarcReport {
  id: number;
  /** Milliseconds. */
  received: number;
  /** Domain of the From address of the message. */
  fromDomain: string;
  report: DmarcReport;
}

/** Counts of a domain over several reports. */
export interface DmarcSummary {
  domain: string;
  total: number;
  none: number;
  quarantine: number;
  reject: number;
  dkimFail: number;
  spfFail: number;
  /** Neither DKIM nor SPF passed aligned. */
  bothFail: number;
}

/** Reports received. */
export class DmarcReports {
  readonly #db: Db;
  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<DmarcReports> {
    return new DmarcReports(await Db.open(join(dataDir, "dmarcrpt.db"), reportMigrations));
  }

  /** Stores a report; resolves when it is on disk: false if it was there already. */
  async add(report: DmarcReport, fromDomain: string, received = Date.now()): Promise<boolean> {
    let messages = 0;
    for (const r of report.records) messages += r.count;
    const { changes } = this.#db.run(
      "INSERT INTO reports (received, domain, from_domain, report_id, begin_time, end_time, messages, report) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      received,
      report.policy.domain,
      fromDomain,
      report.reportId,
      report.begin,
      report.end,
      messages,
      JSON.stringify(report),
    );
    await this.#db.durable();
    dmarcReports.inc({ result: changes === 1 ? "stored" : "duplicate" });
    if (changes !== 1) return false;
    for (const r of report.records) {
      dmarcMessages.inc({ disposition: r.disposition || "unknown" }, r.count);
      policyEvaluated.inc({
        disposition: r.disposition || "unknown",
        dkim: r.dkim || "unknown",
        spf: r.spf || "unknown",
      }, r.count);
      dmarcAligned.inc({ dkim: r.dkim || "unknown", spf: r.spf || "unknown" }, r.count);
    }
    return true;
  }

  get(id: number): StoredDmarcReport | undefined {
    const row = this.#db.get(
      "SELECT id, received, from_domain, report FROM reports WHERE id = ?",
      id,
    );
    return row && stored(row);
  }

  /**
   * Reports that end in a period, newest first.
   * @param begin seconds, inclusive
   * @param end seconds, exclusive
   * @param domain "" for all
   */
  list(begin: number, end: number, domain = "", limit = 1000): StoredDmarcReport[] {
    return this.#db.all(
      "SELECT id, received, from_domain, report FROM reports " +
        "WHERE end_time >= ? AND end_time < ? AND (? = '' OR domain = ?) ORDER BY end_time DESC, id DESC LIMIT ?",
      begin,
      end,
      domain,
      domain,
      limit,
    ).map(stored);
  }

  /** Counts by domain of the reports that end in a period (seconds), by name of domain. */
  summaries(begin: number, end: number): DmarcSummary[] {
    const byDomain = new Map<string, DmarcSummary>();
    const rows = this.#db.iterate(
      "SELECT report FROM reports WHERE end_time >= ? AND end_time < ?",
      begin,
      end,
    );
    for (const [json] of rows) {
      const report = JSON.parse(json as string) as DmarcReport;
      const domain = report.policy.domain;
      let s = byDomain.get(domain);
      if (!s) {
        s = {
          domain,
          total: 0,
          none: 0,
          quarantine: 0,
          reject: 0,
          dkimFail: 0,
          spfFail: 0,
          bothFail: 0,
        };
        byDomain.set(domain, s);
      }
      for (const r of report.records) {
        s.total += r.count;
        if (r.disposition !== "") s[r.disposition] += r.count;
        if (r.dkim === "fail") s.dkimFail += r.count;
        if (r.spf === "fail") s.spfFail += r.count;
        if (r.dkim === "fail" && r.spf === "fail") s.bothFail += r.count;
      }
    }
    return [...byDomain.values()].sort((a, b) => a.domain < b.domain ? -1 : 1);
  }

  /** Removes reports that ended before a time (seconds). Returns how many. */
  removeBefore(end: number): number {
    return this.#db.run("DELETE FROM reports WHERE end_time < ?", end).changes;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

function stored(row: unknown[]): StoredDmarcReport {
  return {
    id: row[0] as number,
    received: row[1] as number,
    fromDomain: row[2] as string,
    report: JSON.parse(row[3] as string) as DmarcReport,
  };
}

const evaluationMigrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE evaluations (
  id INTEGER PRIMARY KEY,
  domain TEXT NOT NULL,
  evaluated INTEGER NOT NULL,
  optional INTEGER NOT NULL,
  interval_hours INTEGER NOT NULL,
  -- JSON of DmarcEvaluation.
  evaluation TEXT NOT NULL
);
CREATE INDEX evaluations_domain ON evaluations (domain, evaluated);
-- Addresses that get no reports for a while, e.g. because they bounced.
CREATE TABLE suppressed (address TEXT PRIMARY KEY, until INTEGER NOT NULL, comment TEXT NOT NULL) WITHOUT ROWID;
`,
}];

/** What waits for a domain. */
export interface PendingEvaluations {
  domain: string;
  count: number;
  /** False if all are optional: then no report is sent. */
  wanted: boolean;
  /** The shortest interval asked for. */
  intervalHours: number;
}

/** Evaluations that are to be reported. A crash may lose the last ones; reports are best effort. */
export class DmarcEvaluations {
  readonly #db: Db;
  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<DmarcEvaluations> {
    return new DmarcEvaluations(await Db.open(join(dataDir, "dmarceval.db"), evaluationMigrations));
  }

  add(e: DmarcEvaluation): void {
    this.#db.run(
      "INSERT INTO evaluations (domain, evaluated, optional, interval_hours, evaluation) VALUES (?, ?, ?, ?, ?)",
      e.policyDomain,
      e.evaluated,
      e.optional ? 1 : 0,
      e.intervalHours,
      JSON.stringify(e),
    );
  }

  /** Domains with evaluations before a time (milliseconds). */
  pending(before: number): PendingEvaluations[] {
    return this.#db.all(
      "SELECT domain, count(*), max(optional = 0), min(interval_hours) FROM evaluations " +
        "WHERE evaluated < ? GROUP BY domain ORDER BY domain",
      before,
    ).map(([domain, count, wanted, hours]) => ({
      domain,
      count,
      wanted: wanted === 1,
      intervalHours: hours,
    }));
  }

  /** Evaluations of a domain before a time, oldest first. */
  list(domain: string, before: number, limit = 100_000): DmarcEvaluation[] {
    return this.#db.all(
      "SELECT evaluation FROM evaluations WHERE domain = ? AND evaluated < ? ORDER BY evaluated, id LIMIT ?",
      domain,
      before,
      limit,
    ).map(([json]) => JSON.parse(json as string) as DmarcEvaluation);
  }

  /** Removes evaluations of a domain before a time, when they have been reported. */
  remove(domain: string, before: number): number {
    return this.#db.run(
      "DELETE FROM evaluations WHERE domain = ? AND evaluated < ?",
      domain,
      before,
    )
      .changes;
  }

  /** Sends an address no reports until a time (milliseconds). */
  suppress(address: string, until: number, comment: string): void {
    this.#db.run(
      "INSERT INTO suppressed VALUES (?, ?, ?) ON CONFLICT (address) DO UPDATE SET until = excluded.until, comment = excluded.comment",
      address.toLowerCase(),
      until,
      comment,
    );
  }
  unsuppress(address: string): void {
    this.#db.run("DELETE FROM suppressed WHERE address = ?", address.toLowerCase());
  }
  suppressed(now = Date.now()): { address: string; until: number; comment: string }[] {
    return this.#db.all(
      "SELECT address, until, comment FROM suppressed WHERE until > ? ORDER BY address",
      now,
    ).map(([address, until, comment]) => ({ address, until, comment }));
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
