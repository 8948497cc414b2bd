/** Creates a new server's configuration, keys and account: all or nothing. @module */
import { chosenBlockLists } from "./block_lists.ts";
import { generateKeyPair, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { Config, dynamicConfig, formatConfig, staticConfig } from "../config/mod.ts";
import { parseAddress } from "../config/names.ts";
import { DnsError, type Resolver } from "../dns/mod.ts";
import { selfSignedCertificate } from "../net/mod.ts";
import { ensureDir, removeFile, writeFileAtomic } from "../platform/files.ts";
import { hasIpv6Loopback, machineAddresses } from "../platform/net.ts";
import { isSafeName, joinPath, parentDir } from "../platform/paths.ts";
import { machineName } from "../platform/process.ts";
import { newAccountConfig } from "./accounts.ts";
import { fileTime } from "./dkim_keys.ts";
import { addressesOf } from "./dns_check_host.ts";
import { domainName, newDomainConfig } from "./domains.ts";
import { readAddress } from "./addresses.ts";
import { AdminError } from "./errors.ts";
import { newDynamic, type NewServer, newStatic } from "./new_server.ts";
import { randomPassword, writeAdminPassword } from "./passwords.ts";

export interface QuickstartOptions {
  /** Path of the mox.conf to write. */
  path: string;
  /** Address of the first account. */
  address: string;
  /** "" for the machine's name. */
  hostname: string;
  user: string;
  /** Addresses to listen on; empty for those of the machine. */
  ips: string[];
  existingWebserver: boolean;
  portOffset: number;
  /** Without one there are no DNS lookups. */
  resolver: Resolver | undefined;
  /** Block lists for senders and links. */
  blockLists: readonly string[];
  /** Sets an account's password in the data folder, which is created. */
  setPassword: (config: Config, account: string, password: string) => Promise<void>;
}

export interface MadeServer {
  config: Config;
  domain: string;
  account: string;
  accountPassword: string;
  adminPassword: string;
  publicIps: string[];
  /** Paths that were written. */
  files: string[];
  /** Notes for the administrator. */
  notes: string[];
}

const generate = promisify(generateKeyPair) as unknown as (
  type: string,
  options: Record<string, unknown>,
) => Promise<{ privateKey: KeyObject }>;

/** Lists that give reasons, and that small servers may use: our own addresses are looked up in them. */
const dnsbls = ["sbl.spamhaus.org", "bl.spamcop.net"];

/** True for addresses without meaning outside their network (RFC 1918, RFC 6598, RFC 4193). */
function isPrivate(ip: string): boolean {
  return /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|127\.|f[cd]|::1$)/i
    .test(ip);
}

function hostnameOf(text: string): ReturnType<typeof domainName> {
  const name = text !== "" ? text : machineName();
  if (!name.includes(".")) {
    throw new AdminError(
      `the name of this machine, ${
        JSON.stringify(name)
      }, has no domain: give the full one, such as ` +
        `-hostname mail.example.org`,
    );
  }
  return domainName(name);
}

async function chooseIps(
  options: QuickstartOptions,
  hostname: string,
  notes: string[],
): Promise<{ ips: string[]; natIps: string[] }> {
  const bad = options.ips.find((ip) => isIP(ip) === 0);
  if (bad !== undefined) throw new AdminError(`${JSON.stringify(bad)} is not an IP address`);
  const own = machineAddresses();
  const reachable = own.filter((ip) => !isPrivate(ip));
  if (options.ips.length > 0) return { ips: options.ips, natIps: [] };
  if (reachable.length > 0) return { ips: reachable, natIps: [] };
  let natIps: string[] = [];
  if (options.resolver) {
    natIps = await addressesOf(options.resolver, hostname).catch((err) => {
      if (err instanceof DnsError) return [];
      throw err;
    });
  }
  natIps = natIps.filter((ip) => !isPrivate(ip));
  notes.push(
    natIps.length > 0
      ? `this machine has private addresses only, and its name has ${
        natIps.join(", ")
      }: it is taken to be ` +
        `behind address translation. Ports 25, 465, 993, 443 and 80 must be passed on to it.`
      : `this machine has private addresses only, and its public ones are not known: set NATIPs of the ` +
        `listener "public" in mox.conf.`,
  );
  return { ips: own.length > 0 ? own : ["0.0.0.0"], natIps };
}

/** Writes the private keys for ACME certificates, one of each kind. */
async function makeHostKeys(dir: string, hostname: string): Promise<[string, string][]> {
  const kinds = [
    ["rsa2048", "rsa", { modulusLength: 2048 }],
    ["ecdsap256", "ec", { namedCurve: "P-256" }],
  ] as const;
  const keys: [string, string][] = [];
  for (const [name, type, options] of kinds) {
    const { privateKey } = await generate(type, { ...options });
    const file = `${dir}/${hostname}.${fileTime(new Date())}.${name}.privatekey.pkcs8.pem`;
    keys.push([file, privateKey.export({ type: "pkcs8", format: "pem" }).toString()]);
  }
  return keys;
}

/** Derives an account's name from its address. */
function accountName(localpart: string): string {
  const name = localpart.toLowerCase();
  return isSafeName(name) ? name : "admin";
}

/**
 * Writes the configuration and creates the account. Everything is removed again if anything fails.
 * @throws AdminError if something exists already, or an argument is invalid
 */
export async function makeNewServer(options: QuickstartOptions): Promise<MadeServer> {
  const dir = parentDir(options.path);
  const address = readAddress(options.address, () => parseAddress(options.address));
  const hostname = hostnameOf(options.hostname);
  const dataDir = joinPath([dir, "..", "data"]);
  await refuseExisting([options.path, joinPath([dir, "domains.conf"]), dataDir]);
  const notes: string[] = [];
  const chosen = await chooseIps(options, hostname.ascii, notes);
  const account = accountName(address.localpart);
  const domain = address.domain;

  const written: string[] = [];
  const write = async (file: string, text: string): Promise<void> => {
    const path = joinPath([dir, file]);
    await ensureDir(parentDir(path));
    await writeFileAtomic(path, new TextEncoder().encode(text), 0o600);
    written.push(path);
  };
  const existed = await exists(dir);
  try {
    const server: NewServer = {
      hostname,
      ...chosen,
      internalIps: await hasIpv6Loopback() ? ["127.0.0.1", "::1"] : ["127.0.0.1"],
      user: options.user,
      account,
      address: options.address,
      existingWebserver: options.existingWebserver,
      portOffset: options.portOffset,
      files: { adminPassword: "adminpasswd", hostKeys: [] },
      monitorDnsbls: options.portOffset === 0 ? dnsbls : [],
    };
    if (options.existingWebserver) {
      const names = [...new Set([hostname.ascii, `mail.${domain.ascii}`])];
      const { cert, key } = await selfSignedCertificate({ names, days: 365 });
      const pair = { CertFile: "tls/mail.crt.pem", KeyFile: "tls/mail.key.pem" };
      await write(pair.CertFile, cert);
      await write(pair.KeyFile, key);
      server.files.certificate = pair;
      notes.push(
        `the certificate in ${
          joinPath([dir, pair.CertFile])
        } is self-signed, to start with: replace it and ` +
          `its key by those for ${
            names.join(" and ")
          } that your web server gets. Have that pass requests ` +
          `for mta-sts.${domain.ascii} and autoconfig.${domain.ascii} on to http://127.0.0.1:${
            81 + options.portOffset
          }/.`,
      );
    } else {
      for (const [file, pem] of await makeHostKeys("hostkeys", hostname.ascii)) {
        await write(file, pem);
        server.files.hostKeys.push(file);
      }
    }
    const s = newStatic(server);
    const smtp = s.Listeners.get("public")!.SMTP;
    Object.assign(smtp, await chosenBlockLists(options.blockLists, options.resolver, notes));
    const files = { configPath: (file: string) => joinPath([dir, file]), static: s };
    const made = await newDomainConfig(files, domain, { account });
    written.push(...made.files);
    const d = newDynamic(server, [domain.unicode, made.value], [
      account,
      newAccountConfig(options.address),
    ]);
    const adminPassword = randomPassword();
    await writeAdminPassword(files, adminPassword);
    written.push(files.configPath(s.AdminPasswordFile));
    await write("domains.conf", formatConfig(dynamicConfig, d, true));
    // Last: a server can be started with it only once everything else exists.
    await write("mox.conf", formatConfig(staticConfig, s, true));
    const config = await Config.load(options.path);
    const accountPassword = randomPassword();
    await ensureDir(config.dataDir);
    await options.setPassword(config, account, accountPassword);
    return {
      config,
      domain: domain.unicode,
      account,
      accountPassword,
      adminPassword,
      publicIps: chosen.natIps.length > 0 ? chosen.natIps : chosen.ips,
      files: written,
      notes,
    };
  } catch (err) {
    for (const path of written) removeFile(path);
    await Deno.remove(dataDir, { recursive: true }).catch(() => {});
    if (!existed) await Deno.remove(dir, { recursive: true }).catch(() => {});
    throw err;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function refuseExisting(paths: string[]): Promise<void> {
  for (const path of paths) {
    if (await exists(path)) {
      throw new AdminError(
        `${path} is there already: nothing is overwritten. Use another folder, or move it away`,
      );
    }
  }
}
