/** DMARC reports received: `dmarcrpt.db`. @module */
import { join } from "node:path";
import { Db, type Migration } from "../store/database/database.ts";
import type { DmarcReport } from "./dmarc.ts";
import { dmarcAligned, dmarcMessages, dmarcReports, policyEvaluated } from "./metrics.ts";
import { ReceivedReports } from "./received.ts";

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

/** Reports received. Periods are in seconds. */
export class DmarcReports extends ReceivedReports<StoredDmarcReport> {
  static async open(dataDir: string): Promise<DmarcReports> {
    const db = await Db.open(join(dataDir, "dmarcrpt.db"), reportMigrations);
    return new DmarcReports(db, "id, received, from_domain, report", stored);
  }

  /** Stores a report; resolves when it is on disk: false if it was stored before. */
  async add(report: DmarcReport, fromDomain: string, received = Date.now()): Promise<boolean> {
    let messages = 0;
    for (const r of report.records) messages += r.count;
    const { changes } = this.db.run(
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
    await this.db.durable();
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

  /** Counts by domain of the reports that end in a period (seconds), by name of domain. */
  summaries(begin: number, end: number): DmarcSummary[] {
    const byDomain = new Map<string, DmarcSummary>();
    const rows = this.db.iterate(
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
}

function stored(row: unknown[]): StoredDmarcReport {
  return {
    id: row[0] as number,
    received: row[1] as number,
    fromDomain: row[2] as string,
    report: JSON.parse(row[3] as string) as DmarcReport,
  };
}
