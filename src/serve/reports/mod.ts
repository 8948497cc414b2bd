/**
 * Reports to other domains: what happened to messages in their name (DMARC), and to TLS with their
 * servers (TLSRPT). Collected while receiving and delivering, sent from here when due.
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

/** Running report sending. */
export interface ReportSending {
  /** Sends due reports now, without waiting for their hour. @returns the domains that got one */
  now(): Promise<string[]>;
  /** Stops it, once work in progress is done. */
  end(): Promise<void>;
}

/** Starts sending reports, each in its hour. */
export function startReports(options: ReportSenderOptions): ReportSending {
  const log = new Log("reports");
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;
  // This server's own minutes after the hour, and hours after midnight, so that servers don't all send at once.
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
  /** One at a time: a report must not be sent twice. */
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
