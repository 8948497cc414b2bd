/** Delivery to other servers: each recipient by the transport of its route. @module */
import { type Config, hostTransports, type Transport } from "../../config/mod.ts";
import type { Resolver } from "../../dns/mod.ts";
import type { Log } from "../../log/mod.ts";
import type { AddressRule, Authorities } from "../../net/mod.ts";
import type { Progress, Timeouts } from "../../smtp/client/mod.ts";
import type { TlsPolicy } from "../../tlspolicy/types.ts";
import { permanent, temporary } from "../failure.ts";
import { HostMemory } from "./host_memory.ts";
import { deliverRemote, type MessageTls, type RemoteOptions } from "./remote.ts";
import { relayTransport, transportFor } from "./routes.ts";
import { domainOf } from "../rows.ts";
import { Sessions } from "./sessions.ts";
import { askSmarthost, deliverSmarthost } from "./smarthost.ts";
import type { Deliverer, QueueItem, QueueMessage, Result } from "../types.ts";
import { directWay, socksWay, type SourceAddress, type WayOptions } from "./way.ts";

export interface RemoteDelivererOptions {
  log: Log;
  config: Config;
  resolver: Resolver;
  tlsPolicy: TlsPolicy;
  /** Addresses to connect from. */
  sources: readonly SourceAddress[];
  /** Certificate authorities for other servers; the system's if not given. */
  authorities?: Authorities;
  /** Signs again a message that was signed before and then encoded for its server. */
  signAgain?(message: Uint8Array): Promise<Uint8Array>;
  /** Which addresses mail may be sent to, without a configured transport. */
  rule?: AddressRule;
  /** For tests: port of other servers, milliseconds for a connection and for answers, and the time. */
  port?: number;
  connectTimeout?: number;
  timeouts?: Partial<Timeouts>;
  now?(): number;
  random?(): number;
}

/** Makes the deliverer of a server. */
export function remoteDeliverer(options: RemoteDelivererOptions): Deliverer {
  const { config } = options;
  const random = options.random ?? Math.random;
  const sessions = new Sessions();
  const remote: RemoteOptions = {
    log: options.log,
    resolver: options.resolver,
    tlsPolicy: options.tlsPolicy,
    sessions,
    memory: new HostMemory(options.now ?? Date.now, random),
    isOwnHost: (host) => config.hostnames.has(host),
    isOwnDomain: (domain) => config.hostnames.has(domain) || config.domain(domain) !== undefined,
    random,
    authorities: options.authorities,
    port: options.port ?? 25,
    timeouts: options.timeouts,
    signAgain: options.signAgain,
    now: options.now ?? Date.now,
  };
  const ways: WayOptions = {
    log: options.log,
    hostname: config.static.Hostname,
    sources: options.sources,
    connectTimeout: options.connectTimeout,
    rule: options.rule,
    random,
  };

  async function by(
    name: string | undefined,
    tls: MessageTls,
    message: QueueMessage,
    items: readonly QueueItem[],
    signal: AbortSignal,
    progress: (step: Progress) => void,
  ): Promise<Result[]> {
    const t: Transport | undefined = name === undefined
      ? undefined
      : config.static.Transports.get(name);
    if (name !== undefined && !t) {
      return items.map(() => temporary("4.3.5", `there is no transport ${name}`));
    }
    const common = { message, items, tls, signal, progress };
    if (t?.Fail) {
      const text = t.Fail.SMTPMessage || `transport ${name} refuses all messages`;
      const code = t.Fail.SMTPCode || 554;
      return items.map(() =>
        code < 500 ? temporary("4.7.1", text, code) : permanent("5.7.1", text, code)
      );
    }
    for (const kind of hostTransports) {
      const smtp = t?.[kind];
      if (!smtp) continue;
      return await deliverSmarthost(
        remote,
        { ...common, way: directWay(ways, name) },
        kind,
        smtp,
      );
    }
    const way = t?.Socks
      ? socksWay(ways, name!, {
        ...hostPort(t.Socks.Address),
        remoteIps: t.Socks.RemoteIPs,
        remoteHostname: t.Socks.RemoteHostname,
      })
      : directWay(ways, name, { v4: t?.Direct?.DisableIPv4, v6: t?.Direct?.DisableIPv6 });
    return await deliverRemote(remote, { ...common, way });
  }

  return {
    async deliver(message, items, signal, progress = () => {}) {
      // Usually one group: recipients of one domain with the same number of attempts.
      const groups = new Map<string, QueueItem[]>();
      const fromDomain = domainOf(message.mailFrom);
      for (const item of items) {
        const transport = item.transport ?? relayTransport(config, item.address) ??
          transportFor(config, {
            account: message.senderAccount,
            fromDomain,
            toDomain: item.domain,
            attempts: item.attempts,
          });
        const tls = item.requireTls ??
          (message.requireTls ? "yes" : message.tlsOptional ? "no" : "policy");
        const key = JSON.stringify([transport ?? null, tls]);
        groups.set(key, [...groups.get(key) ?? [], item]);
      }
      const results = new Map<QueueItem, Result>();
      for (const [key, group] of groups) {
        const [transport, tls] = JSON.parse(key) as [string | null, MessageTls];
        const got = await by(transport ?? undefined, tls, message, group, signal, progress);
        for (const [i, r] of got.entries()) results.set(group[i], r);
      }
      return items.map((i) => results.get(i)!);
    },
    async ask(name, address, signal) {
      const t = config.static.Transports.get(name);
      for (const kind of hostTransports) {
        const host = t?.[kind];
        if (!host) continue;
        const use = { way: directWay(ways, name), tls: "policy" as const, signal, progress() {} };
        return await askSmarthost(remote, use, kind, host, address);
      }
      return temporary("4.3.5", `there is no transport ${name} with a host`);
    },
    stop: () => sessions.stop(),
  };
}

function hostPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return {
    host: address.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(address.slice(colon + 1)),
  };
}
