/** Accounts for the users of another server. Existing ones are unchanged, so a list can be imported repeatedly. @module */
import { destination as destinationType, type Dynamic } from "../../config/mod.ts";
import { isSafeName } from "../../platform/paths.ts";
import { looksLikeHash, parsePasswordHash } from "../../store/logins/password_hash.ts";
import { addressKeyOf, newAccountConfig } from "../accounts.ts";
import { AdminError } from "../errors.ts";
import { aliasesOf, ownersOf, type Plan } from "./plan.ts";
import type { LineProblem, NewUser } from "./users.ts";

/** A password to set once the account exists. */
export interface NewPassword {
  account: string;
  hash: string;
  password: string;
}

export interface UserPlan extends Plan {
  passwords: NewPassword[];
}

/** Plans what is missing for a list of users. */
export function planUsers(dynamic: Dynamic, users: readonly NewUser[]): UserPlan {
  const owners = ownersOf(dynamic);
  const aliases = aliasesOf(dynamic);
  const names = new Set(dynamic.Accounts.keys());
  const domains = new Set<string>();
  const changes: string[] = [];
  const problems: LineProblem[] = [];
  const passwords: NewPassword[] = [];
  const steps: ((d: Dynamic) => void)[] = [];

  for (const u of users) {
    const problem = (message: string) => problems.push({ line: u.line, message });
    const address = keyOf(u.address, problem);
    if (!address) continue;
    if (u.hash !== "" && parsePasswordHash(u.hash) === undefined) {
      problem(
        `the password's hash of ${u.address} is of a kind that can't be verified here: ${
          kindOf(u.hash)
        }`,
      );
      continue;
    }
    if (aliases.has(address.key.toLowerCase())) {
      problem(`${u.address} is an alias`);
      continue;
    }
    const need = (domain: string) => {
      if (!dynamic.Domains.has(domain)) domains.add(domain);
    };
    need(address.domain);
    const known = owners.get(address.key.toLowerCase());
    const name = known ?? newName(u, names, problem);
    if (name === undefined) continue;
    if (known === undefined) {
      names.add(name);
      owners.set(address.key.toLowerCase(), name);
      changes.push(`account ${name} (${address.key})${u.active ? "" : ", login disabled"}`);
      steps.push((value) => {
        const account = newAccountConfig(address.key);
        // They had chosen their own passwords, and may continue to.
        account.NoCustomPassword = false;
        account.FullName = u.fullName;
        account.QuotaMessageSize = u.quota;
        if (!u.active) account.LoginDisabled = "account is disabled";
        value.Accounts.set(name, account);
      });
    }
    if (u.hash !== "" || u.password !== "") {
      passwords.push({ account: name, hash: u.hash, password: u.password });
    }
    for (const text of u.aliases) {
      const more = keyOf(text, problem);
      if (!more) continue;
      const owner = owners.get(more.key.toLowerCase());
      if (owner === name) continue;
      if (owner !== undefined || aliases.has(more.key.toLowerCase())) {
        problem(`${text} is an address of ${owner ?? "an alias"} already`);
        continue;
      }
      need(more.domain);
      owners.set(more.key.toLowerCase(), name);
      changes.push(`address ${more.key} of account ${name}`);
      steps.push((d) => d.Accounts.get(name)!.Destinations.set(more.key, destinationType.zero()));
    }
  }
  return {
    changes,
    problems,
    passwords,
    domains: [...domains],
    apply: (d) => steps.forEach((step) => step(d)),
  };
}

function keyOf(
  text: string,
  problem: (message: string) => void,
): { key: string; domain: string } | undefined {
  try {
    return addressKeyOf(text);
  } catch (err) {
    if (!(err instanceof AdminError)) throw err;
    problem(err.message);
    return undefined;
  }
}

/** Scheme of a hash, without what is secret. */
function kindOf(hash: string): string {
  const kind = /^(?:\{[^}]{1,30}\}|\$[^$]{1,16}\$)/.exec(hash)?.[0];
  if (kind !== undefined) return kind;
  return looksLikeHash(hash)
    ? "unknown"
    : "no known hash; is it the password itself? Write {PLAIN} before it";
}

/** A name for the account of a new user: the given one, the localpart, or the localpart with the domain. */
function newName(
  user: NewUser,
  taken: ReadonlySet<string>,
  problem: (message: string) => void,
): string | undefined {
  const lower = new Set([...taken].map((n) => n.toLowerCase()));
  if (user.account !== "") {
    if (!isSafeName(user.account)) problem(`${JSON.stringify(user.account)} can't name an account`);
    else if (lower.has(user.account.toLowerCase())) {
      problem(`account ${user.account} is there already, without the address ${user.address}`);
    } else return user.account;
    return undefined;
  }
  const at = user.address.lastIndexOf("@");
  const localpart = user.address.slice(0, at).toLowerCase().replace(/[^a-z0-9._-]/g, "-");
  const domain = user.address.slice(at + 1).toLowerCase();
  for (const name of [localpart, `${localpart}.${domain}`]) {
    if (isSafeName(name) && !lower.has(name)) return name;
  }
  problem(`no account name for ${user.address} is free: give one`);
  return undefined;
}
