/** Accounts and their addresses: adding, removing with all mail, disabling logins. @module */
import { join } from "node:path";
import {
  account as accountType,
  type Config,
  destination as destinationType,
  type Dynamic,
  newAccountJunkSettings,
} from "../config/mod.ts";
import { packAddress, parseAddress, parseDomain } from "../config/names.ts";
import type { Log } from "../log/mod.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { isSafeName } from "../platform/paths.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { readAddress } from "./addresses.ts";
import { AdminError, changing } from "./errors.ts";

/** An address as a key in domains.conf; "@domain" for a catch-all. */
export function addressKeyOf(text: string): { key: string; domain: string } {
  return readAddress(text, () => {
    if (text.startsWith("@")) {
      const { unicode } = parseDomain(text.slice(1));
      return { key: `@${unicode}`, domain: unicode };
    }
    const a = parseAddress(text);
    return { key: packAddress(a), domain: a.domain.unicode };
  });
}

/** The settings of a new account with one address. */
export function newAccountConfig(address: string): ReturnType<typeof accountType.zero> {
  const { key, domain } = addressKeyOf(address);
  return {
    ...accountType.zero(),
    ...newAccountJunkSettings(),
    Domain: domain,
    Destinations: new Map([[key, destinationType.zero()]]),
    RejectsMailbox: "Rejects",
    // Users get a generated password, which can't have leaked elsewhere; the administrator may
    // still set any.
    NoCustomPassword: true,
  };
}

/** Marker file in the folder of a removed account, until the folder is deleted. */
const removedMark = "removed";

const markOf = (accounts: Accounts, name: string) => join(accounts.dir, name, removedMark);

async function isMarked(accounts: Accounts, name: string): Promise<boolean> {
  return await Deno.stat(markOf(accounts, name)).then(() => true, () => false);
}

/**
 * Adds an account. The password is set separately; until then nobody can log in.
 * @throws AdminError
 */
export async function addAccount(
  config: Config,
  accounts: Accounts,
  name: string,
  address: string,
): Promise<void> {
  if (!isSafeName(name)) throw new AdminError(`${JSON.stringify(name)} can't name an account`);
  if (isSafeName(name) && await isMarked(accounts, name)) {
    throw new AdminError(`the mail of a former account ${name} is still being removed`);
  }
  checkFree(config, address);
  await changing(() =>
    config.writeDynamic((value) => {
      if (value.Accounts.has(name)) throw new AdminError(`account ${name} is there already`);
      value.Accounts.set(name, newAccountConfig(address));
    })
  );
}

/**
 * Removes an account from the configuration, and its folder with all mail: immediately, or if sessions
 * still have it open, when the last of them has ended ({@link finishRemovals}). Aliases and lists lose it as a member and
 * owner.
 * @returns whether the folder is already deleted
 * @throws AdminError if it doesn't exist, something (Postmaster, reports) refers to it, or an alias or list has nobody else
 */
export async function removeAccount(
  config: Config,
  accounts: Accounts,
  name: string,
): Promise<boolean> {
  await changing(() =>
    config.writeDynamic((value) => {
      const account = value.Accounts.get(name);
      if (!account) throw new AdminError(`no account ${name}`);
      const keys = [...account.Destinations.keys()];
      leave(value, (address) => keys.some((key) => sameKey(address, key)), name);
      value.Accounts.delete(name);
      for (const other of value.Accounts.values()) {
        other.SendAs = other.SendAs.filter((a) => a !== name);
        other.SendOnBehalf = other.SendOnBehalf.filter((a) => a !== name);
      }
      for (const domain of value.Domains.values()) {
        domain.Administrators = domain.Administrators.filter((a) => a !== name);
        if (domain.Relay) domain.Relay.Senders = domain.Relay.Senders.filter((a) => a !== name);
      }
    })
  );
  if (!accounts.names().includes(name)) return true;
  // If the process dies now, the next start finishes it.
  await writeFileAtomic(markOf(accounts, name), new Uint8Array());
  return await tryRemove(accounts, name);
}

async function tryRemove(accounts: Accounts, name: string): Promise<boolean> {
  try {
    await accounts.remove(name);
    return true;
  } catch (err) {
    if (err instanceof Error && /in use/.test(err.message)) return false;
    throw err;
  }
}

/**
 * Deletes the folders of accounts that were removed from the configuration and are marked for removal.
 * @returns names of those that sessions still have open
 */
export async function finishRemovals(
  config: Config,
  accounts: Accounts,
  log: Log,
): Promise<string[]> {
  const left: string[] = [];
  for (const name of accounts.names()) {
    if (config.account(name) || !await isMarked(accounts, name)) continue;
    try {
      if (await tryRemove(accounts, name)) log.info("mail of removed account deleted", { name });
      else left.push(name);
    } catch (err) {
      log.error("deleting the mail of a removed account", { name, err: err as Error });
    }
  }
  return left;
}

/**
 * Disables logins to an account; users see the text. Mail still arrives.
 * @param byDomain by an administrator of its domain only, who may enable it again
 * @throws AdminError
 */
export async function disableLogin(
  config: Config,
  name: string,
  text: string,
  byDomain = false,
): Promise<void> {
  if (text.trim() === "") throw new AdminError("a text is needed that tells users why");
  await setLoginDisabled(config, name, text, byDomain);
}

/** Enables logins again. @throws AdminError */
export async function enableLogin(config: Config, name: string): Promise<void> {
  await setLoginDisabled(config, name, "", false);
}

async function setLoginDisabled(
  config: Config,
  name: string,
  text: string,
  byDomain: boolean,
): Promise<void> {
  await changing(() =>
    config.writeDynamic((value) => {
      const account = value.Accounts.get(name);
      if (!account) throw new AdminError(`no account ${name}`);
      account.LoginDisabled = text;
      account.LoginDisabledByDomain = byDomain;
    })
  );
}

/** Adds an address to an account, or with "@domain" all other addresses of a domain. @throws AdminError */
export async function addAddress(config: Config, address: string, account: string): Promise<void> {
  const { key } = addressKeyOf(address);
  checkFree(config, address);
  await changing(() =>
    config.writeDynamic((value) => {
      const a = value.Accounts.get(account);
      if (!a) throw new AdminError(`no account ${account}`);
      if (a.Destinations.has(key)) throw new AdminError(`${key} is there already`);
      a.Destinations.set(key, destinationType.zero());
    })
  );
}

/**
 * Removes an address from its account, from the aliases that have it as a member, and the lists as an owner.
 * @throws AdminError if no account has it, or an alias or list has nobody else
 */
export async function removeAddress(config: Config, address: string): Promise<void> {
  const { key } = addressKeyOf(address);
  await changing(() =>
    config.writeDynamic((value) => {
      const owner = [...value.Accounts.values()].find((a) => a.Destinations.has(key));
      if (!owner) throw new AdminError(`no account has the address ${key}`);
      owner.Destinations.delete(key);
      owner.FromIDLoginAddresses = owner.FromIDLoginAddresses.filter((a) => !sameKey(a, key));
      leave(value, (member) => sameKey(member, key), address);
    })
  );
}

/** Takes addresses out of aliases and lists. @throws AdminError naming those that nobody would be left in */
function leave(value: Dynamic, gone: (address: string) => boolean, who: string): void {
  const aliases: string[] = [];
  const lists: string[] = [];
  for (const [domain, { Aliases, Lists }] of value.Domains) {
    for (const [localpart, alias] of Aliases) {
      const rest = alias.Addresses.filter((a) => !gone(a));
      if (rest.length === 0) aliases.push(`${localpart}@${domain}`);
      else alias.Addresses = rest;
    }
    for (const [localpart, list] of Lists) {
      const rest = list.Owners.filter((a) => !gone(a));
      if (rest.length === 0 && list.Owners.length > 0) lists.push(`${localpart}@${domain}`);
      else list.Owners = rest;
    }
  }
  const named = (what: string, names: readonly string[]) => {
    const some = names.slice(0, namedInErrors).join(", ");
    const more = names.length > namedInErrors ? ` and ${names.length - namedInErrors} more` : "";
    return names.length === 0 ? [] : [`${what} ${some}${more}`];
  };
  const left = [
    ...named("member of the alias", aliases),
    ...named("owner of the list", lists),
  ];
  if (left.length > 0) {
    throw new AdminError(
      `${who} is the only ${
        left.join(", and the only ")
      }: name somebody else there, or remove that first`,
    );
  }
}

/** Aliases and lists that an error names, of each kind. */
const namedInErrors = 10;

/** @throws AdminError if an address is that of an alias or list */
function checkFree(config: Config, address: string): void {
  const { key } = addressKeyOf(address);
  const at = key.lastIndexOf("@");
  if (at === 0) return;
  const found = config.lookupAddress(key.slice(0, at), key.slice(at + 1), {
    disabledDomains: true,
  });
  if (found.kind === "alias") throw new AdminError(`${key} is an alias already`);
  if (found.kind === "list") throw new AdminError(`${key} is an address of a mailing list already`);
}

function sameKey(address: string, key: string): boolean {
  try {
    return packAddress(parseAddress(address)) === key;
  } catch {
    return false;
  }
}
