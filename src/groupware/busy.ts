/** Busy times from calendars. @module */
import { type Busy, busyTimes } from "../mail/calendar/freebusy.ts";
import { attendeesOf } from "../mail/calendar/itip.ts";
import type { TimeRange } from "../mail/calendar/filter.ts";
import type { Zone } from "../mail/calendar/zones.ts";
import { giveWay } from "../platform/turns.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import { storedSeriesInTurns } from "./objects.ts";

/** Most periods collected from one calendar. */
const most = 50_000;

/**
 * Busy times of a calendar in a span, not merged. `me` says whether an address is the owner's; `attendingOnly`
 * leaves out events to which the owner is not invited.
 */
export async function calendarBusy(
  groupware: Groupware,
  collectionId: number,
  range: TimeRange,
  zone: Zone | undefined,
  me: (address: string) => boolean,
  attendingOnly = false,
): Promise<Busy[]> {
  const found: Busy[] = [];
  for (const row of groupware.objectsBetween(collectionId, range.start, range.end)) {
    await giveWay();
    if (row.component !== "VEVENT" && row.component !== "VFREEBUSY") continue;
    try {
      const series = await storedSeriesInTurns(groupware, row, zone);
      if (attendingOnly && ![...attendeesOf(series.calendar).keys()].some(me)) continue;
      found.push(...busyTimes(series, range, me));
    } catch {
      // Unreadable events are ignored.
    }
    if (found.length > most) break;
  }
  return found;
}
