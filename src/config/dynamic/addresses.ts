/**
 * What each address belongs to: accounts, aliases, report addresses, catch-alls.
 *
 * @module
 */
import { type Destination, destination as destinationType } from "./account.ts";
import { type Alias, catchallSeparators, type Domain } from "./domain.ts";
import type { Dynamic } from "./dynamic.ts";
import type { ListRole, ResolvedList } from "./mailing_list.ts";
import {
  type Domain as DomainName,
  isInternational,
  NameError,
  packAddress,
  parseAddress,
  parseDomain,
  parseLocalpart,
} from "../names.ts";
import type { PathReport } from "../sconf/schema.ts";
import type { Static } from "../static/static.ts";

/** The account and mailbox of an address. */
export interface AccountAddress {
  account: string;
  destination: Destination;
  /** As configured, localpart unquoted; "" for a catch-all. */
  localpart: string;
  domain: DomainName;
  catchall: boolean;
  /** Set for addresses that reports are sent to. */
  reports?: "dmarc" | "domainTls" | "hostTls";
}

/** A member of an alias. */
export interface AliasMember {
  address: string;
  account: string;
  destination: Destination;
}

/** An alias with resolved members. */
export interface ResolvedAlias extends Alias {
  localpart: string;
  domain: DomainName;
  members: AliasMember[];
  /** Members at other servers. */
  outside: string[];
}

/** A domain with derived data. */
export interface DomainEntry {
  name: DomainName;
  config: Domain;
  separators: string[];
  /** Localparts of report addresses at this domain: they may contain separators. */
  reportLocalparts: string[];
  /** No account has an address here: the domain is only configured for reports or DNS records. */
  reportsOnly: boolean;
}

/** All addresses. Keys are localpart and ASCII domain, joined with @; a catch-all's localpart is "". */
export interface AddressIndex {
  domains: Map<string, DomainEntry>;
  destinations: Map<string, AccountAddress>;
  aliases: Map<string, ResolvedAlias>;
  /** All addresses of lists, without tokens. */
  lists: Map<string, { list: ResolvedList; role: ListRole }>;
}

/** A destination with only the mailbox set. */
export function plainDestination(mailbox: string): Destination {
  return { ...destinationType.zero(), Mailbox: mailbox };
}

export function addressKey(localpart: string, domain: DomainName): string {
  return `${localpart}@${domain.ascii}`;
}

/** The localpart for lookups: without the part after a separator, in lower case unless case matters. */
export function canonicalLocalpart(localpart: string, entry: DomainEntry): string {
  let lp = localpart.normalize("NFC");
  if (!entry.config.LocalpartCaseSensitive) lp = lp.toLowerCase();
  // Older configurations may have a separator in an address for reports.
  for (const reports of entry.reportLocalparts) {
    if (lp === reports || entry.separators.some((s) => lp.startsWith(reports + s))) return reports;
  }
  for (const separator of entry.separators) {
    const at = lp.indexOf(separator);
    if (at >= 0) lp = lp.slice(0, at);
  }
  return lp;
}

function why(err: unknown): string {
  if (err instanceof NameError) return err.message;
  throw err;
}

/** Builds the index and reports inconsistencies. Malformed names have already been reported. */
export function buildIndex(s: Static, dynamic: Dynamic, report: PathReport): AddressIndex {
  const index: AddressIndex = {
    domains: new Map(),
    destinations: new Map(),
    aliases: new Map(),
    lists: new Map(),
  };
  addDomains(index, dynamic, report);
  addHostReports(index, s, dynamic, report);
  for (const [name, account] of dynamic.Accounts) {
    for (const [address, destination] of account.Destinations) {
      addDestination(index, name, account.Domain, address, destination, report);
    }
  }
  for (const entry of index.domains.values()) {
    addReports(index, entry, dynamic, "DMARC", report);
    addReports(index, entry, dynamic, "TLSRPT", report);
  }
  for (const entry of index.domains.values()) {
    for (const [localpart, alias] of entry.config.Aliases) {
      addAlias(index, entry, localpart, alias, report);
    }
  }
  return index;
}

function addDomains(index: AddressIndex, dynamic: Dynamic, report: PathReport): void {
  for (const [key, config] of dynamic.Domains) {
    let name: DomainName;
    try {
      name = parseDomain(key);
    } catch (err) {
      why(err);
      continue;
    }
    if (config.LocalpartCatchallSeparator !== "" && config.LocalpartCatchallSeparators.length > 0) {
      report(
        ["Domains", key, "LocalpartCatchallSeparator"],
        "can't go together with LocalpartCatchallSeparators",
      );
    }
    const separators = catchallSeparators(config).filter((sep) => sep !== "");
    config.LocalpartCatchallSeparators.forEach((sep, i, all) => {
      const path = ["Domains", key, "LocalpartCatchallSeparators", i];
      if (sep === "") report(path, "a separator must not be empty");
      else if (all.indexOf(sep) < i) report(path, `${JSON.stringify(sep)} is there twice`);
    });
    separators.forEach((sep) => {
      if (/[@\s"]/.test(sep)) {
        report(["Domains", key], `${JSON.stringify(sep)} can't be a separator in a localpart`);
      }
    });
    const reportsOnly = config.Relay === undefined;
    const entry = { name, config, separators, reportLocalparts: [], reportsOnly };
    index.domains.set(name.ascii, entry);
  }
  // After all domains are known, as a report address may be in another one.
  for (const entry of index.domains.values()) {
    for (const kind of ["DMARC", "TLSRPT"] as const) {
      const at = reportAddress(index, entry, kind);
      if (at) at.entry.reportLocalparts.push(at.localpart);
    }
  }
}

/** The address for a domain's reports, and its domain. */
function reportAddress(
  index: AddressIndex,
  entry: DomainEntry,
  kind: "DMARC" | "TLSRPT",
): { entry: DomainEntry; localpart: string } | undefined {
  const reports = entry.config[kind];
  if (!reports) return undefined;
  try {
    const at = reports.Domain === "" ? entry : index.domains.get(parseDomain(reports.Domain).ascii);
    const lp = parseLocalpart(reports.Localpart);
    return at && { entry: at, localpart: at.config.LocalpartCaseSensitive ? lp : lp.toLowerCase() };
  } catch (err) {
    why(err);
    return undefined;
  }
}

function addHostReports(
  index: AddressIndex,
  s: Static,
  dynamic: Dynamic,
  report: PathReport,
): void {
  const reports = s.HostTLSRPT;
  if (!reports) return;
  if (!dynamic.Accounts.has(reports.Account)) {
    report([], `HostTLSRPT of mox.conf: there is no account ${JSON.stringify(reports.Account)}`);
  }
  try {
    const domain = parseDomain(s.Hostname);
    const localpart = parseLocalpart(reports.Localpart).toLowerCase();
    index.destinations.set(addressKey(localpart, domain), {
      account: reports.Account,
      destination: plainDestination(reports.Mailbox),
      localpart,
      domain,
      catchall: false,
      reports: "hostTls",
    });
  } catch (err) {
    why(err);
  }
}

function addDestination(
  index: AddressIndex,
  account: string,
  accountDomain: string,
  text: string,
  destination: Destination,
  report: PathReport,
): void {
  const path = ["Accounts", account, "Destinations", text];
  const catchall = text.startsWith("@");
  let localpart: string;
  let domain: DomainName;
  try {
    if (catchall) {
      localpart = "";
      domain = parseDomain(text.slice(1));
    } else if (text.includes("@")) {
      ({ localpart, domain } = parseAddress(text));
    } else {
      // Deprecated: a bare localpart belongs to the account's domain.
      localpart = parseLocalpart(text);
      domain = parseDomain(accountDomain);
    }
  } catch (err) {
    report(path, `${JSON.stringify(text)} is not an address: it ${why(err)}`);
    return;
  }
  const entry = index.domains.get(domain.ascii);
  if (!entry) {
    report(path, `the domain ${domain.unicode} is not among Domains`);
    return;
  }
  entry.reportsOnly = false;
  const separator = entry.separators.find((sep) => localpart.includes(sep));
  if (separator !== undefined) {
    report(
      path,
      `the address has the separator ${
        JSON.stringify(separator)
      } of its domain, so no mail would reach it`,
    );
    return;
  }
  const key = addressKey(catchall ? "" : canonicalLocalpart(localpart, entry), domain);
  if (catchall && entry.config.Relay) {
    report(path, `the domain has Relay, which takes what no address is there for`);
    return;
  }
  const before = index.destinations.get(key);
  if (before && before.reports === undefined) {
    report(
      path,
      `the ${catchall ? "catch-all" : "address"} is that of account ${before.account} already`,
    );
    return;
  }
  index.destinations.set(key, { account, destination, localpart, domain, catchall });
}

function addReports(
  index: AddressIndex,
  entry: DomainEntry,
  dynamic: Dynamic,
  kind: "DMARC" | "TLSRPT",
  report: PathReport,
): void {
  const reports = entry.config[kind];
  if (!reports) return;
  const path = ["Domains", keyOf(dynamic, entry), kind];
  if (!dynamic.Accounts.has(reports.Account)) {
    report([...path, "Account"], `there is no account ${JSON.stringify(reports.Account)}`);
  }
  if (isInternational(reports.Localpart)) {
    // RFC 8616 §4: addresses for reports are ASCII.
    report([...path, "Localpart"], "must be ASCII, as other servers may not send to it otherwise");
  }
  const at = reportAddress(index, entry, kind);
  if (!at) {
    if (reports.Domain !== "") {
      report([...path, "Domain"], `${reports.Domain} is not among Domains`);
    }
    return;
  }
  // With its own address, a domain's mail comes here.
  if (at.entry === entry) entry.reportsOnly = false;
  index.destinations.set(addressKey(at.localpart, at.entry.name), {
    account: reports.Account,
    destination: plainDestination(reports.Mailbox),
    localpart: at.localpart,
    domain: at.entry.name,
    catchall: false,
    reports: kind === "DMARC" ? "dmarc" : "domainTls",
  });
}

function keyOf(dynamic: Dynamic, entry: DomainEntry): string {
  for (const [key, config] of dynamic.Domains) if (config === entry.config) return key;
  return entry.name.unicode;
}

function addAlias(
  index: AddressIndex,
  entry: DomainEntry,
  text: string,
  alias: Alias,
  report: PathReport,
): void {
  const path = ["Domains", entry.name.unicode, "Aliases", text];
  let localpart: string;
  try {
    localpart = parseLocalpart(text);
  } catch (err) {
    why(err);
    return;
  }
  const separator = entry.separators.find((sep) => localpart.includes(sep));
  if (separator !== undefined) {
    report(path, `the alias has the separator ${JSON.stringify(separator)} of its domain`);
    return;
  }
  const key = addressKey(canonicalLocalpart(localpart, entry), entry.name);
  const owner = index.destinations.get(key);
  if (owner) {
    report(path, `the address is that of account ${owner.account} already`);
    return;
  }
  if (index.aliases.has(key)) {
    report(path, "there is an alias with this address already");
    return;
  }
  if (alias.Addresses.length === 0) report([...path, "Addresses"], "an alias needs a member");
  const members: AliasMember[] = [];
  const outside: string[] = [];
  const seen = new Set<string>();
  alias.Addresses.forEach((member, i) => {
    const at = [...path, "Addresses", i];
    const elsewhere = outsideAddress(index, member);
    if (elsewhere !== undefined) {
      if (seen.has(elsewhere)) report(at, `${member} is there twice`);
      seen.add(elsewhere);
      outside.push(member);
      return;
    }
    const found = memberAddress(index, member);
    if (!found) {
      report(at, `${member} is not an address of an account here`);
    } else if (seen.has(found.key)) {
      report(at, `${member} is there twice`);
    } else {
      seen.add(found.key);
      const { account, destination } = found.owner;
      members.push({ address: member, account, destination });
    }
  });
  index.aliases.set(key, { ...alias, localpart, domain: entry.name, members, outside });
}

/**
 * An address on another server, in another server's domain or because of Relay, in a form for comparison;
 * undefined for others.
 */
export function outsideAddress(index: AddressIndex, text: string): string | undefined {
  try {
    const { localpart, domain } = parseAddress(text);
    const entry = index.domains.get(domain.ascii);
    return entry && (!entry.config.Relay || memberAddress(index, text))
      ? undefined
      : `outside ${localpart.toLowerCase()}@${domain.ascii}`;
  } catch (err) {
    why(err);
    return undefined;
  }
}

/** An address of a local account, with its key. */
export function memberAddress(
  index: AddressIndex,
  text: string,
): { key: string; owner: AccountAddress } | undefined {
  try {
    const { localpart, domain } = parseAddress(text);
    const entry = index.domains.get(domain.ascii);
    if (!entry) return undefined;
    const key = addressKey(canonicalLocalpart(localpart, entry), domain);
    const owner = index.destinations.get(key);
    return owner && { key, owner };
  } catch (err) {
    why(err);
    return undefined;
  }
}

/** Addresses of an account in readable form, catch-alls as `@domain`, without report addresses. */
export function accountAddresses(index: AddressIndex, account: string): string[] {
  const addresses: string[] = [];
  for (const a of index.destinations.values()) {
    if (a.account !== account || a.reports !== undefined) continue;
    addresses.push(a.catchall ? `@${a.domain.unicode}` : packAddress(a));
  }
  return addresses;
}
