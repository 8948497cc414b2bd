/** The mail of many accounts from the spool of Cyrus on this machine. @module */
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
 * The mailboxes in a spool of accounts that are here, and the users that nobody here is.
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
  const accounts = new Set(accountsNamed(config, names));
  const byLocalpart = new Map<string, Set<string>>();
  for (const account of accounts) {
    for (const address of config.accountAddresses(account)) {
      const local = address.slice(0, address.lastIndexOf("@"));
      if (local === "") continue;
      byLocalpart.set(local, (byLocalpart.get(local) ?? new Set()).add(account));
    }
  }
  const accountOf = (user: string, ofUser: string): string | undefined => {
    if (user.includes("@")) return config.accountFor(user);
    const its = ofUser || domain;
    if (its !== "") return config.accountFor(`${user}@${its}`);
    const found = byLocalpart.get(user);
    return found?.size === 1 ? [...found][0] : undefined;
  };
  const users = new Map<string, CyrusMailbox[]>();
  const unknown = new Set<string>();
  try {
    for await (const m of cyrusMailboxes(spool, signal)) {
      const account = accountOf(m.user, m.domain);
      if (account === undefined) unknown.add(m.domain === "" ? m.user : `${m.user}@${m.domain}`);
      else if (accounts.has(account)) users.set(account, [...users.get(account) ?? [], m]);
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

/** Brings what is new in the spool. */
export async function moveCyrus(
  o: MoveOptions,
  users: readonly CyrusUser[],
): Promise<MovedMail[]> {
  return await moveSources(o, users, ({ mailboxes }) => Promise.resolve(cyrusSource(mailboxes)));
}
