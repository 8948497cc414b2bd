/** Where mail for an address goes. @module */
import type { Destination } from "./dynamic/account.ts";
import {
  type AddressIndex,
  addressKey,
  canonicalLocalpart,
  plainDestination,
  type ResolvedAlias,
} from "./dynamic/addresses.ts";
import { asciiDomain, packAddress, parseDomain, parseLocalpart } from "./names.ts";
import { findList } from "./dynamic/list_addresses.ts";
import type { Relay } from "./dynamic/domain.ts";
import type { ListAddress } from "./dynamic/mailing_list.ts";
import type { Static } from "./static/static.ts";

/** The target of an address. */
export type AddressLookup =
  | {
    kind: "account";
    account: string;
    destination: Destination;
    /** The address that was configured: `postmaster`, `you@example.org`, or `@example.org` of a catch-all. */
    canonical: string;
    catchall: boolean;
    /** Set for addresses that reports of other servers are sent to. */
    reports?: "dmarc" | "domainTls" | "hostTls";
  }
  | { kind: "alias"; alias: ResolvedAlias; canonical: string }
  | ({ kind: "list" } & ListAddress)
  /** Another server's, which gets its mail through the domain's Relay. */
  | { kind: "relay"; relay: Relay }
  | { kind: "unknownDomain" }
  | { kind: "disabledDomain" }
  | { kind: "unknownAddress" };

/** Options of {@link Config.lookupAddress}. */
export interface LookupOptions {
  /** Whether postmaster is found without its own address. Default true. */
  postmaster?: boolean;
  /** Whether aliases and mailing lists are found. Default true. */
  aliases?: boolean;
  /** Whether to find addresses of disabled domains too, as for logging in. Default false. */
  disabledDomains?: boolean;
}

/** The data for lookups. */
export interface LookupPlace {
  static: Static;
  /** ASCII names of this host. */
  hostnames: ReadonlySet<string>;
  addresses: AddressIndex;
}

/** Mail for an account without a specific destination. */
export function owned(
  account: string,
  mailbox: string,
  canonical: string,
  catchall: boolean,
): AddressLookup {
  return {
    kind: "account",
    account,
    destination: plainDestination(mailbox),
    canonical,
    catchall,
  };
}

/** See Config.lookupAddress. */
export function lookup(
  place: LookupPlace,
  localpart: string,
  domain: string,
  options: LookupOptions,
): AddressLookup {
  const { postmaster = true, aliases = true, disabledDomains = false } = options;
  const isPostmaster = localpart.toLowerCase() === "postmaster";
  const ascii = domain === "" ? "" : asciiDomain(domain);
  if (ascii === undefined) return { kind: "unknownDomain" };
  const { Account, Mailbox } = place.static.Postmaster;
  if (isPostmaster && (ascii === "" || place.hostnames.has(ascii))) {
    if (!postmaster) return { kind: "unknownAddress" };
    return owned(Account, Mailbox, "postmaster", false);
  }
  const hostReports = lookupHostReports(place.static, localpart, ascii);
  if (hostReports) return hostReports;
  const { domains, destinations } = place.addresses;
  const entry = domains.get(ascii);
  if (!entry || entry.reportsOnly) return { kind: "unknownDomain" };
  if (entry.config.Disabled && !disabledDomains) return { kind: "disabledDomain" };

  const lp = isPostmaster ? "postmaster" : canonicalLocalpart(localpart, entry);
  const key = addressKey(lp, entry.name);
  const canonical = packAddress({ localpart: lp, domain: entry.name });
  const alias = place.addresses.aliases.get(key);
  if (alias) return aliases ? { kind: "alias", alias, canonical } : { kind: "unknownAddress" };
  const list = isPostmaster ? undefined : findList(place.addresses, localpart, entry);
  if (list) return aliases ? { kind: "list", ...list } : { kind: "unknownAddress" };
  // An empty localpart (such as of `+x@`) must not find the catch-all as its address.
  const owner = lp === "" ? undefined : destinations.get(key);
  if (owner) {
    const { account, destination, reports } = owner;
    return { kind: "account", account, destination, canonical, catchall: false, reports };
  }
  const all = destinations.get(addressKey("", entry.name));
  if (all) {
    const { account, destination } = all;
    const name = `@${entry.name.unicode}`;
    return { kind: "account", account, destination, canonical: name, catchall: true };
  }
  if (isPostmaster && postmaster) return owned(Account, Mailbox, "postmaster", false);
  const relay = isPostmaster ? undefined : entry.config.Relay;
  return relay ? { kind: "relay", relay } : { kind: "unknownAddress" };
}

function lookupHostReports(
  s: Static,
  localpart: string,
  ascii: string,
): AddressLookup | undefined {
  const reports = s.HostTLSRPT;
  if (!reports) return undefined;
  const domain = parseDomain(s.Hostname);
  const lp = parseLocalpart(reports.Localpart).toLowerCase();
  if (ascii !== domain.ascii || localpart.toLowerCase() !== lp) return undefined;
  const found = owned(
    reports.Account,
    reports.Mailbox,
    packAddress({ localpart: lp, domain }),
    false,
  );
  return { ...found, reports: "hostTls" } as AddressLookup;
}
