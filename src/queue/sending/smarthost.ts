/** Delivery by way of another server: submission, or a relay. @module */
import { transportPort, type TransportSMTP } from "../../config/mod.ts";
import { DnsError, lookupAddresses, parseIp } from "../../dns/mod.ts";
import { SmtpClient, SmtpClientError } from "../../smtp/client/mod.ts";
import type { MechanismName } from "../../sasl/mod.ts";
import { type Failure, failureOf, temporary } from "../failure.ts";
import { handOver, resultOf, wasDead } from "./hand_over.ts";
import type { RemoteDelivery, RemoteOptions } from "./remote.ts";
import type { Result } from "../types.ts";
import { connectBy } from "./way.ts";

/** Mechanisms for transports that name none: not those that show the password. */
const defaultMechanisms: readonly MechanismName[] = [
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-256",
  "SCRAM-SHA-1-PLUS",
  "SCRAM-SHA-1",
  "CRAM-MD5",
];

/** Hands the message to a transport's server; results in the order of the items. */
export async function deliverSmarthost(
  o: RemoteOptions,
  d: RemoteDelivery,
  kind: "Submissions" | "Submission" | "SMTP",
  t: TransportSMTP,
): Promise<Result[]> {
  const port = transportPort(kind, t);
  const key = `${d.way.name} ${t.Host} ${port}`;
  const kept = o.sessions.take(key);
  if (kept) {
    const results = await send(o, d, kept, key, t.Host, true);
    // A session that the server had ended meanwhile is made anew.
    if (results) return results;
  }
  let ips: string[];
  try {
    ips = parseIp(t.Host)
      ? [t.Host]
      : (await lookupAddresses(o.resolver, t.Host, { signal: d.signal })).addresses;
  } catch (err) {
    if (!(err instanceof DnsError)) throw err;
    // That the name of a relay is wrong is for the administrator to mend: messages wait for it.
    return d.items.map(() => temporary("4.4.3", `transport ${d.way.name}: ${err.message}`));
  }
  let failure: Failure = temporary("4.4.1", `transport ${d.way.name}: no address of ${t.Host}`);
  for (const ip of o.memory.order(t.Host, ips)) {
    const why = o.memory.whyNot(ip, port);
    if (why !== undefined) {
      failure = { ...temporary("4.4.1", why), remoteMta: t.Host, unreachable: true };
      continue;
    }
    let client: SmtpClient;
    try {
      client = await begin(o, d, kind, t, ip, port);
    } catch (err) {
      if (!(err instanceof SmtpClientError)) throw err;
      o.memory.used(t.Host, ip, true);
      if (err.phase === "connect" && !d.signal.aborted) o.memory.unreachable(ip, port, err.text);
      const hint = err.phase === "auth" && err.kind === "unsupported"
        ? " (those that may be used are set by Mechanisms in the transport's Auth)"
        : "";
      // Whether the login or the certificate: nothing of that is the recipient's fault.
      failure = {
        ...failureOf(err, t.Host),
        text: err.text + hint,
        kind: "temporary",
        unreachable: err.phase === "connect",
      };
      if (err.phase === "connect" || err.phase === "greeting") continue;
      break;
    }
    o.memory.used(t.Host, ip, false);
    return (await send(o, d, client, key, t.Host, false))!;
  }
  return d.items.map(() => failure);
}

async function begin(
  o: RemoteOptions,
  d: RemoteDelivery,
  kind: "Submissions" | "Submission" | "SMTP",
  t: TransportSMTP,
  ip: string,
  port: number,
): Promise<SmtpClient> {
  const made = await connectBy(d.way, ip, port, d.signal);
  const stop = () => made.connection.destroy();
  d.signal.addEventListener("abort", stop);
  return await SmtpClient.start(made.connection, {
    log: o.log,
    hostname: made.hostname,
    tls: kind === "Submissions"
      ? "immediate"
      : t.NoSTARTTLS
      ? "never"
      : kind === "Submission" || d.tls === "yes"
      ? "required"
      : "offered",
    clientTls: {
      serverName: t.Host,
      verify: !t.STARTTLSInsecureSkipVerify,
      authorities: o.authorities,
    },
    auth: t.Auth && {
      username: t.Auth.Username,
      password: t.Auth.Password,
      mechanisms: t.Auth.Mechanisms.length > 0
        ? t.Auth.Mechanisms as MechanismName[]
        : defaultMechanisms,
    },
    timeouts: o.timeouts,
    onProgress: d.progress,
  }).finally(() => d.signal.removeEventListener("abort", stop));
}

/** Sends on a session; undefined if it was kept and turned out to be dead. */
async function send(
  o: RemoteOptions,
  d: RemoteDelivery,
  client: SmtpClient,
  key: string,
  host: string,
  kept: boolean,
): Promise<Result[] | undefined> {
  try {
    const h = { ...d, requireTls: d.tls === "yes", signAgain: o.signAgain, now: o.now };
    const outcomes = await handOver(client, h, d.items);
    if (kept && wasDead(outcomes)) return undefined;
    return outcomes.map((outcome, i) =>
      outcome === undefined
        ? temporary("4.4.2", "the session ended before")
        : resultOf(outcome, d.message, d.items[i], client, host)
    );
  } finally {
    o.sessions.give(key, client);
  }
}
