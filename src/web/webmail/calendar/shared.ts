/** Calendars that other accounts share with the user. @module */
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { Collection, ObjectRow } from "../../../store/groupware/types.ts";
import { missing } from "../errors.ts";
import { eachOwner, type OwnerServices, withSharing } from "../owners.ts";
import { calendarsOf } from "./reading.ts";

/** The calendars of an account that a user may read. */
export const sharedCalendars = (g: Groupware, user: string): Collection[] =>
  calendarsOf(g).filter((c) => g.rightsOf(c.id, user) !== undefined);

/** Works with each account that shares calendars with a user. */
export async function eachCalendarOwner(
  services: OwnerServices,
  user: string,
  fn: (owner: string, groupware: Groupware, calendars: Collection[]) => Promise<void>,
): Promise<void> {
  await eachOwner(services, user, async (owner, groupware) => {
    const calendars = sharedCalendars(groupware, user);
    if (calendars.length > 0) await fn(owner, groupware, calendars);
  });
}

/** Works with an event of a shared calendar. @throws HttpError if it isn't there for the user */
export async function sharedEvent<T>(
  services: OwnerServices,
  user: string,
  where: { owner: string; calendarId: number; name: string },
  fn: (groupware: Groupware, row: ObjectRow) => Promise<T>,
): Promise<T> {
  return await withSharing(services, user, where.owner, "event", (groupware) => {
    const c = sharedCalendars(groupware, user).find((x) => x.id === where.calendarId);
    const row = c && groupware.object(c.id, where.name);
    if (row === undefined || row.component !== "VEVENT") throw missing("event");
    return fn(groupware, row);
  });
}
