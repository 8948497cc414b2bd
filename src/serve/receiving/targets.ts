/**
 * Where mail for an address goes: accounts with their destinations, also behind aliases.
 *
 * @module
 */
import type { AddressLookup, Config, ListAddress, ResolvedAlias } from "../../config/mod.ts";
import { type Address, addressText, type Recipient, SmtpError } from "../../smtp/server/mod.ts";
import type { Srs } from "../../senderauth/mod.ts";
import type { Author, Plan, Route, Target } from "../arrival/plan.ts";
import { listJudge, postmasterJudge } from "../arrival/judge.ts";
import { originalSender } from "../onward/returned.ts";

/** Resolves an address; throws the SMTP answer for addresses that lead nowhere. */
export function routeOf(config: Config, address: Address): Route {
  const found: AddressLookup = config.lookupAddress(address.localpart, address.domain ?? "");
  switch (found.kind) {
    case "account": {
      const { account, destination, canonical, reports } = found;
      return { target: { account, destination, canonical, reports } };
    }
    case "alias": {
      const here = found.alias.members.filter((m) => config.isHere(m.account));
      const members = here.map((member): Target => ({
        account: member.account,
        destination: member.destination,
        reports: undefined,
        canonical: canonicalAddress(config, member.address) ?? member.address,
      }));
      if (here.length === found.alias.members.length) return { alias: found.alias, members };
      // Members on other nodes get it like those on other servers.
      const away = found.alias.members.filter((m) => !here.includes(m)).map((m) => m.address);
      return { alias: { ...found.alias, outside: [...found.alias.outside, ...away] }, members };
    }
    case "list":
      return found.role === "owner" ? ownersOf(config, found) : {
        list: { list: found.list, role: found.role, token: found.token },
        judge: listJudge(config, found.list),
      };
    case "relay":
      return { relay: found.relay, judge: postmasterJudge(config, addressText(address)) };
    case "disabledDomain":
      throw new SmtpError(450, "2.1", "domain is disabled for now");
    case "unknownDomain":
      throw new SmtpError(550, "7.1", "no mail for this domain here, and no relaying");
    default:
      throw new SmtpError(550, "1.1", "no such address here");
  }
}

/** The owners of a list, as if they were members of an alias. */
function ownersOf(config: Config, at: ListAddress): Route {
  const { list } = at;
  const members: ResolvedAlias["members"] = [];
  const outside: string[] = [];
  for (const address of list.config.Owners) {
    const i = address.lastIndexOf("@");
    const found = config.lookupAddress(address.slice(0, i), address.slice(i + 1), {
      disabledDomains: true,
    });
    if (found.kind !== "account" || !config.isHere(found.account)) outside.push(address);
    else members.push({ address, account: found.account, destination: found.destination });
  }
  return {
    alias: {
      Addresses: list.config.Owners,
      PostPublic: true,
      ListMembers: false,
      AllowMsgFrom: false,
      localpart: list.localpart,
      domain: list.domain,
      members,
      outside,
    },
    members: members.map((member): Target => ({
      account: member.account,
      destination: member.destination,
      reports: undefined,
      canonical: canonicalAddress(config, member.address) ?? member.address,
    })),
  };
}

/** The accounts behind an address, each once; throws the SMTP answer for addresses that lead nowhere. */
export function targetsOf(config: Config, address: Address): Target[] {
  const route = routeOf(config, address);
  if ("target" in route) return [route.target];
  if ("list" in route) {
    throw new SmtpError(550, "7.1", "mailing lists take mail on the port for SMTP only");
  }
  if ("relay" in route) throw new SmtpError(550, "7.1", "the address is another server's");
  if ("sender" in route || "passed" in route) return [];
  return [...new Map(route.members.map((m) => [m.account, m])).values()];
}

/**
 * The same for RCPT TO, where a destination may refuse all mail, and reports about forwarded messages
 * arrive for rewritten senders.
 */
export function routeForRecipient(
  s: { config: Config; srs: Srs },
  address: Address,
  mailFrom: Address | undefined,
): Route {
  const sender = originalSender(s.config, s.srs, address);
  if (sender) {
    // Otherwise anyone could relay to this original sender.
    if (mailFrom) throw new SmtpError(550, "7.1", "this address only takes delivery reports");
    return s.config.domain(sender.domain) ? routeForRecipient(s, sender, undefined) : { sender };
  }
  const route = routeOf(s.config, address);
  if ("target" in route) {
    const refusal = route.target.destination.SMTPError;
    if (refusal !== "") {
      const [code, ...words] = refusal.split(" ");
      // A configured text may start with an enhanced status code.
      const status = /^[45]\.(\d{1,3}\.\d{1,3})$/.exec(words[0] ?? "");
      if (status) words.shift();
      const text = words.join(" ").trim();
      throw code === "421"
        ? new SmtpError(421, status?.[1] ?? "3.0", text || "try again later")
        : new SmtpError(550, status?.[1] ?? "1.1", text || "no such address here");
    }
  }
  return route;
}

/**
 * The node that decides about an address: its account's, or for an alias the first member's; the postmaster's for addresses
 * without account. Undefined if it is this one, and for addresses that lead nowhere.
 */
export function nodeOfAddress(config: Config, address: Address): string | undefined {
  if (config.dynamic.Nodes.size === 0) return undefined;
  const found = config.lookupAddress(address.localpart, address.domain ?? "");
  const account = found.kind === "account"
    ? found.account
    : found.kind === "alias"
    ? found.alias.members[0]?.account ?? config.static.Postmaster.Account
    : found.kind === "relay"
    ? config.static.Postmaster.Account
    : undefined;
  if (found.kind === "list") {
    const at = config.nodeOfDomain(found.list.domain.ascii);
    return at === config.static.Node ? undefined : at;
  }
  const node = account === undefined ? undefined : config.nodeOf(account);
  return node === config.static.Node ? undefined : node;
}

/** Whether an address is on another server, by its domain's Relay. */
export function isRelayAddress(config: Config, address: Address): boolean {
  return config.lookupAddress(address.localpart, address.domain ?? "").kind === "relay";
}

/** The configured address that mail for an address goes to; undefined if no account has it. */
export function canonicalAddress(config: Config, address: string): string | undefined {
  const at = address.lastIndexOf("@");
  if (at < 0) return undefined;
  const found = config.lookupAddress(address.slice(0, at), address.slice(at + 1), {
    disabledDomains: true,
  });
  return found.kind === "account" ? found.canonical : undefined;
}

/**
 * Who gets a message. Members of aliases get it once, also if they are recipients themselves, and not
 * if they wrote it.
 * @param checkPosting false if no From can be verified
 */
export function planRecipients(
  config: Config,
  recipients: readonly Recipient[],
  author: Author,
  checkPosting: boolean,
): Plan[] {
  const taken = new Set<string>();
  for (const r of recipients) {
    const route = r.handle as Route;
    if ("target" in route) taken.add(route.target.canonical);
  }
  const from = author.msgFromDomain === ""
    ? undefined
    : canonicalAddress(config, `${author.msgFromLocalpart}@${author.msgFromDomain}`);
  const writer = `${author.msgFromLocalpart}@${author.msgFromDomain}`;
  return recipients.map((recipient): Plan => {
    const route = recipient.handle as Route;
    if ("target" in route) {
      return { recipient, alias: undefined, targets: [route.target], refusal: undefined };
    }
    if ("passed" in route) throw new Error("a recipient of another node is not delivered here");
    if ("sender" in route) {
      const { sender } = route;
      return { recipient, alias: undefined, sender, targets: [], refusal: undefined };
    }
    if ("relay" in route) {
      const { relay, judge } = route;
      return { recipient, alias: undefined, relay, targets: [judge], refusal: undefined };
    }
    if ("list" in route) {
      const { list, judge } = route;
      const targets = list.role === "post" ? [judge] : [];
      return { recipient, alias: undefined, list, targets, refusal: undefined };
    }
    const { alias, members } = route;
    if (checkPosting && !alias.PostPublic) {
      const member = author.msgFromValidated &&
        (from !== undefined && members.some((m) => m.canonical === from) ||
          alias.outside.some((address) => sameAddress(address, writer)));
      if (!member) {
        const refusal = new SmtpError(550, "7.1", "only members may write to this address");
        return { recipient, alias, targets: [], refusal };
      }
    }
    const targets = members.filter((target) => {
      if (target.canonical === from || taken.has(target.canonical)) return false;
      taken.add(target.canonical);
      return true;
    });
    const outside = alias.outside.filter((address) => {
      const key = `outside ${address.toLowerCase()}`;
      if (sameAddress(address, writer) || taken.has(key)) return false;
      taken.add(key);
      return true;
    });
    return { recipient, alias, targets, outside, refusal: undefined };
  });
}

/** Whether two addresses on other servers are the same, as far as can be known. */
function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
