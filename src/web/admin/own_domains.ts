/**
 * Administrators of some domains only: what they see of answers, and what they may request. Domains and accounts of
 * others are treated as if they didn't exist.
 *
 * An account is theirs if all its addresses are at their domains, no mail for the server as a whole goes to it, and it
 * has no role for other domains, as administrator or recipient of reports and journals: whoever sets its
 * password could do and read everything that it may.
 *
 * @module
 */
import type * as v from "valibot";
import type { adminCalls } from "../../../webmail/admin/api/mod.ts";
import { addressKeyOf } from "../../admin/accounts.ts";
import { canonicalLocalpart, catchallSeparators, type Config } from "../../config/mod.ts";
import { HttpError, UserError } from "../http/mod.ts";
import type { AdminCallName } from "./rules.ts";

type Request<N extends AdminCallName> = v.InferOutput<(typeof adminCalls)[N]["request"]>;
type Answer<N extends AdminCallName> = v.InferInput<(typeof adminCalls)[N]["response"]>;

/** The parts of the server that belong to some domains. */
export class OwnDomains {
  readonly config: Config;
  /** As in domains.conf. */
  readonly #names: ReadonlySet<string>;
  readonly #hasFolder: (account: string) => boolean;
  #busyElsewhere: ReadonlySet<string> | undefined;

  /**
   * @param names in any form; domains that no longer exist are ignored
   * @param hasFolder whether there is mail of an account of that name, configured or not
   */
  constructor(config: Config, names: readonly string[], hasFolder: (account: string) => boolean) {
    this.config = config;
    this.#names = new Set(names.flatMap((n) => config.domain(n)?.name.unicode ?? []));
    this.#hasFolder = hasFolder;
  }

  has(domain: string): boolean {
    const name = this.config.domain(domain)?.name.unicode;
    return name !== undefined && this.#names.has(name);
  }

  #hasAddress(address: string): boolean {
    const at = address.lastIndexOf("@");
    return at >= 0 && this.has(address.slice(at + 1));
  }

  hasAccount(name: string): boolean {
    const { config } = this;
    const account = config.account(name);
    if (account === undefined || !this.has(account.Domain)) return false;
    const addresses = config.accountAddresses(name);
    if (addresses.length === 0 || !addresses.every((a) => this.#hasAddress(a))) return false;
    if (config.static.Postmaster.Account === name) return false;
    if (config.static.HostTLSRPT?.Account === name) return false;
    this.#busyElsewhere ??= this.#accountsOfOthers();
    return !this.#busyElsewhere.has(name);
  }

  /** Accounts that administer other domains, send for them, or get reports or copies of their mail. */
  #accountsOfOthers(): Set<string> {
    const names = new Set<string>();
    for (const [domain, d] of this.config.dynamic.Domains) {
      if (this.#names.has(domain)) continue;
      for (const a of [...d.Administrators, ...d.Relay?.Senders ?? []]) names.add(a);
      if (d.DMARC) names.add(d.DMARC.Account);
      if (d.TLSRPT) names.add(d.TLSRPT.Account);
      const journal = d.Journal && this.config.accountFor(d.Journal.Address);
      if (journal !== undefined) names.add(journal);
    }
    return names;
  }

  /** @throws HttpError 404 */
  domain(name: string): void {
    if (!this.has(name)) throw new HttpError(404, `there is no domain ${name}`);
  }

  /** An address that they may assign or remove. @throws HttpError 404 */
  address(address: string): void {
    if (!this.#hasAddress(address)) {
      throw new HttpError(404, `${address} is not an address at your domains`);
    }
  }

  /** @throws HttpError 404 */
  account(name: string): void {
    if (!this.hasAccount(name)) throw new HttpError(404, `there is no account ${name}`);
  }

  /** A new account must not inherit from a former one, whose mail may still exist. @throws UserError */
  newAccount(name: string): void {
    if (this.config.account(name) === undefined && this.#hasFolder(name)) {
      throw new UserError(
        `there is mail of a former account ${name}: the server's administrator can add it again`,
      );
    }
  }

  /**
   * An address at their domains that they give to somebody. It must not be where copies of all mail of another domain
   * go, by a catch-all: whom they choose would read them.
   * @param list an address of a mailing list, which has others with a hyphen after its name
   * @throws HttpError 404, UserError
   */
  newAddress(address: string, list = false): void {
    this.address(address);
    const own = this.#canonical(address);
    for (const journal of this.#journalsOfOthers()) {
      const same = own !== undefined && own.domain === journal.domain &&
        (own.localpart === journal.localpart ||
          list && journal.localpart.startsWith(`${own.localpart}-`));
      if (same) throw new UserError(`${address} is in use by the server's administrator`);
    }
  }

  /** Nor may such an address become one of theirs by what counts of a localpart. @throws UserError */
  localparts(r: Request<"DomainSet">): void {
    const { name, config } = this.config.domain(r.name)!;
    const same = r.caseSensitive === config.LocalpartCaseSensitive &&
      r.separators.join("\n") === catchallSeparators(config).filter((s) => s !== "").join("\n");
    if (!same && this.#journalsOfOthers().some((j) => j.domain === name.ascii)) {
      throw new UserError(
        `an address at ${r.name} is in use by the server's administrator, who can change its separators`,
      );
    }
  }

  /** Where copies of other domains' mail go. */
  #journalsOfOthers(): { localpart: string; domain: string }[] {
    return [...this.config.dynamic.Domains].flatMap(([domain, { Journal }]) =>
      Journal === undefined || this.#names.has(domain) ? [] : this.#canonical(Journal.Address) ?? []
    );
  }

  /** An address as it is looked up; undefined for none of this server. */
  #canonical(address: string): { localpart: string; domain: string } | undefined {
    const at = address.lastIndexOf("@");
    const entry = this.config.domain(address.slice(at + 1));
    if (entry === undefined) return undefined;
    const { key } = addressKeyOf(address);
    const localpart = canonicalLocalpart(key.slice(0, key.lastIndexOf("@")), entry);
    return { localpart, domain: entry.name.ascii };
  }

  /**
   * They must not remove an account under legal hold, and not make anew what the server's administrator has disabled.
   * @throws UserError
   */
  removal(name: string): void {
    if (this.config.account(name)!.LegalHold) {
      throw new UserError(
        `the mail of ${name} is under legal hold: the server's administrator can remove it`,
      );
    }
    this.login(name);
    for (const address of this.config.accountAddresses(name)) this.onlyMember(address);
  }

  /** What the server's administrator has disabled they can't enable. @throws UserError */
  login(name: string): void {
    const account = this.config.account(name)!;
    if (account.LoginDisabled !== "" && !account.LoginDisabledByDomain) {
      throw new UserError(`login to ${name} was disabled by the server's administrator`);
    }
  }

  /** Another domain's alias or list with the address alone would be left without anybody. @throws UserError */
  onlyMember(address: string): void {
    const { key } = addressKeyOf(address);
    const same = (a: string) => {
      try {
        return addressKeyOf(a).key === key;
      } catch {
        return false;
      }
    };
    for (const [domain, { Aliases, Lists }] of this.config.dynamic.Domains) {
      if (this.#names.has(domain)) continue;
      if ([...Lists.values()].some(({ Owners }) => Owners.length === 1 && same(Owners[0]))) {
        throw new UserError(`${address} is the only owner of a mailing list that isn't yours`);
      }
      for (const { Addresses } of Aliases.values()) {
        if (Addresses.length === 1 && same(Addresses[0])) {
          throw new UserError(`${address} is the only member of an alias that isn't yours`);
        }
      }
    }
  }

  /** Mail of an alias skips its members' junk filters: they must not add members of other domains. */
  members(alias: string, list: readonly string[]): void {
    const at = alias.lastIndexOf("@");
    const there = this.config.domain(alias.slice(at + 1))?.config.Aliases.get(alias.slice(0, at));
    this.#notForeign(list, there?.Addresses ?? []);
  }

  /** Owners send as the list, and messages for it are judged by their junk filters. @throws UserError */
  owners(list: string, owners: readonly string[]): void {
    const at = list.lastIndexOf("@");
    const there = this.config.domain(list.slice(at + 1))?.config.Lists.get(list.slice(0, at));
    this.#notForeign(owners, there?.Owners ?? []);
  }

  /** @param there existing ones, which stay */
  #notForeign(list: readonly string[], there: readonly string[]): void {
    for (const m of list) {
      const domain = m.slice(m.lastIndexOf("@") + 1).trim();
      const foreign = this.config.domain(domain) !== undefined && !this.has(domain);
      if (foreign && !there.includes(m)) {
        throw new UserError(`${m} is at a domain of this server that is not yours`);
      }
    }
  }

  /** Limits may be lowered, not raised. @throws UserError */
  limits(request: Request<"AccountSet">): void {
    const now = this.config.account(request.name)!;
    const quota = this.config.quotaMessageSize(request.name) ?? Infinity;
    const wanted = request.quota === null
      ? Infinity
      : request.quota || this.config.static.QuotaMessageSize ||
        Infinity;
    if (wanted > quota) {
      throw new UserError("the quota can be raised by the server's administrator");
    }
    if (
      request.maxOutgoing > now.MaxOutgoingMessagesPerDay ||
      request.maxFirstTime > now.MaxFirstTimeRecipientsPerDay ||
      // 0 means no limit.
      (request.maxHourly !== undefined &&
        (request.maxHourly || Infinity) > (now.MaxOutgoingMessagesPerHour || Infinity))
    ) {
      throw new UserError("limits of sending can be raised by the server's administrator");
    }
  }

  /** The host announced to mail programs: certificates are requested for it. @throws UserError */
  clientSettings(domain: string, host: string): void {
    if (host === "" || host === this.config.domain(domain)!.config.ClientSettingsDomain) return;
    const parts = host.split(".");
    // A subdomain of theirs may belong to someone else.
    const nearest = parts.map((_, i) => parts.slice(i).join("."))
      .find((name) => this.config.domain(name) !== undefined);
    if (nearest === undefined || !this.has(nearest)) {
      throw new UserError(`${host} is not a name below your domains`);
    }
  }
}

type Checks = { [N in AdminCallName]?: (own: OwnDomains, request: Request<N>) => void };
type Cuts = { [N in AdminCallName]?: (own: OwnDomains, answer: Answer<N>) => Answer<N> };

const ofDomain = (own: OwnDomains, r: { name: string }) => own.domain(r.name);
const ofAccount = (own: OwnDomains, r: { name: string }) => own.account(r.name);
const ofAlias = (own: OwnDomains, r: { address: string; members?: readonly string[] }) => {
  own.address(r.address);
  own.members(r.address, r.members ?? []);
};
const ofList = (own: OwnDomains, r: { address: string }) => own.address(r.address);
const ofListSettings = (
  own: OwnDomains,
  r: { address: string; settings: { owners: readonly string[] } },
) => {
  own.address(r.address);
  own.owners(r.address, r.settings.owners);
};
const ofReports = (own: OwnDomains, r: { domain: string }) => {
  if (r.domain === "") throw new UserError("name one of your domains");
  own.domain(r.domain);
};
const ofReport = <A extends { domain: string }>(own: OwnDomains, a: A): A => {
  if (!own.has(a.domain)) throw new HttpError(404, "the report is gone");
  return a;
};

/** Before a call is carried out. */
const checks: Checks = {
  Domain: ofDomain,
  DomainSet(own, r) {
    own.domain(r.name);
    own.clientSettings(r.name, r.clientSettingsDomain);
    own.localparts(r);
  },
  DomainMtaSts: ofDomain,
  DkimAdd: ofDomain,
  DkimSign: ofDomain,
  DkimRemove: ofDomain,
  DomainCheck: ofDomain,
  AliasAdd(own, r) {
    own.newAddress(r.address);
    ofAlias(own, r);
  },
  AliasSet: ofAlias,
  AliasMembersAdd: ofAlias,
  AliasMembersRemove: ofAlias,
  AliasRemove: ofAlias,
  DnsPlan: ofDomain,
  DkimRotate: ofDomain,
  Lists: (own, r) => own.domain(r.domain),
  ListAdd(own, r) {
    own.newAddress(r.address, true);
    ofListSettings(own, r);
  },
  ListSet: ofListSettings,
  ListRemove: ofList,
  ListMembers: ofList,
  ListMembersAdd: ofList,
  ListMembersRemove: ofList,
  ListMemberResume: ofList,
  ListHeld: ofList,
  ListDecide: ofList,
  Account: ofAccount,
  AccountAdd(own, r) {
    own.newAddress(r.address);
    own.newAccount(r.name);
  },
  AccountRemove(own, r) {
    own.account(r.name);
    own.removal(r.name);
  },
  AccountDisable(own, r) {
    own.account(r.name);
    own.login(r.name);
  },
  AccountSet(own, r) {
    own.account(r.name);
    own.limits(r);
  },
  AccountAged: ofAccount,
  AccountPassword: ofAccount,
  AccountSessionsEnd: ofAccount,
  AddressAdd(own, r) {
    own.newAddress(r.address);
    own.account(r.account);
  },
  AddressRemove(own, { address }) {
    own.address(address);
    const { key } = addressKeyOf(address);
    const owner = [...own.config.dynamic.Accounts].find(([, a]) => a.Destinations.has(key));
    if (owner !== undefined && !own.hasAccount(owner[0])) {
      throw new UserError(
        `${address} is of an account that the server's administrator looks after`,
      );
    }
    // Whoever gets it next could receive and send as if nothing had been disabled.
    if (owner !== undefined) own.login(owner[0]);
    own.onlyMember(address);
  },
  SecondFactorRemove: ofAccount,
  DmarcReports: ofReports,
  DmarcFailures: ofReports,
  TlsReports: ofReports,
};

/** For the answer of a call. */
const cuts: Cuts = {
  DkimRotations: (own, a) => ({ rotations: a.rotations.filter((r) => own.has(r.domain)) }),
  Domains: (own, a) => ({ domains: a.domains.filter((d) => own.has(d.name)) }),
  Accounts: (own, a) => ({ accounts: a.accounts.filter((x) => own.hasAccount(x.name)) }),
  DmarcReport: ofReport,
  TlsReport(own, a) {
    const report = ofReport(own, a);
    // A report can be about several domains.
    const foreign = (name: string) => own.config.domain(name) !== undefined && !own.has(name);
    return { ...report, policies: report.policies.filter((p) => !foreign(p.domain)) };
  },
};

/** Checks that a request may be carried out. @throws HttpError */
export function checkOwn(own: OwnDomains, name: AdminCallName, request: unknown): void {
  (checks[name] as ((own: OwnDomains, r: unknown) => void) | undefined)?.(own, request);
}

/** The part of an answer that they may see. @throws HttpError */
export function cutToOwn(own: OwnDomains, name: AdminCallName, answer: unknown): unknown {
  const cut = cuts[name] as ((own: OwnDomains, a: unknown) => unknown) | undefined;
  return cut === undefined ? answer : cut(own, answer);
}

/** Calls of the two tables, which a test compares with the rules. */
export const ownCalls: readonly string[] = [...Object.keys(checks), ...Object.keys(cuts)];
