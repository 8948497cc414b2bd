/**
 * Receiving mail from other servers: the services a running server has for it (resolver, block lists, junk
 * filters, databases of reports), and the backend of its SMTP listeners.
 *
 * A message is accepted in four steps, each in its own file: it is opened and stripped of claims that
 * only this server may make (arrival/arrived.ts), its sender is authenticated (analysis.ts), each
 * recipient's account decides about it (targets.ts, analysis.ts), and it is delivered or refused
 * (deliver.ts).
 *
 * @module
 */
import { cidString } from "../../log/mod.ts";
import { traced } from "../../platform/telemetry.ts";
import { type Config, firstTimeSenderDelay, type Listener } from "../../config/mod.ts";
import { Greylist } from "../../delivery/greylist.ts";
import { dnsblChecker, makeResolver, type Resolver } from "../../dns/mod.ts";
import { DmarcEvaluations, DmarcReports, FailureReports, TlsReports } from "../../reports/mod.ts";
import {
  type Delivered,
  type IncomingMessage,
  type Recipient,
  type SmtpBackend,
  SmtpError,
  type SmtpSession,
  type Transaction,
} from "../../smtp/server/mod.ts";
import { ParsingObserver } from "../arrival/arrived.ts";
import { queueForNode } from "./away.ts";
import { receive } from "./deliver.ts";
import { notifyFailures } from "./dsn.ts";
import type {
  ReceivingListener,
  ReceivingServices,
  ReportDatabases,
  SenderWait,
} from "../arrival/services.ts";
import type { Passing } from "./passing.ts";
import { RecipientRates } from "./rates.ts";
import { RelayedAddresses } from "./relayed.ts";
import { nodeOfAddress, routeForRecipient } from "./targets.ts";

/** Settings for receiving, used by tests. */
export interface ReceivingOptions {
  /** By default the system's. Localserve uses none. */
  resolver?: Resolver;
  wait?: SenderWait;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** From 0 to below 1. */
  random?: () => number;
}

/** Milliseconds between checks whether a wait should end. */
const waitSlice = 100;

async function waitConnected(
  session: SmtpSession,
  ms: number,
  stopping: AbortSignal,
): Promise<boolean> {
  for (let left = ms; left > 0;) {
    if (stopping.aborted) return false;
    const slice = Math.min(left, waitSlice);
    const started = performance.now();
    await session.pause(slice);
    const waited = performance.now() - started;
    // It returns early only if the peer is gone.
    if (waited < slice - 1) return false;
    left -= waited;
  }
  return !stopping.aborted;
}

/** Receiving in a running server. */
export class Receiving {
  readonly #services: ReceivingServices;
  readonly #stop: AbortController;
  readonly #relayed: RelayedAddresses;
  readonly #rates: RecipientRates;

  private constructor(services: ReceivingServices, stop: AbortController) {
    this.#services = services;
    this.#stop = stop;
    this.#relayed = new RelayedAddresses(
      (...of) => services.queue.askTransport(...of),
      services.now,
      stop.signal,
    );
    this.#rates = new RecipientRates(services);
  }

  /**
   * Opens the databases.
   * @param s `local` for localserve, which works without DNS, and accepts all messages.
   */
  static async open(
    s:
      & Pick<
        ReceivingServices,
        | "config"
        | "accounts"
        | "queue"
        | "filters"
        | "figures"
        | "tempDir"
        | "webhooks"
        | "srs"
        | "sieve"
        | "scanners"
        | "lists"
        | "journal"
        | "months"
      >
      & {
        local: boolean;
      },
    options: ReceivingOptions = {},
  ): Promise<Receiving> {
    const { config, accounts, queue, filters, tempDir, local } = s;
    const stop = new AbortController();
    const resolver = local ? undefined : options.resolver ?? makeResolver();
    const now = options.now ?? Date.now;
    return new Receiving({
      config,
      accounts,
      queue,
      filters,
      figures: s.figures,
      tempDir,
      webhooks: s.webhooks,
      srs: s.srs,
      sieve: s.sieve,
      scanners: s.scanners,
      greylist: wantsGreylist(config) ? await Greylist.open(config.dataDir) : undefined,
      lists: s.lists,
      journal: s.journal,
      months: s.months,
      resolver,
      dnsbl: resolver && dnsblChecker(resolver),
      reports: local ? undefined : await openReports(config.dataDir),
      catching: local,
      wait: options.wait ?? waitConnected,
      now,
      random: options.random ?? Math.random,
      stopping: stop.signal,
    }, stop);
  }

  /** The databases of reports, for the admin pages and for sending reports; none in localserve. */
  get reports(): ReportDatabases | undefined {
    return this.#services.reports;
  }

  /**
   * The backend of a listener's port 25: messages for our own addresses.
   * @param passing passes on to the nodes with the other accounts; without it, their recipients are refused for now
   */
  backend(listener: Listener, passing?: Passing): SmtpBackend {
    const here = this.#backend(listener);
    return passing === undefined ? here : passing.before(here);
  }

  #backend(l: Listener): SmtpBackend {
    const s = this.#services;
    const listener: ReceivingListener = {
      hostname: l.Hostname || s.config.static.Hostname,
      dnsblZones: l.SMTP.DNSBLs,
      linkDnsblZones: l.SMTP.LinkDNSBLs,
      firstTimeSenderDelay: firstTimeSenderDelay(l),
      scanners: l.SMTP.Scanners,
      greylist: l.SMTP.Greylist,
    };
    return {
      checkRecipient: (session, transaction, recipient) =>
        Promise.resolve().then(async () => {
          const node = nodeOfAddress(s.config, recipient.address);
          if (node !== undefined) {
            throw new SmtpError(451, "4.1", "the address is another node's, try again later");
          }
          const route = routeForRecipient(s, recipient.address, transaction.mailFrom);
          if ("list" in route) s.lists.checkRecipient(route.list);
          if ("relay" in route) await this.#relayed.check(route.relay, recipient.address);
          if ("target" in route) {
            await this.#rates.check(session, transaction, route.target.account);
          }
          return route;
        }),
      startMessage: () => new ParsingObserver(),
      deliver: (session, transaction, message): Promise<Delivered> =>
        traced("smtp.receive", {
          "mox.cid": cidString(session.cid),
          "client.address": session.remoteIp,
          "mox.recipients": transaction.recipients.length,
          "mox.size": message.size,
        }, async (span) => {
          const done = await receive(s, listener, session, transaction, message);
          const refused = done.outcomes.find((o) => o !== undefined);
          if (refused) span.fail(`${refused.code} ${refused.message}`);
          transaction.recipients.forEach(({ address }, i) => {
            const domain = s.config.domain(address.asciiDomain ?? "")?.name.ascii;
            if (domain) s.months?.received(domain, done.outcomes[i] !== undefined);
          });
          return done;
        }),
      failed: (session, transaction, message, failures) =>
        notifyFailures(s, session, transaction, message, failures),
    };
  }

  /** Queues a message for a node that is away; durable when it resolves. @throws SmtpError */
  async queueForNode(
    session: SmtpSession,
    transaction: Transaction,
    message: IncomingMessage,
    recipients: readonly Recipient[],
  ): Promise<void> {
    await queueForNode(this.#services, session, transaction, message, recipients);
  }

  /** Cuts waits short, so that connections can end; call it before stopping listeners. */
  stop(): void {
    this.#stop.abort();
  }

  /** Closes the databases, once nothing is received any more. */
  async close(): Promise<void> {
    this.stop();
    const { reports, greylist } = this.#services;
    await greylist?.close();
    if (reports) {
      await Promise.all([
        reports.dmarc.close(),
        reports.failures.close(),
        reports.tls.close(),
        reports.evaluations.close(),
      ]);
    }
  }
}

function wantsGreylist(config: Config): boolean {
  return [...config.static.Listeners.values()].some((l) => l.SMTP.Greylist !== undefined);
}

async function openReports(dataDir: string): Promise<ReportDatabases> {
  return {
    dmarc: await DmarcReports.open(dataDir),
    failures: await FailureReports.open(dataDir),
    tls: await TlsReports.open(dataDir),
    evaluations: await DmarcEvaluations.open(dataDir),
  };
}
