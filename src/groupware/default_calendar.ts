/** Where invitations go. @module */
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Collection } from "../store/groupware/types.ts";

/** The calendar that is named "default", or the one that was made first. */
export function defaultCalendar(g: Groupware): Collection | undefined {
  const all = g.collections("calendars").filter((c) => c.kind === "calendar");
  return all.find((c) => c.name === "default") ?? all[0];
}
