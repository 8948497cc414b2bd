/** Accounts that share calendars and address books with a user. @module */
import { guestView } from "../../groupware/guest_view.ts";
import type { Groupware } from "../../store/groupware/groupware.ts";
import { missing } from "./errors.ts";
import type { WebmailServices } from "./services.ts";

export type OwnerServices = Pick<WebmailServices, "accounts" | "config" | "owners">;

/** Accounts whose calendars and address books are looked at. */
const maxOwners = 50;

/** Works with the groupware of somebody who shares; undefined if there is no such account here. */
export async function withOwner<T>(
  services: OwnerServices,
  owner: string,
  fn: (groupware: Groupware) => Promise<T>,
): Promise<T | undefined> {
  if (!services.config.isHere(owner)) return undefined;
  const account = await services.accounts.open(owner);
  try {
    return await fn(await guestView(await account.groupware()));
  } finally {
    account.close();
  }
}

/** The accounts that may share something with a user, of those that are looked at and are here. */
export const ownersHere = (services: OwnerServices, user: string): string[] =>
  (services.owners?.(user) ?? []).slice(0, maxOwners).filter((o) => services.config.isHere(o));

/** Works with each account that may share something with a user, one after the other. */
export async function eachOwner(
  services: OwnerServices,
  user: string,
  fn: (owner: string, groupware: Groupware) => Promise<void>,
): Promise<void> {
  for (const owner of ownersHere(services, user)) {
    await withOwner(services, owner, (groupware) => fn(owner, groupware));
  }
}

/**
 * Works with the account that shares something with a user.
 * @param what is missing if it shares nothing
 * @throws HttpError 404
 */
export async function withSharing<T>(
  services: OwnerServices,
  user: string,
  owner: string,
  what: string,
  fn: (groupware: Groupware) => Promise<T>,
): Promise<T> {
  if (!(services.owners?.(user) ?? []).includes(owner)) throw missing(what);
  const found = await withOwner(services, owner, async (g) => ({ value: await fn(g) }));
  if (found === undefined) throw missing(what);
  return found.value;
}
