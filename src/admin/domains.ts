/** Domains: adding them with keys and report addresses, removing, disabling. @module */
import { type Config, domain as domainType, type Dynamic, type Selector } from "../config/mod.ts";
import { type Domain as DomainName, NameError, parseDomain } from "../config/names.ts";
import { ensureDir, removeFile } from "../platform/files.ts";
import { baseName, joinPath, parentDir } from "../platform/paths.ts";
import { fileTime, newDkimSelector } from "./dkim_keys.ts";
import { AdminError, changing } from "./errors.ts";

/** Options for adding a domain. */
export interface NewDomain {
  /** Account that gets others' reports about the domain. */
  account: string;
  /** Mail is not accepted yet: for preparing a move. */
  disabled?: boolean;
  /** Prefix of selectors; by default the year. */
  selectorPrefix?: string;
}

/**
 * Milliseconds that others may cache the MTA-STS policy of a new domain: a week, the shortest time intended by
 * RFC 8461 §3.2. A mistake can be corrected immediately by a new policy: senders check its id.
 */
const mtastsMaxAge = 7 * 24 * 3600_000;

export function domainName(text: string): DomainName {
  try {
    return parseDomain(text);
  } catch (err) {
    if (!(err instanceof NameError)) throw err;
    throw new AdminError(`${JSON.stringify(text)} is not a domain: it ${err.message}`);
  }
}

/** The settings of a new domain. Creates its keys and writes their files, listed in `files`. */
export async function newDomainConfig(
  config: Pick<Config, "configPath" | "static">,
  name: DomainName,
  options: NewDomain,
  now = new Date(),
): Promise<{ value: ReturnType<typeof domainType.zero>; files: string[] }> {
  const prefix = options.selectorPrefix ?? String(now.getUTCFullYear());
  const files: string[] = [];
  const selectors = new Map<string, Selector>();
  // Both kinds: all verifiers support RSA, and newer ones the shorter Ed25519 (RFC 8463 §3).
  for (const [letter, algorithm] of [["a", "rsa2048"], ["b", "ed25519"]] as const) {
    const made = await newDkimSelector(config, prefix + letter, name.ascii, algorithm, now);
    selectors.set(prefix + letter, made.selector);
    files.push(made.path);
  }
  const { Hostname, Listeners } = config.static;
  const servesPolicy = [...Listeners.values()].some((l) => l.MTASTSHTTPS.Enabled);
  const value = {
    ...domainType.zero(),
    Disabled: options.disabled ?? false,
    ClientSettingsDomain: `mail.${name.ascii}`,
    LocalpartCatchallSeparator: "+",
    DKIM: { Selectors: selectors, Sign: [...selectors.keys()], RotateAfter: 0 },
    DMARC: {
      Localpart: "dmarcreports",
      Domain: "",
      Account: options.account,
      Mailbox: "DMARC",
    },
    TLSRPT: {
      Localpart: "tlsreports",
      Domain: "",
      Account: options.account,
      Mailbox: "TLSRPT",
    },
    // A policy that isn't served would do harm.
    MTASTS: servesPolicy
      ? {
        PolicyID: fileTime(now),
        Mode: "enforce" as const,
        MaxAge: mtastsMaxAge,
        MX: [domainName(Hostname).ascii],
      }
      : undefined,
  };
  return { value, files };
}

/**
 * Adds a domain, with new DKIM keys, and with an MTA-STS policy if a listener serves those.
 * @throws AdminError
 */
export async function addDomain(
  config: Config,
  domain: string,
  options: NewDomain,
): Promise<void> {
  const name = domainName(domain);
  if (config.domain(name.ascii)) throw new AdminError(`domain ${name.unicode} is there already`);
  if (!config.account(options.account)) throw new AdminError(`no account ${options.account}`);
  const { value, files } = await newDomainConfig(config, name, options);
  try {
    await changing(() =>
      config.writeDynamic((d) => {
        if (d.Domains.has(name.unicode)) {
          throw new AdminError(`domain ${name.unicode} is there already`);
        }
        d.Domains.set(name.unicode, value);
      })
    );
  } catch (err) {
    for (const path of files) removeFile(path);
    throw err;
  }
}

/** The key of a domain in domains.conf. @throws AdminError if it doesn't exist */
export function requireDomain(dynamic: Dynamic, domain: string): string {
  const { unicode } = domainName(domain);
  if (!dynamic.Domains.has(unicode)) throw new AdminError(`no domain ${unicode}`);
  return unicode;
}

/**
 * Removes a domain without addresses. Its key files are moved to `dkim/old`, as messages that it signed
 * may still be in transit.
 * @throws AdminError also if accounts have addresses there, naming some
 */
export async function removeDomain(config: Config, domain: string): Promise<void> {
  const { ascii, unicode } = domainName(domain);
  const left = [...config.addresses.destinations.values()]
    .filter((a) => a.domain.ascii === ascii && a.reports === undefined)
    .map((a) => `${a.localpart}@${unicode}`);
  if (left.length > 0) {
    throw new AdminError(
      `accounts have addresses at ${unicode}: remove them first (${left.slice(0, 5).join(", ")}${
        left.length > 5 ? ", ..." : ""
      })`,
    );
  }
  let keys: string[] = [];
  await changing(() =>
    config.writeDynamic((value) => {
      const key = requireDomain(value, domain);
      keys = [...value.Domains.get(key)!.DKIM.Selectors.values()].map((s) => s.PrivateKeyFile);
      value.Domains.delete(key);
    })
  );
  const used = new Set(
    [...config.dynamic.Domains.values()].flatMap((d) =>
      [...d.DKIM.Selectors.values()].map((s) => s.PrivateKeyFile)
    ),
  );
  for (const file of keys) {
    if (file === "" || used.has(file)) continue;
    const path = config.configPath(file);
    const old = joinPath([parentDir(path), "old"]);
    await ensureDir(old);
    await Deno.rename(path, joinPath([old, baseName(path)])).catch((err) => {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    });
  }
}

/** Stops or resumes accepting mail for a domain. @throws AdminError */
export async function setDomainDisabled(
  config: Config,
  domain: string,
  disabled: boolean,
): Promise<void> {
  await changing(() =>
    config.writeDynamic((d) => {
      d.Domains.get(requireDomain(d, domain))!.Disabled = disabled;
    })
  );
}

/** Sets the accounts that administer a domain, replacing earlier ones. @throws AdminError */
export async function setDomainAdministrators(
  config: Config,
  domain: string,
  accounts: readonly string[],
): Promise<void> {
  await changing(() =>
    config.writeDynamic((d) => {
      d.Domains.get(requireDomain(d, domain))!.Administrators = [...accounts];
    })
  );
}

/** Names of the domains that an account administers, as in domains.conf. */
export function administeredDomains(config: Config, account: string): string[] {
  return [...config.dynamic.Domains].filter(([, d]) => d.Administrators.includes(account))
    .map(([name]) => name);
}
