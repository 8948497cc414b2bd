/** TLS reports received: `tlsrpt.db`. @module */
import { join } from "node:path";
import { Db, type Migration } from "../store/database/database.ts";
import { tlsFailures, tlsReports, tlsrptSessions, tlsSessions } from "./metrics.ts";
import { ReceivedReports } from "./received.ts";
import { type TlsReport, tlsResultTypes } from "./tlsrpt.ts";

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

/** Reports received. Periods are in milliseconds. */
export class TlsReports extends ReceivedReports<StoredTlsReport> {
  static async open(dataDir: string): Promise<TlsReports> {
    const db = await Db.open(join(dataDir, "tlsrpt.db"), reportMigrations);
    return new TlsReports(db, columns, stored);
  }

  /** Stores a report; resolves when it is on disk: false if it was stored before. */
  async add(r: Omit<StoredTlsReport, "id">): Promise<boolean> {
    const { changes } = this.db.run(
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
    await this.db.durable();
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
