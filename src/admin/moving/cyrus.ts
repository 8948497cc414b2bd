/** The mail of many accounts from a Cyrus spool on this machine. @module */
import type { Config } from "../../config/mod.ts";
import { type CyrusMailbox, cyrusMailboxes, cyrusSource } from "../../store/import/cyrus/spool.ts";
import { AdminError } from "../errors.ts";
import { accountsNamed, type MovedMail, type MoveOptions, moveSources } from "./mail.ts";

/** Mailboxes of an account in the spool. */
export interface CyrusUser {
  account: string;
  mailboxes: CyrusMailbox[];
}

/**
 * Finds the account of a Cyrus user, among the named ones or all.
 * @param domain of users without one; "" uses the only account whose localpart is the name
 * @throws AdminError
 */
export function cyrusAccounts(
  config: Config,
  domain: string,
  names: readonly string[],
): (user: { user: string; domain: string }) => string | undefined {
  const accounts = new Set(accountsNamed(config, names));
  const byLocalpart = new Map<string, Set<string>>();
  for (const account of accounts) {
    for (const address of config.accountAddresses(account)) {
      const local = address.slice(0, address.lastIndexOf("@"));
      if (local === "") continue;
      byLocalpart.set(local, (byLocalpart.get(local) ?? new Set()).add(account));
    }
  }
  return (u) => {
    const its = u.user.includes("@") ? "" : u.domain || domain;
    const at = its === "" ? u.user : `${u.user}@${its}`;
    if (at.includes("@")) {
      const account = config.accountFor(at);
      return account !== undefined && accounts.has(account) ? account : undefined;
    }
    const found = byLocalpart.get(u.user);
    return found?.size === 1 ? [...found][0] : undefined;
  };
}

/**
 * The mailboxes in a spool of accounts that are here, or are named, and the users of the others.
 * @param domain of users who have none in the spool; "" takes the one account whose address begins with the name
 * @param names of accounts; all if none is named
 * @throws AdminError
 */
export async function cyrusUsers(
  config: Config,
  spool: string,
  domain: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<{ users: CyrusUser[]; unknown: string[] }> {
  const accountOf = cyrusAccounts(config, domain, names);
  const users = new Map<string, CyrusMailbox[]>();
  const unknown = new Set<string>();
  try {
    for await (const m of cyrusMailboxes(spool, signal)) {
      const account = accountOf(m);
      if (account !== undefined) users.set(account, [...users.get(account) ?? [], m]);
      else unknown.add(m.domain === "" ? m.user : `${m.user}@${m.domain}`);
    }
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound) && !(err instanceof Deno.errors.PermissionDenied)) {
      throw err;
    }
    throw new AdminError(`${spool}: ${err.message}`);
  }
  return {
    users: [...users].map(([account, mailboxes]) => ({ account, mailboxes })),
    unknown: [...unknown].sort(),
  };
}

/** Imports new messages from the spool. */
export async function moveCyrus(
  options: MoveOptions,
  users: readonly CyrusUser[],
): Promise<MovedMail[]> {
  return await moveSources(
    options,
    users,
    ({ mailboxes }) => Promise.resolve(cyrusSource(mailboxes)),
  );
}
