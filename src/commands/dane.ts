/** `mox dane`: TLSA records, and connections verified by them. @module */
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { privateKeyFromPem } from "../platform/private_key.ts";
import { DnsError, type Resolver } from "../dns/mod.ts";
import { Log } from "../log/mod.ts";
import { connectTcp } from "../net/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { SmtpClient } from "../smtp/client/mod.ts";
import { daneHost, danePolicy } from "../tlspolicy/mod.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { resolverOf, serverFlag, serverHelp } from "./inputs.ts";

const timeout = 30_000;

/**
 * Connects with STARTTLS (or TLS, on 465) and verifies the certificate; false if that fails.
 * @param domains the domains that led to the host, which its certificate may name
 */
async function dialHost(
  resolver: Resolver,
  host: string,
  port: number,
  domains: readonly string[],
): Promise<boolean> {
  const { addresses, names } = await daneHost(resolver, host);
  if (names.length === 0) {
    writeStdout(
      `${host}: the addresses are not authenticated by DNSSEC (or the resolver isn't trusted): no DANE\n`,
    );
    return false;
  }
  const signal = AbortSignal.timeout(timeout);
  const policy = await danePolicy(resolver, { host, port, names, domains }, signal);
  if (policy.kind === "unavailable") {
    writeStdout(`${host}: TLSA records can't be looked up: ${policy.failure.information}\n`);
    return false;
  }
  if (policy.kind === "none") {
    writeStdout(`${host}: no TLSA records that are authenticated\n`);
    return false;
  }
  for (const r of policy.policyString) writeStdout(`${host}: TLSA ${r}\n`);
  const connection = await connectFirst(addresses, port);
  let failure: string | undefined;
  const client = await SmtpClient.start(connection, {
    log: new Log("smtpclient"),
    hostname: "localhost",
    tls: port === 465 ? "immediate" : "required",
    clientTls: {
      serverName: policy.kind === "verify" ? policy.serverName : host,
      verify: false,
      verifyChain(chain) {
        if (policy.kind !== "verify") return true;
        const wrong = policy.verify(chain);
        failure = wrong && `${wrong.resultType} ${wrong.information}`.trim();
        return wrong === undefined;
      },
    },
    timeouts: { greeting: timeout, hello: timeout },
  }).catch((err) => {
    if (failure === undefined) throw err;
    return undefined;
  });
  if (!client) {
    writeStdout(`${host}: the certificate is not as the TLSA records say: ${failure}\n`);
    return false;
  }
  const how = policy.kind === "verify"
    ? "verified by DANE"
    : "not verified: no TLSA record is one that mail servers go by";
  writeStdout(`${host}: ${client.tls?.version}, ${how}\n`);
  await client.quit();
  return policy.kind === "verify";
}

/** The first address that answers. */
async function connectFirst(addresses: readonly string[], port: number) {
  let failure: unknown;
  for (const host of addresses) {
    try {
      return await connectTcp({ host, port, timeout });
    } catch (err) {
      failure = err;
    }
  }
  throw failure;
}

const dial: Command = {
  name: "dane dial",
  usage: "dane dial [-server address] host[:port]",
  summary: "Connect to a mail server and verify it by its TLSA records",
  help: `
Looks up the TLSA records of a host, connects to it with STARTTLS (with TLS from the first byte on port 465),
and tells whether its certificate is as they say. The port is 25 if not given. Nothing is sent.
${serverHelp}`,
  async run(args) {
    const { flags, args: [target] } = parseFlags(args, serverFlag, { min: 1, max: 1 });
    const m = /^([^:]+)(?::(\d{1,5}))?$/.exec(target);
    if (!m) throw new UsageError(`${target} is not host or host:port`);
    return await dialHost(resolverOf(flags), m[1].toLowerCase(), Number(m[2] ?? 25), []) ? 0 : 1;
  },
};

const dialMx: Command = {
  name: "dane dialmx",
  usage: "dane dialmx [-server address] domain",
  summary: "Connect to a domain's mail servers and verify them by their TLSA records",
  help: `
Looks up the MX records of a domain, which must be authenticated by DNSSEC for DANE to count, and does for
each host what "dane dial" does. The status is 0 if all are verified.
${serverHelp}`,
  async run(args) {
    const { flags, args: [domain] } = parseFlags(args, serverFlag, { min: 1, max: 1 });
    const resolver = resolverOf(flags);
    const name = domain.toLowerCase();
    let hosts = [name];
    let domains = [name];
    try {
      const answer = await resolver.lookup(name, "MX");
      if (!answer.authenticated) {
        writeStdout("the MX records are not authenticated by DNSSEC: no DANE\n");
        return 1;
      }
      domains = [name, ...answer.cnames.slice(-1)];
      hosts = answer.records.toSorted((a, b) => a.preference - b.preference).map((r) => r.exchange);
    } catch (err) {
      if (!(err instanceof DnsError) || !err.notFound) throw err;
      if (!err.authenticated) {
        writeStdout("that there are no MX records is not authenticated by DNSSEC: no DANE\n");
        return 1;
      }
      writeStdout("no MX records: the domain itself is the host\n");
    }
    let all = true;
    for (const host of hosts) {
      try {
        all = await dialHost(resolver, host, 25, domains) && all;
      } catch (err) {
        writeStdout(`${host}: ${(err as Error).message}\n`);
        all = false;
      }
    }
    return all ? 0 : 1;
  },
};

const makeRecord: Command = {
  name: "dane makerecord",
  usage: "dane makerecord usage selector matchtype file",
  summary: "Print the TLSA record for a certificate or key",
  help: `
Prints the data of a TLSA record (RFC 6698) for a PEM file.

  usage      pkix-ta (0), pkix-ee (1), dane-ta (2) or dane-ee (3); for mail 3, or 2 for an authority
  selector   cert (0) or spki (1), the public key, which stays the same when a certificate is renewed
  matchtype  full (0), sha2-256 (1) or sha2-512 (2)
  file       a certificate; with spki a private or public key will do

Usual for a mail server is: mox dane makerecord dane-ee spki sha2-256 hostkeys/host.pem`,
  async run(args) {
    const { args: [usage, selector, matching, file] } = parseFlags(args, {}, { min: 4, max: 4 });
    const number = (value: string, names: readonly string[], what: string) => {
      const n = names.includes(value) ? names.indexOf(value) : /^\d$/.test(value) ? +value : -1;
      if (n < 0 || n >= names.length) {
        throw new UsageError(`${what} is one of ${names.join(", ")}, not ${value}`);
      }
      return n;
    };
    const u = number(usage, ["pkix-ta", "pkix-ee", "dane-ta", "dane-ee"], "usage");
    const s = number(selector, ["cert", "spki"], "selector");
    const m = number(matching, ["full", "sha2-256", "sha2-512"], "matchtype");
    const pem = await Deno.readTextFile(file);
    const certificate = pem.includes("-----BEGIN CERTIFICATE-----");
    if (s === 0 && !certificate) {
      throw new UsageError(`${file} has no certificate: for a key the selector is spki`);
    }
    let data: Uint8Array;
    if (s === 0) data = new X509Certificate(pem).raw;
    else {
      const key = certificate
        ? new X509Certificate(pem).publicKey
        : pem.includes("PRIVATE KEY")
        ? createPublicKey(privateKeyFromPem(pem))
        : createPublicKey(pem);
      data = key.export({ type: "spki", format: "der" });
    }
    const hash = ["", "sha256", "sha512"][m];
    const hex = hash === ""
      ? Array.from(data, (b) => b.toString(16).padStart(2, "0")).join("")
      : createHash(hash).update(data).digest("hex");
    writeStdout(`${u} ${s} ${m} ${hex}\n`);
  },
};

export const daneCommands: readonly Command[] = [dial, dialMx, makeRecord];
