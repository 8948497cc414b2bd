/**
 * Reports to other domains: what happened with messages in their name (DMARC), and with TLS to their
 * servers (TLSRPT). Collected by receiving and delivering, sent here when their time has come.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import type { Resolver } from "../../dns/mod.ts";
import { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import type { Queue } from "../../queue/mod.ts";
import type { DmarcEvaluations, TlsResults } from "../../reports/mod.ts";
import { sendDmarcReports } from "./dmarc_reports.ts";
import { sendTlsReports } from "./tls_reports.ts";

const hour = 3_600_000;

export interface ReportSenderOptions {
  config: Config;
  queue: Queue;
  tempDir: string;
  resolver: Resolver;
  evaluations: DmarcEvaluations;
  results: TlsResults;
  outbound: Outbound;
}

/** Sending of reports that has begun. */
export interface ReportSending {
  /** Sends those that are due, without waiting for their hour. @returns the domains that were reported to */
  now(): Promise<string[]>;
  /** Ends it, when what is under way is done. */
  end(): Promise<void>;
}

/** Sends reports from now on, each in its hour. */
export function startReports(options: ReportSenderOptions): ReportSending {
  const log = new Log("reports");
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;
  // Minutes after the hour, and hours after midnight, that are this server's: not everybody's at once.
  const minute = Math.floor(Math.random() * 10 * 60_000) + 60_000;
  const tlsHour = Math.floor(Math.random() * 4);

  const send = async (now: number, fromHour: number): Promise<string[]> => {
    const { static: s } = options.config;
    const lines: string[] = [];
    if (!s.NoOutgoingDMARCReports) lines.push(...await sendDmarcReports({ ...options, log }, now));
    if (!s.NoOutgoingTLSReports && new Date(now).getUTCHours() >= fromHour) {
      lines.push(...await sendTlsReports({ ...options, log }, now));
    }
    return lines;
  };
  /** One after the other: a report isn't to be sent twice. */
  const run = (fromHour: number): Promise<string[]> => {
    const before = running ?? Promise.resolve();
    const mine = before.then(() => send(Date.now(), fromHour));
    const settled = mine.then(() => {}, () => {});
    running = settled;
    return mine;
  };
  const schedule = () => {
    if (stopped) return;
    const now = Date.now();
    let next = Math.floor(now / hour) * hour + minute;
    if (next <= now) next += hour;
    timer = setTimeout(() => {
      run(tlsHour).catch((err) => log.error("sending reports", { err: err as Error }))
        .finally(schedule);
    }, next - now);
    Deno.unrefTimer(timer as unknown as number);
  };
  schedule();
  return {
    now: () => run(0),
    async end() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
