/**
 * Delivery to the hosts of a recipient's domain.
 *
 * Hosts and their addresses are tried in order until one of them accepts or refuses the message: SMTP refusals
 * are final for the attempt, connection failures lead to the next address. For each host the policies decide
 * what TLS is needed; plain text is used only if none of them requires TLS, and only after TLS has failed.
 *
 * @module
 */
import { DnsError, parseIp, type Resolver } from "../../dns/mod.ts";
import type { Log } from "../../log/mod.ts";
import type { Authorities } from "../../net/mod.ts";
import {
  type Progress,
  SmtpClient,
  SmtpClientError,
  type Timeouts,
} from "../../smtp/client/mod.ts";
import { daneHost } from "../../tlspolicy/dane_host.ts";
import { noPolicy } from "../../tlspolicy/opportunistic.ts";
import type {
  DanePolicy,
  DomainPolicy,
  TlsFailureDetail,
  TlsOutcome,
  TlsPolicy,
} from "../../tlspolicy/types.ts";
import { DestinationError, type Failure, failureOf, permanent, temporary } from "../failure.ts";
import { type HandOver, handOver, lost, resultOf, wasDead } from "./hand_over.ts";
import type { HostMemory } from "./host_memory.ts";
import { type MxHosts, mxHosts } from "./mx.ts";
import type { Sessions } from "./sessions.ts";
import {
  failureDetail,
  type TlsDemand,
  tlsDemand,
  tlsOutcomes,
  type TlsTrial,
} from "./tls_demand.ts";
import type { QueueItem, QueueMessage, Result } from "../types.ts";
import { connectBy, type Way } from "./way.ts";

/** Most addresses tried per host, and most connections per delivery. */
const maxAddresses = 4;
const maxConnections = 12;

/** What deliveries share. */
export interface RemoteOptions {
  log: Log;
  resolver: Resolver;
  tlsPolicy: TlsPolicy;
  sessions: Sessions;
  memory: HostMemory;
  isOwnHost(host: string): boolean;
  isOwnDomain(domain: string): boolean;
  random(): number;
  /** Certificate authorities for other servers; the system's if undefined. */
  authorities: Authorities | undefined;
  /** Port of other servers: 25, except in tests. */
  port: number;
  timeouts: Partial<Timeouts> | undefined;
  /** See HandOver. */
  signAgain: HandOver["signAgain"];
  now: HandOver["now"];
}

/** The TLS that a message requests: "yes" is REQUIRETLS, "no" waives all policies (RFC 8689). */
export type MessageTls = "yes" | "no" | "policy";

/** One delivery. */
export interface RemoteDelivery {
  message: QueueMessage;
  /** All of one domain. */
  items: readonly QueueItem[];
  way: Way;
  tls: MessageTls;
  signal: AbortSignal;
  progress: (step: Progress) => void;
}

/** Delivers to the hosts of the items' domain; results in the order of the items. */
export async function deliverRemote(
  options: RemoteOptions,
  delivery: RemoteDelivery,
): Promise<Result[]> {
  let gathered: [DomainPolicy, MxHosts];
  try {
    const domain = delivery.items[0].domain;
    gathered = await Promise.all([
      delivery.tls === "no" || domain.startsWith("[")
        ? noPolicy(domain)
        : options.tlsPolicy.policyFor(domain, delivery.signal),
      mxHosts(domain, { ...options, signal: delivery.signal }),
    ]);
  } catch (err) {
    if (!(err instanceof DestinationError)) throw err;
    return delivery.items.map(() => err.failure);
  }
  return await new Attempt(options, delivery, ...gathered).run();
}

/** An address of a host, and what is known before connecting. */
interface Target {
  host: string;
  ip: string;
  dane: DanePolicy;
  /** The MTA-STS policy does not list the host, but is in testing mode. */
  mismatch: TlsFailureDetail | undefined;
}

/** Tries the hosts one after the other. */
class Attempt {
  readonly #o: RemoteOptions;
  readonly #d: RemoteDelivery;
  readonly #policy: DomainPolicy;
  readonly #mx: MxHosts;
  readonly #results = new Map<QueueItem, Result>();
  /** The failure of hosts that could not be used. */
  #failure: Failure | undefined;
  #reached = false;
  /** A server that had answered became silent. */
  #silent = false;
  #connections = 0;

  constructor(options: RemoteOptions, delivery: RemoteDelivery, policy: DomainPolicy, mx: MxHosts) {
    this.#o = options;
    this.#d = delivery;
    this.#policy = policy;
    this.#mx = mx;
  }

  /** Items without a final result. */
  get #left(): QueueItem[] {
    return this.#d.items.filter((i) => !this.#results.has(i));
  }

  async run(): Promise<Result[]> {
    for (const host of this.#mx.hosts) {
      if (this.#left.length === 0 || this.#connections >= maxConnections) break;
      await this.#tryHost(host);
    }
    const failure = this.#failure ?? temporary("4.4.1", "no host could be tried");
    const rest: Failure = this.#reached && !this.#silent
      ? failure
      : { ...failure, unreachable: true };
    return this.#d.items.map((i) => this.#results.get(i) ?? rest);
  }

  /** A temporary failure of one host outweighs permanent ones of others. */
  #failed(failure: Failure): void {
    if (this.#failure?.kind !== "temporary" || failure.kind === "temporary") {
      this.#failure = failure;
    }
  }

  #report(
    host: string,
    dane: DanePolicy,
    where: { localIp: string; remoteIp: string; helo: string },
    outcomes: readonly TlsOutcome[],
  ): void {
    if (this.#d.tls === "no" || this.#mx.domain.startsWith("[")) return;
    this.#o.tlsPolicy.report({
      recipientDomain: this.#mx.domain,
      policy: this.#policy,
      mxHost: host,
      dane,
      localIp: where.localIp,
      remoteIp: where.remoteIp,
      remoteHelo: where.helo,
      isReport: this.#d.message.isDsn,
      outcomes,
    });
  }

  async #tryHost(host: string): Promise<void> {
    const policy = this.#policy;
    const nowhere = { localIp: "", remoteIp: "", helo: "" };
    let mismatch: TlsFailureDetail | undefined;
    if (policy.mode !== "none" && !policy.matches(host)) {
      const information = `host ${host} is not in the MTA-STS policy`;
      mismatch = { resultType: "validation-failure", reasonCode: "", information };
      if (policy.mode === "enforce") {
        const outcomes: TlsOutcome[] = [{ policyType: "sts", failure: mismatch }];
        this.#report(host, { kind: "none" }, nowhere, outcomes);
        return this.#failed(temporary("4.7.5", information));
      }
    }
    const found = await this.#addresses(host);
    if (!found) return;
    const port = this.#o.port;
    const { authenticated } = found;
    const dane: DanePolicy = this.#d.tls === "no" || this.#mx.domain.startsWith("[")
      ? { kind: "none" }
      : await this.#o.tlsPolicy.daneFor(
        { host, port, names: found.names, domains: [this.#mx.domain, this.#mx.canonicalName] },
        this.#d.signal,
      );
    if (dane.kind === "unavailable") {
      this.#report(host, dane, nowhere, [{ policyType: "tlsa", failure: dane.failure }]);
      const text = `TLSA records of ${host} can't be had: ${dane.failure.information}`;
      return this.#failed(temporary("4.7.5", text));
    }
    const required = this.#d.tls === "yes";
    // RFC 8689 §4.2.1: the name of the host must be trustworthy, too.
    const vouched = authenticated || (policy.mode !== "none" && mismatch === undefined);
    if (required && dane.kind !== "verify" && !vouched) {
      const text =
        `the message demands verified TLS, and neither MTA-STS nor DNSSEC vouches for ${host}`;
      return this.#failed(permanent("5.7.30", text));
    }
    const demand = tlsDemand({ host, policy, dane, required, authorities: this.#o.authorities });
    let tried = 0;
    for (const ip of found.ips) {
      if (this.#left.length === 0 || tried >= maxAddresses) return;
      const why = this.#o.memory.whyNot(ip, port);
      if (why !== undefined) {
        this.#failed({ ...temporary("4.4.1", why), remoteMta: host });
        continue;
      }
      tried++;
      await this.#tryAddress({ host, ip, dane, mismatch }, demand);
    }
  }

  /** Addresses of a host in the order to try them; undefined if there are none. */
  async #addresses(host: string) {
    const { way, signal } = this.#d;
    let ips: string[];
    let authenticated = false;
    let names: readonly string[] = [];
    if (parseIp(host)) {
      ips = [host];
    } else {
      try {
        const a = await daneHost(this.#o.resolver, host, { signal });
        ips = a.addresses;
        if (this.#mx.authenticated) ({ authenticated, names } = a);
      } catch (err) {
        if (!(err instanceof DnsError)) throw err;
        const text = `addresses of ${host}: ${err.message}`;
        this.#failed(err.temporary ? temporary("4.4.3", text) : permanent("5.4.4", text));
        return undefined;
      }
    }
    const usable = ips.filter((ip) => way.allows(ip));
    if (usable.length === 0) {
      this.#failed(temporary("4.4.1", `${host} has no address of a family that may be used`));
      return undefined;
    }
    return { ips: this.#o.memory.order(host, usable), authenticated, names };
  }

  async #tryAddress(to: Target, first: TlsDemand): Promise<void> {
    const { host, ip } = to;
    for (let demand: TlsDemand | undefined = first; demand;) {
      const key = `${this.#d.way.name} ${host} ${this.#o.port} ${demand.name}`;
      const kept = this.#o.sessions.take(key);
      if (kept) {
        this.#reached = true;
        if (await this.#use(kept, key, host, true)) return;
        // The host had ended it meanwhile: try once more with a new session.
      }
      if (++this.#connections > maxConnections) return;
      try {
        const client = await this.#connect(to, demand, demand !== first);
        this.#o.memory.used(host, ip, false);
        await this.#use(client, key, host, false);
        return;
      } catch (err) {
        if (!(err instanceof SmtpClientError)) throw err;
        this.#o.memory.used(host, ip, true);
        // A server that answers, whatever it says, shows that the destination is alive.
        if (err.kind === "reply") this.#reached = true;
        else if (nobodyThere(err) && !this.#d.signal.aborted) {
          this.#o.memory.unreachable(ip, this.#o.port, err.text);
        }
        this.#failed(failureOf(err, host));
        this.#o.log.debug("session failed", { host, ip, tls: demand.name, err });
        if (err.kind !== "tls") return;
        demand = demand.fallback;
      }
    }
  }

  /** Begins a session, and reports the TLS result. @throws SmtpClientError */
  async #connect(to: Target, demand: TlsDemand, again: boolean): Promise<SmtpClient> {
    const { host, ip, dane, mismatch } = to;
    const made = await connectBy(this.#d.way, ip, this.#o.port, this.#d.signal);
    const { connection, hostname, localIp } = made;
    const stop = () => connection.destroy();
    this.#d.signal.addEventListener("abort", stop);
    const where = { localIp, remoteIp: ip, helo: "" };
    const report = (trial: Pick<TlsTrial, "ended" | "byDane">) =>
      this.#report(
        host,
        dane,
        where,
        tlsOutcomes({ policy: this.#policy, dane, mismatch, ...trial }),
      );
    try {
      const client = await SmtpClient.start(connection, {
        log: this.#o.log,
        hostname,
        tls: demand.use,
        clientTls: demand.clientTls,
        timeouts: this.#o.timeouts,
        onProgress: this.#d.progress,
      });
      this.#reached = true;
      where.helo = client.greetingName;
      // What follows a TLS failure is not counted again.
      if (!again) report({ ended: client.tls, byDane: false });
      return client;
    } catch (err) {
      if (err instanceof SmtpClientError && err.kind === "tls" && !again) {
        const refused = demand.refusedFor?.();
        report({ ended: refused ?? failureDetail(err), byDane: refused !== undefined });
      }
      throw err;
    } finally {
      this.#d.signal.removeEventListener("abort", stop);
    }
  }

  /** Sends on a session. False if it turned out to be dead before anything was sent on it. */
  async #use(client: SmtpClient, key: string, host: string, kept: boolean): Promise<boolean> {
    const { message, signal, progress } = this.#d;
    const items = this.#left;
    const requireTls = this.#d.tls === "yes";
    let outcomes;
    try {
      const { signAgain, now } = this.#o;
      const h: HandOver = { message, requireTls, signal, progress, signAgain, now };
      outcomes = await handOver(client, h, items);
    } finally {
      this.#o.sessions.give(key, client);
    }
    if (kept && wasDead(outcomes)) return false;
    for (const [i, o] of outcomes.entries()) {
      if (o === undefined) continue;
      if (o instanceof SmtpClientError && o.kind === "timeout") this.#silent = true;
      if (o instanceof SmtpClientError && elsewhere(o)) this.#failed(failureOf(o, host));
      else this.#results.set(items[i], resultOf(o, message, items[i], client, host));
    }
    return true;
  }
}

/** No server answered at all: other deliveries need not wait for it as well. */
function nobodyThere(err: SmtpClientError): boolean {
  return err.phase === "connect" || (err.phase === "greeting" && err.kind === "timeout");
}

/**
 * Whether another host may do better. Once the message was sent it may have been accepted, whatever happened
 * later: then wait for the next attempt.
 */
function elsewhere(err: SmtpClientError): boolean {
  if (err.phase === "message") return false;
  // If a host currently accepts no message from anybody, for example with a full disk, other hosts can take
  // over.
  if (err.phase === "mail" && err.kind === "reply" && !err.permanent) return true;
  return err.kind === "unsupported" || err.kind === "protocol" || lost(err);
}
