/** What the queue needs from the rest of the server: delivery, and reports to senders. @module */
import type { Config } from "../config/mod.ts";
import { makeResolver, type Resolver } from "../dns/mod.ts";
import { Log } from "../log/mod.ts";
import { mailAddressRule, type Outbound } from "../net/mod.ts";
import {
  type Deliverer,
  type DsnEvent,
  localDeliverer,
  type Queue,
  type QueueOptions,
  remoteDeliverer,
  type Result,
  type SourceAddress,
} from "../queue/mod.ts";
import { SmtpError } from "../smtp/server/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { describeFile } from "../store/messages/describe.ts";
import { StoreError } from "../store/types.ts";
import { opportunistic } from "../tlspolicy/opportunistic.ts";
import { outboundFetch } from "../tlspolicy/sts_https.ts";
import { Policies } from "../tlspolicy/policies.ts";
import type { TlsPolicy } from "../tlspolicy/types.ts";
import type { Srs } from "../senderauth/mod.ts";
import { TlsResults } from "../reports/mod.ts";
import type { MailLinks } from "../nodes/pass_on.ts";
import { type HandOverOptions, withNodes } from "./nodes/hand_over.ts";
import { clientOf } from "./receiving/away.ts";
import { isForMembers } from "./receiving/later.ts";
import type { ReportDatabases } from "./arrival/services.ts";
import { recordTlsResult } from "./reports/tls_results.ts";
import { noteUndeliverable } from "./reports/undeliverable.ts";
import { addressOf, deliverDsn } from "./onward/dsn.ts";
import { isRelayed } from "./onward/relay.ts";
import { signAgain } from "./sending/signing.ts";
import { limitNotices } from "./sending/limit_notice.ts";
import { deliverToSelf } from "./smtp_backend.ts";
import type { ServerWebhooks } from "./sending/webhooks.ts";

/** How mail leaves. */
export interface OutgoingOptions {
  /** The system's if not given. */
  resolver?: Resolver;
  /** Without one TLS is opportunistic. */
  tlsPolicy?: TlsPolicy;
  /** Port of other servers; 25 if not given. For tests. */
  port?: number;
  /** Called for each event of a recipient, for webhooks. */
  onEvent?: QueueOptions["onEvent"];
}

/** How mail leaves a server: obeying others' policies, unless specified otherwise. */
export async function outgoingOptions(
  s: { config: Config; local: boolean; outbound: Outbound; outgoing?: OutgoingOptions },
): Promise<
  OutgoingOptions & { tlsResults?: TlsResults; close?: () => Promise<void>; policies?: Policies }
> {
  if (s.local || s.outgoing?.tlsPolicy !== undefined) return s.outgoing ?? {};
  const resolver = s.outgoing?.resolver ?? makeResolver();
  const tlsResults = await TlsResults.open(s.config.dataDir);
  const policies = await Policies.open({
    dataDir: s.config.dataDir,
    resolver,
    log: new Log("mtasts"),
    fetch: outboundFetch(s.outbound),
    onResult: (r) => recordTlsResult(tlsResults, r, Date.now()),
  });
  policies.keepFresh();
  return {
    ...s.outgoing,
    resolver,
    tlsPolicy: policies,
    policies,
    tlsResults,
    async close() {
      await policies.close();
      await tlsResults.close();
    },
  };
}

export function queueServices(
  s: {
    config: Config;
    accounts: Accounts;
    local: boolean;
    outbound: Outbound;
    tempDir: string;
    queue: () => Queue;
    srs: Srs;
    webhooks?: ServerWebhooks;
    /** This server as a node, once it is reachable. */
    nodeMail?: () => MailLinks | undefined;
    reports?: () => ReportDatabases | undefined;
    /** Handles reports about messages of mailing lists; false for others. */
    listReport?: (event: DsnEvent) => Promise<boolean>;
  },
  options: OutgoingOptions = {},
): QueueOptions {
  const withoutWebhooks = { ...s, webhooks: undefined };
  return {
    log: new Log("queue"),
    // First the nodes: a member's account may have moved to another one since the message was queued.
    deliverer: s.local ? selfDeliverer(s) : withNodes(
      nodeOptions(s),
      withMembers(
        selfDeliverer(s),
        remoteDeliverer({
          log: new Log("smtpclient"),
          config: s.config,
          resolver: options.resolver ?? makeResolver(),
          tlsPolicy: options.tlsPolicy ?? opportunistic,
          sources: sourceAddresses(s.config),
          authorities: s.outbound.authorities,
          port: options.port,
          // Tests have all servers on loopback.
          rule: options.port === undefined
            ? mailAddressRule({ allowed: s.config.static.AllowedUserNetworks })
            : undefined,
          signAgain: (message) => signAgain(s.config, message),
        }),
      ),
    ),
    // Webhooks get the event itself, not our report about it.
    async onDsn(event) {
      if (await s.listReport?.(event)) return;
      await deliverDsn(withoutWebhooks, event);
    },
    async onEvent(event) {
      const { message } = event;
      if (!isForMembers(message) && !isRelayed(message) && clientOf(message) === undefined) {
        await s.webhooks?.outgoing(event);
      }
      const reports = s.reports?.();
      if (reports) noteUndeliverable(reports.evaluations, event, Date.now());
      await options.onEvent?.(event);
    },
    onLimit: limitNotices(s),
    retiredPeriod: (account) => s.config.account(account)?.KeepRetiredMessagePeriod ?? 0,
  };
}

/** How mail for accounts of other nodes leaves. */
function nodeOptions(
  s: { config: Config; nodeMail?: () => MailLinks | undefined },
): HandOverOptions {
  const ownIp = sourceAddresses(s.config)[0]?.ip ?? "127.0.0.1";
  return { config: s.config, links: () => s.nodeMail?.(), ownIp };
}

/** Mail for members of aliases stays here, whatever the route for their domain. */
function withMembers(own: Deliverer, remote: Deliverer): Deliverer {
  return {
    ...remote,
    deliver: (message, items, ...more) =>
      (isForMembers(message) ? own : remote).deliver(message, items, ...more),
  };
}

/** Delivers all mail to this server's own accounts. */
function selfDeliverer(
  s: { config: Config; accounts: Accounts; webhooks?: ServerWebhooks },
): Deliverer {
  return localDeliverer(async (message, item): Promise<Result> => {
    try {
      await deliverToSelf(
        s,
        addressOf(item.address),
        message.mailFrom === "" ? undefined : addressOf(message.mailFrom),
        {
          file: message.path,
          fileSize: message.fileSize,
          prefix: prefixWith(
            `Return-Path: <${message.mailFrom}>\r\nDelivered-To: ${item.address}\r\n`,
            message.prefix,
          ),
        },
        await describeFile(message.path),
      );
      return { kind: "delivered" };
    } catch (err) {
      return failure(err);
    }
  });
}

/** Addresses of SMTP listeners that can be used for outgoing connections. */
function sourceAddresses(config: Config): SourceAddress[] {
  const sources: SourceAddress[] = [];
  for (const l of config.static.Listeners.values()) {
    if (!l.SMTP.Enabled) continue;
    for (const ip of l.IPs) {
      if (ip === "0.0.0.0" || ip === "::") continue;
      sources.push({ ip, hostname: l.Hostname || config.static.Hostname });
    }
  }
  return sources;
}

function prefixWith(text: string, prefix: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(text);
  const r = new Uint8Array(head.length + prefix.length);
  r.set(head);
  r.set(prefix, head.length);
  return r;
}

function failure(err: unknown): Result {
  if (err instanceof SmtpError) {
    return {
      kind: err.code < 500 ? "temporary" : "permanent",
      code: err.code,
      enhanced: err.status,
      text: err.message,
    };
  }
  if (err instanceof StoreError && err.code === "overQuota") {
    return { kind: "temporary", code: 452, enhanced: "4.2.2", text: "mailbox is full" };
  }
  const text = err instanceof Error ? err.message : String(err);
  return { kind: "temporary", code: 451, enhanced: "4.3.0", text };
}
