/** Calendars that other accounts share with the user. @module */
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { Collection, ObjectRow } from "../../../store/groupware/types.ts";
import { missing } from "../errors.ts";
import type { WebmailServices } from "../services.ts";
import { calendarsOf } from "./reading.ts";

type Services = Pick<WebmailServices, "accounts" | "config" | "owners">;

/** Accounts whose calendars are looked at. */
const maxOwners = 50;

/** The calendars of an account that a user may read. */
export const sharedCalendars = (g: Groupware, user: string): Collection[] =>
  calendarsOf(g).filter((c) => g.rightsOf(c.id, user) !== undefined);

/** Works with the groupware of somebody who shares; undefined if there is no such account here. */
async function withOwner<T>(
  services: Services,
  owner: string,
  fn: (groupware: Groupware) => Promise<T>,
): Promise<T | undefined> {
  if (!services.config.isHere(owner)) return undefined;
  const account = await services.accounts.open(owner);
  try {
    return await fn(await account.groupware());
  } finally {
    account.close();
  }
}

/** Works with each account that shares calendars with a user. */
export async function eachOwner(
  services: Services,
  user: string,
  fn: (owner: string, groupware: Groupware, calendars: Collection[]) => Promise<void>,
): Promise<void> {
  for (const owner of (services.owners?.(user) ?? []).slice(0, maxOwners)) {
    await withOwner(services, owner, async (groupware) => {
      const calendars = sharedCalendars(groupware, user);
      if (calendars.length > 0) await fn(owner, groupware, calendars);
    });
  }
}

/** Works with the account that shares something with a user. @throws HttpError if it shares nothing */
export async function sharingAccount<T>(
  services: Services,
  user: string,
  owner: string,
  fn: (groupware: Groupware) => Promise<T>,
): Promise<T> {
  if (!(services.owners?.(user) ?? []).includes(owner)) throw missing("event");
  const found = await withOwner(services, owner, async (g) => ({ value: await fn(g) }));
  if (found === undefined) throw missing("event");
  return found.value;
}

/** Works with an event of a shared calendar. @throws HttpError if it isn't there for the user */
export async function sharedEvent<T>(
  services: Services,
  user: string,
  where: { owner: string; calendarId: number; name: string },
  fn: (groupware: Groupware, row: ObjectRow) => Promise<T>,
): Promise<T> {
  return await sharingAccount(services, user, where.owner, (groupware) => {
    const c = sharedCalendars(groupware, user).find((x) => x.id === where.calendarId);
    const row = c && groupware.object(c.id, where.name);
    if (row === undefined || row.component !== "VEVENT") throw missing("event");
    return fn(groupware, row);
  });
}
