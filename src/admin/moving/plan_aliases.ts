/**
 * Postfix's aliases as addresses of accounts, aliases, catch-alls and forwarding:
 * - a key that leads to one account here is a further address of the account;
 * - one that leads to several, or to addresses of other servers, is an alias that anybody may write to;
 * - one that is an account's own address has the account's mail forwarded, and kept if it leads there too;
 * - `@domain` that leads to one account here is its catch-all; `@domain` to `@other` gives all accounts with
 *   addresses at the other domain the same ones at this;
 * - a domain alone is a domain.
 *
 * @module
 */
import { alias as aliasType } from "../../config/dynamic/domain.ts";
import { destination as destinationType, type Dynamic } from "../../config/mod.ts";
import { NameError, parseAddress, parseDomain } from "../../config/names.ts";
import { aliasesOf, ownersOf, type Plan } from "./plan.ts";
import type { MapEntry } from "./postfix_map.ts";
import type { LineProblem } from "./users.ts";

/** Levels of nested aliases. */
const maxDepth = 20;
/** Members after expansion. */
const maxMembers = 1000;

export function planAliases(dynamic: Dynamic, entries: readonly MapEntry[]): Plan {
  return new Planner(dynamic, entries).plan();
}

class Planner {
  readonly #d: Dynamic;
  readonly #entries: readonly MapEntry[];
  readonly #byKey = new Map<string, MapEntry>();
  readonly #owners: Map<string, string>;
  readonly #aliases: Set<string>;
  readonly #domains = new Set<string>();
  readonly #changes: string[] = [];
  readonly #problems: LineProblem[] = [];
  readonly #steps: ((dynamic: Dynamic) => void)[] = [];

  constructor(dynamic: Dynamic, entries: readonly MapEntry[]) {
    this.#d = dynamic;
    this.#entries = entries;
    this.#owners = ownersOf(dynamic);
    this.#aliases = aliasesOf(dynamic);
    for (const e of entries) this.#byKey.set(e.key.toLowerCase(), e);
  }

  plan(): Plan {
    // Addresses first: alias domains then copy the resulting addresses of accounts.
    const late: MapEntry[] = [];
    for (const e of this.#entries) {
      if (this.#byKey.get(e.key.toLowerCase()) !== e) {
        this.#problem(e, `${e.key} is there twice: the last one counts`);
        continue;
      }
      try {
        if (!e.key.includes("@")) this.#domain(parseDomain(e.key).unicode);
        else if (e.key.startsWith("@")) late.push(e);
        else this.#address(e);
      } catch (err) {
        if (!(err instanceof NameError)) throw err;
        this.#problem(e, `${e.key}: it ${err.message}`);
      }
    }
    for (const e of late) {
      try {
        this.#catchAll(e);
      } catch (err) {
        if (!(err instanceof NameError)) throw err;
        this.#problem(e, `${e.key}: it ${err.message}`);
      }
    }
    return {
      changes: this.#changes,
      problems: this.#problems,
      domains: [...this.#domains],
      apply: (d) => this.#steps.forEach((step) => step(d)),
    };
  }

  #problem(entry: MapEntry, message: string): void {
    this.#problems.push({ line: entry.line, message });
  }

  #domain(name: string): void {
    if (!this.#d.Domains.has(name)) this.#domains.add(name);
  }

  /** Final targets of a key, through other keys; `self` is set if it leads to itself too. */
  #resolve(entry: MapEntry): { members: string[]; self: boolean } | undefined {
    const members = new Set<string>();
    let self = false;
    const own = entry.key.toLowerCase();
    const follow = (values: readonly string[], depth: number, path: readonly string[]): boolean => {
      if (depth > maxDepth) return false;
      for (const value of values) {
        const key = value.toLowerCase();
        if (key === own) {
          self = true;
          continue;
        }
        const inner = this.#byKey.get(key);
        // An account that forwards has its own entry; mail for it goes to the account.
        if (inner && !path.includes(key) && !this.#owners.has(key)) {
          if (!follow(inner.values, depth + 1, [...path, key])) return false;
        } else members.add(value);
        if (members.size > maxMembers) return false;
      }
      return true;
    };
    if (!follow(entry.values, 0, [own])) {
      this.#problem(
        entry,
        `${entry.key} leads to more than ${maxMembers} addresses, or through too many keys`,
      );
      return undefined;
    }
    return { members: [...members], self };
  }

  #address(entry: MapEntry): void {
    const key = parseAddress(entry.key);
    const domain = key.domain.unicode;
    const resolved = this.#resolve(entry);
    if (!resolved) return;
    const { members, self } = resolved;
    for (const m of members) parseAddress(m);
    const owner = this.#owners.get(entry.key.toLowerCase());
    if (owner !== undefined) return this.#forward(entry, owner, members, self);
    if (members.length === 0) {
      return this.#problem(entry, `${entry.key} leads to itself, and there is no such account`);
    }
    this.#domain(domain);
    const single = members.length === 1 ? this.#owners.get(members[0].toLowerCase()) : undefined;
    if (single !== undefined) {
      this.#owners.set(entry.key.toLowerCase(), single);
      this.#changes.push(`address ${entry.key} of account ${single}`);
      this.#steps.push((d) =>
        d.Accounts.get(single)!.Destinations.set(entry.key, destinationType.zero())
      );
      return;
    }
    const missing = members.find((m) => this.#isHere(m) && !this.#owners.has(m.toLowerCase()));
    if (missing !== undefined) {
      return this.#problem(
        entry,
        `${entry.key} leads to ${missing}, which is no address of an account here`,
      );
    }
    const there = this.#d.Domains.get(domain)?.Aliases.get(key.localpart);
    if (this.#aliases.has(entry.key.toLowerCase())) {
      const same = there && [...there.Addresses].sort().join() === [...members].sort().join();
      if (!same) this.#problem(entry, `alias ${entry.key} is there already, with other members`);
      return;
    }
    this.#changes.push(`alias ${entry.key}: ${members.join(", ")}`);
    this.#steps.push((value) =>
      value.Domains.get(domain)!.Aliases.set(key.localpart, {
        ...aliasType.zero(),
        Addresses: members,
        PostPublic: true,
      })
    );
  }

  #isHere(address: string): boolean {
    const { unicode } = parseAddress(address).domain;
    return this.#d.Domains.has(unicode) || this.#domains.has(unicode);
  }

  #forward(entry: MapEntry, owner: string, members: readonly string[], self: boolean): void {
    const account = this.#d.Accounts.get(owner);
    const others = members.filter((m) => this.#owners.get(m.toLowerCase()) !== owner);
    if (others.length === 0) return;
    const before = account?.ForwardTo ?? [];
    const add = others.filter((m) => !before.includes(m));
    if (add.length === 0) return;
    this.#changes.push(
      `mail of account ${owner} (${entry.key}) is forwarded to ${add.join(", ")}${
        self ? ", and kept" : ""
      }`,
    );
    this.#steps.push((value) => {
      const a = value.Accounts.get(owner)!;
      a.ForwardTo = [...a.ForwardTo, ...add];
      a.ForwardOnly = !self;
    });
  }

  #catchAll(entry: MapEntry): void {
    const domain = parseDomain(entry.key.slice(1)).unicode;
    this.#domain(domain);
    const [value, more] = entry.values;
    if (value.startsWith("@") && more === undefined) return this.#twin(domain, value);
    const owner = more === undefined ? this.#owners.get(value.toLowerCase()) : undefined;
    if (owner === undefined) {
      return this.#problem(
        entry,
        `${entry.key} leads to ${entry.values.join(", ")}: a catch-all leads to one account here`,
      );
    }
    const key = `@${domain}`;
    const taken = this.#owners.get(key);
    if (taken === owner) return;
    if (taken !== undefined) {
      return this.#problem(entry, `${key} is the catch-all of account ${taken} already`);
    }
    this.#owners.set(key, owner);
    this.#changes.push(`catch-all ${key} of account ${owner}`);
    this.#steps.push((d) => d.Accounts.get(owner)!.Destinations.set(key, destinationType.zero()));
  }

  /** A domain whose addresses are those of another one. */
  #twin(domain: string, value: string): void {
    const other = parseDomain(value.slice(1)).unicode;
    const aliases = [...this.#aliases, ...this.#byKey.keys()].filter((a) =>
      a.endsWith(`@${other.toLowerCase()}`) && !a.startsWith("@") && !this.#owners.has(a)
    );
    if (aliases.length > 0) {
      this.#problem(
        this.#byKey.get(`@${domain.toLowerCase()}`)!,
        `aliases of ${other} are not made at ${domain}: name them (${
          aliases.slice(0, 5).join(", ")
        })`,
      );
    }
    for (const [address, owner] of [...this.#owners]) {
      const at = address.lastIndexOf("@");
      if (address.slice(at + 1) !== other.toLowerCase()) continue;
      const key = `${address.slice(0, at)}@${domain}`;
      if (this.#owners.has(key) || this.#aliases.has(key) || this.#byKey.has(key)) continue;
      this.#owners.set(key, owner);
      this.#changes.push(`address ${key} of account ${owner}`);
      this.#steps.push((d) => d.Accounts.get(owner)!.Destinations.set(key, destinationType.zero()));
    }
  }
}
