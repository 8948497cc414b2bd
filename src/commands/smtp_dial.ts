/** `mox smtp dial`. @module */
import { DnsError, lookupAddresses, makeResolver, parseIp } from "../dns/mod.ts";
import { Log } from "../log/mod.ts";
import { connectTcp } from "../net/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { SmtpClient } from "../smtp/client/mod.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { outboundOf } from "./inputs.ts";

export const smtpDial: Command = {
  name: "smtp dial",
  usage:
    "smtp dial [-ehlo name] [-tls never|offered|required|immediate] [-verify] [-timeout seconds] host[:port]",
  summary: "Connect to an SMTP server and show what it can do",
  help: `
Connects to each address of the host in turn until one answers, greets it, starts TLS as asked for, and prints
what the server says of itself. Nothing is sent.

  -ehlo      our name; default localhost
  -tls       never; offered (STARTTLS where there is); required; immediate (from the first byte). Default
             offered, for port 465 immediate
  -verify    the certificate must be for the host, from a known authority
  -timeout   seconds for the connection and each answer; default 30`,
  async run(args) {
    const { flags, args: [target] } = parseFlags(
      args,
      { ehlo: "localhost", tls: "", verify: false, timeout: "30" },
      { min: 1, max: 1 },
    );
    const m =
      /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+|[0-9a-fA-F:]*:[0-9a-fA-F:]+:[0-9a-fA-F:]*)(?::([0-9]+))?$/
        .exec(target);
    const port = Number(m?.[2] ?? 25);
    const seconds = Number(flags.timeout);
    if (!m || port < 1 || port > 65535) throw new UsageError(`${target} is not host or host:port`);
    if (!(seconds > 0 && seconds < 3600)) throw new UsageError("-timeout is a number of seconds");
    const host = m[1].replace(/^\[|\]$/g, "");
    const tls = flags.tls === "" ? (port === 465 ? "immediate" : "offered") : flags.tls;
    if (tls !== "never" && tls !== "offered" && tls !== "required" && tls !== "immediate") {
      throw new UsageError(`-tls is never, offered, required or immediate, not ${tls}`);
    }
    const timeout = seconds * 1000;
    const { authorities } = await outboundOf(makeResolver());
    const client = await dial(host, port, timeout, (connection) =>
      SmtpClient.start(connection, {
        log: new Log("smtpclient"),
        hostname: flags.ehlo,
        tls,
        clientTls: { serverName: host, verify: flags.verify, authorities },
        timeouts: { greeting: timeout, hello: timeout },
      }));
    const x = client.extensions;
    const tlsText = client.tls
      ? `${client.tls.version} ${client.tls.cipher}${flags.verify ? ", verified" : ""}`
      : "none";
    const limit = (n: number) => n === Infinity ? "" : String(n);
    const facts: [string, string][] = [
      ["address", `${client.connection.remoteIp} port ${client.connection.remotePort}`],
      ["greeting", client.greetingName],
      ["name", x.name],
      ["tls", tlsText],
      ["starttls", client.tls ? "" : x.starttls ? "offered" : "not offered"],
      ["size", x.size === undefined ? "" : x.size === 0 ? "no limit" : String(x.size)],
      ["auth", x.auth.join(" ")],
      [
        "limits",
        [
          ["rcptmax", limit(x.limits.rcptMax)],
          ["mailmax", limit(x.limits.mailMax)],
          ["rcptdomainmax", limit(x.limits.rcptDomainMax)],
        ].filter(([, n]) => n !== "").map(([k, n]) => `${k}=${n}`).join(" "),
      ],
      [
        "extensions",
        [
          x.pipelining && "PIPELINING",
          x.eightBitMime && "8BITMIME",
          x.smtpUtf8 && "SMTPUTF8",
          x.chunking && "CHUNKING",
          x.binaryMime && "BINARYMIME",
          x.dsn && "DSN",
          x.requireTls && "REQUIRETLS",
          x.enhancedStatusCodes && "ENHANCEDSTATUSCODES",
          x.futureRelease !== undefined && "FUTURERELEASE",
        ].filter((e) => e !== false).join(" "),
      ],
    ];
    for (const [name, value] of facts) if (value !== "") writeStdout(`${name}: ${value}\n`);
    await client.quit();
  },
};

/** Tries the host's addresses until one answers. */
async function dial(
  host: string,
  port: number,
  timeout: number,
  begin: (connection: Awaited<ReturnType<typeof connectTcp>>) => Promise<SmtpClient>,
): Promise<SmtpClient> {
  let ips = [host];
  if (host === "localhost") ips = ["::1", "127.0.0.1"];
  else if (!parseIp(host)) {
    try {
      ips = (await lookupAddresses(makeResolver(), host)).addresses;
    } catch (err) {
      throw err instanceof DnsError ? new Error(err.message) : err;
    }
  }
  let failure: unknown;
  for (const ip of ips) {
    let connection;
    try {
      connection = await connectTcp({ host: ip, port, timeout });
    } catch (err) {
      failure = err;
      continue;
    }
    return await begin(connection);
  }
  throw failure;
}
