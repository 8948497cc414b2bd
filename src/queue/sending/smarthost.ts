/** Delivery through another server: submission, a relay, or a program that accepts mail by LMTP. @module */
import {
  type HostTransport,
  type TransportLMTP,
  transportPort,
  type TransportSMTP,
} from "../../config/mod.ts";
import { DnsError, lookupAddresses, parseIp } from "../../dns/mod.ts";
import { isLoopbackIp } from "../../net/mod.ts";
import { type RecipientOutcome, SmtpClient, SmtpClientError } from "../../smtp/client/mod.ts";
import type { MechanismName } from "../../sasl/mod.ts";
import { type Failure, failureOf, temporary } from "../failure.ts";
import { handOver, resultOf, wasDead } from "./hand_over.ts";
import type { RemoteDelivery, RemoteOptions } from "./remote.ts";
import type { Result } from "../types.ts";
import { connectBy } from "./way.ts";

/** Mechanisms for transports without configured ones: none that reveals the password. */
const defaultMechanisms: readonly MechanismName[] = [
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-256",
  "SCRAM-SHA-1-PLUS",
  "SCRAM-SHA-1",
  "CRAM-MD5",
];

/** The parameters of a session with a transport's server. */
type Use = Pick<RemoteDelivery, "way" | "tls" | "signal" | "progress">;

const keyOf = (use: Use, kind: HostTransport, transport: TransportSMTP | TransportLMTP) =>
  `${use.way.name} ${transport.Host} ${transportPort(kind, transport)}`;

/** Hands the message to a transport's server; results in the order of the items. */
export async function deliverSmarthost(
  options: RemoteOptions,
  delivery: RemoteDelivery,
  kind: HostTransport,
  transport: TransportSMTP | TransportLMTP,
): Promise<Result[]> {
  const key = keyOf(delivery, kind, transport);
  const kept = options.sessions.take(key);
  if (kept) {
    const results = await send(options, delivery, kept, key, transport.Host, true);
    // A session that the server had ended meanwhile is replaced.
    if (results) return results;
  }
  const client = await newSession(options, delivery, kind, transport);
  if (!(client instanceof SmtpClient)) return delivery.items.map(() => client);
  return (await send(options, delivery, client, key, transport.Host, false))!;
}

/** Asks a transport's server whether it accepts mail for an address; undefined if it does. */
export async function askSmarthost(
  options: RemoteOptions,
  use: Use,
  kind: HostTransport,
  transport: TransportSMTP | TransportLMTP,
  address: string,
): Promise<Failure | undefined> {
  const key = keyOf(use, kind, transport);
  const kept = options.sessions.take(key);
  if (kept) {
    const outcome = await ask(options, use, kept, key, address);
    if (!wasDead([outcome])) return failureOfOutcome(outcome, transport.Host);
  }
  const client = await newSession(options, use, kind, transport);
  if (!(client instanceof SmtpClient)) return client;
  return failureOfOutcome(await ask(options, use, client, key, address), transport.Host);
}

const failureOfOutcome = (outcome: RecipientOutcome, host: string) =>
  outcome instanceof SmtpClientError ? failureOf(outcome, host) : undefined;

async function ask(
  options: RemoteOptions,
  use: Use,
  client: SmtpClient,
  key: string,
  address: string,
): Promise<RecipientOutcome> {
  const stop = () => client.destroy();
  use.signal.addEventListener("abort", stop);
  try {
    return await client.ask(address);
  } finally {
    use.signal.removeEventListener("abort", stop);
    options.sessions.give(key, client);
  }
}

/** A session with the first of the host's addresses that accepts one. */
async function newSession(
  options: RemoteOptions,
  use: Use,
  kind: HostTransport,
  transport: TransportSMTP | TransportLMTP,
): Promise<SmtpClient | Failure> {
  const port = transportPort(kind, transport);
  let ips: string[];
  try {
    ips = parseIp(transport.Host)
      ? [transport.Host]
      : (await lookupAddresses(options.resolver, transport.Host, { signal: use.signal }))
        .addresses;
  } catch (err) {
    if (!(err instanceof DnsError)) throw err;
    // A wrong relay name is for the administrator to correct: messages wait for that.
    return temporary("4.4.3", `transport ${use.way.name}: ${err.message}`);
  }
  let failure: Failure = temporary(
    "4.4.1",
    `transport ${use.way.name}: no address of ${transport.Host}`,
  );
  for (const ip of options.memory.order(transport.Host, ips)) {
    const why = options.memory.whyNot(ip, port);
    if (why !== undefined) {
      failure = { ...temporary("4.4.1", why), remoteMta: transport.Host, unreachable: true };
      continue;
    }
    try {
      const client = await begin(options, use, kind, transport, ip, port);
      options.memory.used(transport.Host, ip, false);
      return client;
    } catch (err) {
      if (!(err instanceof SmtpClientError)) throw err;
      options.memory.used(transport.Host, ip, true);
      if (err.phase === "connect" && !use.signal.aborted) {
        options.memory.unreachable(ip, port, err.text);
      }
      const hint = err.phase === "auth" && err.kind === "unsupported"
        ? " (those that may be used are set by Mechanisms in the transport's Auth)"
        : "";
      // A failed login or certificate is not the recipient's fault.
      failure = {
        ...failureOf(err, transport.Host),
        text: err.text + hint,
        kind: "temporary",
        unreachable: err.phase === "connect",
      };
      if (err.phase === "connect" || err.phase === "greeting") continue;
      break;
    }
  }
  return failure;
}

async function begin(
  options: RemoteOptions,
  use: Use,
  kind: HostTransport,
  transport: TransportSMTP | TransportLMTP,
  ip: string,
  port: number,
): Promise<SmtpClient> {
  const auth = "Auth" in transport ? transport.Auth : undefined;
  const made = await connectBy(use.way, ip, port, use.signal);
  const stop = () => made.connection.destroy();
  use.signal.addEventListener("abort", stop);
  return await SmtpClient.start(made.connection, {
    log: options.log,
    hostname: made.hostname,
    lmtp: kind === "LMTP",
    tls: kind === "Submissions"
      ? "immediate"
      : transport.NoSTARTTLS || (kind === "LMTP" && isLoopbackIp(ip) && use.tls !== "yes")
      ? "never"
      : kind === "Submission" || use.tls === "yes"
      ? "required"
      : "offered",
    clientTls: {
      serverName: transport.Host,
      verify: !transport.STARTTLSInsecureSkipVerify,
      authorities: options.authorities,
    },
    auth: auth && {
      username: auth.Username,
      password: auth.Password,
      mechanisms: auth.Mechanisms.length > 0
        ? auth.Mechanisms as MechanismName[]
        : defaultMechanisms,
    },
    timeouts: options.timeouts,
    onProgress: use.progress,
  }).finally(() => use.signal.removeEventListener("abort", stop));
}

/** Sends on a session; undefined if it was kept from before and turned out to be dead. */
async function send(
  options: RemoteOptions,
  delivery: RemoteDelivery,
  client: SmtpClient,
  key: string,
  host: string,
  kept: boolean,
): Promise<Result[] | undefined> {
  try {
    const h = {
      ...delivery,
      requireTls: delivery.tls === "yes",
      signAgain: options.signAgain,
      now: options.now,
    };
    const outcomes = await handOver(client, h, delivery.items);
    if (kept && wasDead(outcomes)) return undefined;
    return outcomes.map((outcome, i) =>
      outcome === undefined
        ? temporary("4.4.2", "the session ended before")
        : resultOf(outcome, delivery.message, delivery.items[i], client, host)
    );
  } finally {
    options.sessions.give(key, client);
  }
}
