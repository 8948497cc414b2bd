/** Which hosts accept mail for a domain (RFC 5321 §5.1, RFC 7505). @module */
import { DnsError, type MxRecord, normalizeName, parseIp, type Resolver } from "../../dns/mod.ts";
import { DestinationError, permanent, temporary } from "../failure.ts";

/** Most hosts of a domain that are tried. */
const maxHosts = 20;

/** The hosts of a domain, in the order to try them. */
export interface MxHosts {
  /** In ASCII. */
  domain: string;
  /** The name at the end of the domain's CNAME records; the domain itself if there are none. */
  canonicalName: string;
  hosts: string[];
  /** Whether the answer is authenticated by DNSSEC, including one that there are no MX records. */
  authenticated: boolean;
}

/** Inputs of the lookup. */
export interface MxOptions {
  resolver: Resolver;
  signal: AbortSignal;
  random(): number;
  /** Whether a host is this server. */
  isOwnHost(host: string): boolean;
  /** Whether mail for a domain is delivered on this server. */
  isOwnDomain(domain: string): boolean;
}

/**
 * Looks for the hosts of a recipient's domain, or address literal.
 * @throws DestinationError if there are none, or the lookup fails temporarily
 */
export async function mxHosts(recipientDomain: string, options: MxOptions): Promise<MxHosts> {
  const literal = /^\[(?:ipv6:)?([0-9a-f.:]+)\]$/i.exec(recipientDomain)?.[1];
  if (literal !== undefined) {
    if (!parseIp(literal)) throw new DestinationError(permanent("5.1.2", "no such address"));
    return {
      domain: recipientDomain,
      canonicalName: recipientDomain,
      hosts: [literal],
      authenticated: false,
    };
  }
  const domain = normalizeName(recipientDomain);
  if (domain === undefined) {
    throw new DestinationError(permanent("5.1.2", `${recipientDomain} is not a domain`));
  }
  let answer;
  try {
    answer = await options.resolver.lookup(domain, "MX", { signal: options.signal });
  } catch (err) {
    if (!(err instanceof DnsError)) throw err;
    if (err.kind === "nodata") {
      // RFC 5321 §5.1: without MX records the domain itself is the host.
      return {
        domain,
        canonicalName: domain,
        hosts: [domain],
        authenticated: err.authenticated,
      };
    }
    if (!err.temporary) {
      const text = `no such domain: ${err.message}`;
      throw new DestinationError(permanent("5.1.2", text), { cause: err });
    }
    throw new DestinationError(temporary("4.4.3", err.message), { cause: err });
  }
  let records = answer.records;
  // RFC 7505 §3: the domain accepts no mail.
  if (records.length === 1 && records[0].exchange === "") {
    const text = `${domain} says that it takes no mail (null MX)`;
    throw new DestinationError(permanent("5.1.10", text, 556));
  }
  records = records.filter((r) => r.exchange !== "");
  if (!options.isOwnDomain(domain)) records = withoutLoop(domain, records, options);
  return {
    domain,
    canonicalName: answer.cnames.at(-1) ?? domain,
    hosts: ordered(records, options.random),
    authenticated: answer.authenticated,
  };
}

/** RFC 5321 §5.1: this host, and hosts with the same or lower preference, would return the message. */
function withoutLoop(domain: string, records: readonly MxRecord[], options: MxOptions): MxRecord[] {
  const own = Math.min(
    ...records.filter((r) => options.isOwnHost(r.exchange)).map((r) => r.preference),
    Infinity,
  );
  const left = records.filter((r) => r.preference < own);
  if (left.length === 0) {
    const text =
      `mail for ${domain} would come back here: its MX records name this host, which does ` +
      "not take mail for it";
    throw new DestinationError(permanent("5.4.6", text));
  }
  return left;
}

/** By preference; hosts of equal preference in random order, to spread the load. */
function ordered(records: readonly MxRecord[], random: () => number): string[] {
  const keyed = records.map((r) => ({ ...r, key: random() }));
  keyed.sort((a, b) => a.preference - b.preference || a.key - b.key);
  return [...new Set(keyed.map((r) => r.exchange))].slice(0, maxHosts);
}
