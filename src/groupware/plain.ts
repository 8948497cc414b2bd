/** Calendars without scheduling: what is written is stored, and nobody is told. @module */
import type { Scheduler } from "./scheduling.ts";
import type { Groupware } from "../store/groupware/groupware.ts";

/** Where invitations go: the calendar that was made first. */
export function defaultCalendar(g: Groupware) {
  return g.collections("calendars").find((c) => c.kind === "calendar" && c.name === "default") ??
    g.collections("calendars").find((c) => c.kind === "calendar");
}

export const plainScheduler: Scheduler = {
  defaultCalendar,
  write: (w) => Promise.resolve({ ...w.after, scheduleTag: "", changed: false }),
  remove: () => Promise.resolve(),
  busy: (_a, _r, recipients) =>
    Promise.resolve(
      recipients.map((recipient) => ({
        recipient,
        status: "3.7;Invalid calendar user",
        calendar: undefined,
      })),
    ),
};
