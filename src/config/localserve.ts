/**
 * The configuration of `mox localserve`: a mail server for developers, on loopback, with the standard ports +
 * 1000, that accepts mail for every address.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { ensureDir, removeFile, writeFileAtomic } from "../platform/files.ts";
import { hasIpv6Loopback } from "../platform/net.ts";
import { joinPath } from "../platform/paths.ts";
import { type Account, account, destination } from "./dynamic/account.ts";
import { Config } from "./config.ts";
import { formatConfig } from "./sconf/describe.ts";
import { domain } from "./dynamic/domain.ts";
import { type Dynamic, dynamicConfig } from "./dynamic/dynamic.ts";
import { type Listener, listener } from "./static/listener.ts";
import { type KeyCert, selfSignedCertificate } from "../net/mod.ts";
import { isUnspecifiedIp } from "./sconf/types.ts";
import { type Static, staticConfig } from "./static/static.ts";

/** The account that gets all mail, its address and its password. */
export const localserveAccount = "mox";
export const localserveAddress = "mox@localhost";
export const localservePassword = "moxmoxmox";
/** Password of the administrator. */
export const localserveAdminPassword = "moxadmin";

/**
 * Web pages that a developer works on, on this machine. Others must not read mail with a well-known password.
 */
const localPages = ["http://localhost:*", "http://127.0.0.1:*"];

/** Command-line options of localserve. */
export interface LocalserveOptions {
  /** Folder of the configuration, with the data in its subfolder `data`. */
  dir: string;
  /** Address to listen on; by default loopback, 127.0.0.1 and ::1. */
  ip?: string;
  /** Added to each port, on top of the usual 1000: lets several run side by side. */
  portOffset?: number;
  /** Creates the text of the file with the administrator's password; called at the first start. */
  adminPasswordHash: () => string | Promise<string>;
}

function localListener(ips: string[], offset: number): Listener {
  const at = (standard: number) => ({ Enabled: true, Port: standard + 1000 + offset });
  const zero = listener.zero();
  return {
    ...zero,
    IPs: ips,
    TLS: {
      ACME: "",
      KeyCerts: [{ CertFile: "localhost.crt", KeyFile: "localhost.key" }],
      MinVersion: "TLSv1.2",
      HostPrivateKeyFiles: [],
      ClientAuthDisabled: false,
    },
    SMTP: { ...zero.SMTP, ...at(25), FirstTimeSenderDelay: 0 },
    Submission: { ...zero.Submission, ...at(587), NoRequireSTARTTLS: true },
    Submissions: { ...zero.Submissions, ...at(465) },
    IMAP: { ...at(143), NoRequireSTARTTLS: true },
    IMAPS: { ...zero.IMAPS, ...at(993) },
    ManageSieve: { ...at(4190), NoRequireSTARTTLS: true },
    POP3: { ...at(110), NoRequireSTARTTLS: true },
    POP3S: at(995),
    AccountHTTP: { ...zero.AccountHTTP, ...at(80) },
    AccountHTTPS: { ...zero.AccountHTTPS, ...at(443) },
    AdminHTTP: { ...zero.AdminHTTP, ...at(80) },
    AdminHTTPS: { ...zero.AdminHTTPS, ...at(443) },
    WebmailHTTP: { ...zero.WebmailHTTP, ...at(80) },
    WebmailHTTPS: { ...zero.WebmailHTTPS, ...at(443) },
    WebAPIHTTP: { ...zero.WebAPIHTTP, ...at(80) },
    WebAPIHTTPS: { ...zero.WebAPIHTTPS, ...at(443) },
    JMAPHTTP: { ...zero.JMAPHTTP, ...at(80), AllowedOrigins: localPages },
    JMAPHTTPS: { ...zero.JMAPHTTPS, ...at(443), AllowedOrigins: localPages },
    DAVHTTP: { ...zero.DAVHTTP, ...at(80) },
    DAVHTTPS: { ...zero.DAVHTTPS, ...at(443) },
    ListsHTTP: { ...zero.ListsHTTP, ...at(80) },
    ListsHTTPS: { ...zero.ListsHTTPS, ...at(443) },
    MetricsHTTP: at(81),
    WebserverHTTP: { ...zero.WebserverHTTP, ...at(80) },
    WebserverHTTPS: { ...zero.WebserverHTTPS, ...at(443) },
  };
}

/** The values of localserve's mox.conf. */
export function localserveStatic(ips: string[], portOffset = 0): Static {
  const local = localListener(ips, portOffset);
  return {
    ...staticConfig.zero(),
    DataDir: "data",
    LogLevel: "info",
    Hostname: "localhost",
    AdminPasswordFile: "adminpasswd",
    // So that the server trusts itself, when it delivers to itself.
    TLS: { CA: { AdditionalToSystem: true, CertFiles: ["localhost.crt"] } },
    Listeners: new Map([["local", local]]),
    Postmaster: { Account: localserveAccount, Mailbox: "Inbox" },
  };
}

/** Settings of the junk filter and junk flags for new accounts. */
export function newAccountJunkSettings(): Pick<Account, "AutomaticJunkFlags" | "JunkFilter"> {
  return {
    AutomaticJunkFlags: {
      Enabled: true,
      JunkMailboxRegexp: "^(junk|spam)",
      NeutralMailboxRegexp: "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects)",
      NotJunkMailboxRegexp: "",
    },
    JunkFilter: {
      Threshold: 0.9,
      RefuseThreshold: 0.9999,
      Params: {
        Onegrams: true,
        Twograms: false,
        Threegrams: false,
        MaxPower: 0.01,
        TopWords: 10,
        IgnoreWords: 0.1,
        RareWords: 2,
      },
    },
  };
}

/** The values of localserve's domains.conf. */
export function localserveDynamic(): Dynamic {
  return {
    ...dynamicConfig.zero(),
    Domains: new Map([["localhost", { ...domain.zero(), LocalpartCatchallSeparator: "+" }]]),
    Accounts: new Map([[localserveAccount, {
      ...account.zero(),
      // Without flags by mailbox: a program under test reads back exactly what it stores.
      JunkFilter: newAccountJunkSettings().JunkFilter,
      Domain: "localhost",
      FullName: "Mox",
      RejectsMailbox: "Rejects",
      NoFirstTimeSenderDelay: true,
      Destinations: new Map([
        [localserveAddress, destination.zero()],
        ["@localhost", destination.zero()],
      ]),
    }]]),
  };
}

/**
 * Loads localserve's configuration, after creating it at the first start.
 * @returns the configuration, and whether it was just created: then the account needs its password.
 * @throws ConfigError if it was edited wrongly.
 */
export async function loadLocalserve(
  options: LocalserveOptions,
): Promise<{ config: Config; created: boolean }> {
  const staticPath = joinPath([options.dir, "mox.conf"]);
  const created = !await exists(staticPath);
  if (created) await writeLocalserve(options);
  else await renewCertificate(options.dir, options.ip);
  const config = await Config.load(staticPath);
  config.acceptAllAccount = localserveAccount;
  if (options.ip !== undefined) {
    for (const l of config.static.Listeners.values()) l.IPs = [options.ip];
  }
  return { config, created };
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return false;
    throw err;
  }
}

/** Days that it is valid: systems that install it as trusted accept at most 825. */
const certificateDays = 820;

/** The certificate for localhost, loopback and the listening address; it can be installed as trusted. */
function localCertificate(ip: string | undefined): Promise<KeyCert> {
  const names = ["localhost", "127.0.0.1", "::1"];
  // 0.0.0.0 and :: stand for addresses that may change.
  if (ip !== undefined && !isUnspecifiedIp(ip) && !names.includes(ip)) names.push(ip);
  return selfSignedCertificate({ names, authority: true, days: certificateDays });
}

async function readCertificate(path: string): Promise<X509Certificate> {
  return new X509Certificate(await Deno.readTextFile(path));
}

/**
 * A folder created for other addresses, or long ago, gets a new valid certificate that includes this address.
 */
async function renewCertificate(dir: string, ip: string | undefined): Promise<void> {
  const path = joinPath([dir, "localhost.crt"]);
  // Problems with a file named in mox.conf are reported when it is read.
  const made = await readCertificate(path).catch(() => undefined);
  // A different certificate put there by a developer is left alone.
  if (made?.subject !== "CN=localhost" || made.issuer !== made.subject) return;
  const named = ip === undefined || isUnspecifiedIp(ip) || made.checkIP(ip) !== undefined;
  const good = made.validToDate.getTime() > Date.now() + 30 * 86_400_000;
  if (named && good) return;
  const { cert, key } = await localCertificate(ip);
  await writeFileAtomic(joinPath([dir, "localhost.key"]), new TextEncoder().encode(key), 0o600);
  await writeFileAtomic(path, new TextEncoder().encode(cert), 0o600);
}

async function writeLocalserve(options: LocalserveOptions): Promise<void> {
  const { dir } = options;
  await ensureDir(dir);
  await ensureDir(joinPath([dir, "data"]));
  const ips = options.ip !== undefined
    ? [options.ip]
    : await hasIpv6Loopback()
    ? ["127.0.0.1", "::1"]
    : ["127.0.0.1"];
  const { cert, key } = await localCertificate(options.ip);
  const files: [string, string][] = [
    ["localhost.key", key],
    ["localhost.crt", cert],
    ["adminpasswd", await options.adminPasswordHash()],
    ["domains.conf", formatConfig(dynamicConfig, localserveDynamic(), true)],
    // Written last: if a start finds it, everything exists.
    [
      "mox.conf",
      formatConfig(staticConfig, localserveStatic(ips, options.portOffset), true),
    ],
  ];
  const written: string[] = [];
  try {
    for (const [name, text] of files) {
      const path = joinPath([dir, name]);
      await writeFileAtomic(path, new TextEncoder().encode(text), 0o600);
      written.push(path);
    }
  } catch (err) {
    for (const path of written) removeFile(path);
    throw err;
  }
}
