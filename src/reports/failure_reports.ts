/**
 * Failure reports (ruf, RFC 6591): single messages in the name of our domains that failed elsewhere; those
 * received are in `dmarcfail.db`.
 *
 * @module
 */
import { join } from "node:path";
import { parseFeedbackReport } from "../mail/dsn/feedback_parse.ts";
import { flattenAddresses, parseAddressList } from "../mail/address/address.ts";
import { headerField } from "../mail/header/header.ts";
import { decodeWords } from "../mail/header/words.ts";
import { Db, type Migration } from "../store/database/database.ts";
import { failureReports } from "./metrics.ts";
import { ReceivedReports } from "./received.ts";

/** Reports that are kept: a forged domain causes as many as there are messages. The oldest are removed. */
export const maxFailureReports = 10_000;
/** Characters of a text, and recipients, stored of a report. */
const maxText = 300;
const maxRecipients = 10;

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE reports (
  id INTEGER PRIMARY KEY,
  domain TEXT NOT NULL,
  -- When it came in, milliseconds.
  end_time INTEGER NOT NULL,
  from_domain TEXT NOT NULL,
  message_id TEXT NOT NULL,
  -- JSON of FailureReport.
  report TEXT NOT NULL
);
CREATE UNIQUE INDEX reports_id ON reports (from_domain, message_id) WHERE message_id <> '';
CREATE INDEX reports_time ON reports (end_time, domain);
`,
}];

/** A report's data about a failed message; texts are "" if missing. */
export interface FailureReport {
  /** What failed, such as "dmarc", "dkim", "spf", "bodyhash", "signature"; lower case. */
  kind: string;
  /** The domain the message claimed to be from. */
  domain: string;
  sourceIp: string;
  /** What happened to the message: "delivered", "spam", "policy", "reject", "other". */
  delivery: string;
  dkimDomain: string;
  dkimSelector: string;
  spfDns: string;
  /** When the message arrived there, milliseconds; 0 if unknown. */
  arrival: number;
  /** Number of messages covered by the report. */
  incidents: number;
  mailFrom: string;
  recipients: string[];
  /** The From field and subject of the message, decoded. */
  from: string;
  subject: string;
  messageId: string;
}

/** A report as stored. */
export interface StoredFailureReport {
  id: number;
  /** Milliseconds. */
  received: number;
  /** Domain of the From address of the report. */
  fromDomain: string;
  report: FailureReport;
}

const cut = (s: string) => s.replace(/\s+/g, " ").trim().slice(0, maxText);

/** Parses a message as a failure report; undefined if it isn't one. Total and linear. */
export function findFailureReport(message: Uint8Array): FailureReport | undefined {
  const found = parseFeedbackReport(message);
  if (!found?.failure) return undefined;
  const f = found.failure;
  const field = (name: string) => cut(decodeWords(headerField(found.original, name) ?? ""));
  return {
    kind: cut(f.kind),
    domain: cut(f.domain || authorDomain(headerField(found.original, "from") ?? "")),
    sourceIp: cut(f.sourceIp),
    delivery: cut(f.delivery),
    dkimDomain: cut(f.dkimDomain),
    dkimSelector: cut(f.dkimSelector),
    spfDns: cut(f.spfDns),
    arrival: f.arrival?.getTime() ?? 0,
    incidents: f.incidents,
    mailFrom: cut(found.mailFrom),
    recipients: found.recipients.slice(0, maxRecipients).map(cut),
    from: field("from"),
    subject: field("subject"),
    messageId: field("message-id"),
  };
}

/** The domain of the first address of a From field; "" without one. */
function authorDomain(from: string): string {
  return flattenAddresses(parseAddressList(from))[0]?.domain.toLowerCase() ?? "";
}

/** Received reports. Periods are in milliseconds, by the time of receipt. */
export class FailureReports extends ReceivedReports<StoredFailureReport> {
  static async open(dataDir: string): Promise<FailureReports> {
    const db = await Db.open(join(dataDir, "dmarcfail.db"), migrations);
    return new FailureReports(db, "id, end_time, from_domain, report", stored);
  }

  /**
   * Stores a report; resolves when it is on disk: false if the same message was stored before.
   * @param messageId of the report's message, "" without one
   */
  async add(
    report: FailureReport,
    fromDomain: string,
    messageId: string,
    received = Date.now(),
  ): Promise<boolean> {
    const { changes, lastInsertRowid } = this.db.run(
      "INSERT INTO reports (domain, end_time, from_domain, message_id, report) " +
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      report.domain,
      received,
      fromDomain,
      messageId.slice(0, maxText),
      JSON.stringify(report),
    );
    if (changes === 1) {
      this.db.run("DELETE FROM reports WHERE id <= ?", Number(lastInsertRowid) - maxFailureReports);
    }
    await this.db.durable();
    failureReports.inc({ result: changes === 1 ? "stored" : "duplicate" });
    return changes === 1;
  }
}

function stored(row: unknown[]): StoredFailureReport {
  return {
    id: row[0] as number,
    received: row[1] as number,
    fromDomain: row[2] as string,
    report: JSON.parse(row[3] as string) as FailureReport,
  };
}
