/** Busy times from calendars. @module */
import { type Busy, busyTimes } from "../mail/calendar/freebusy.ts";
import type { TimeRange } from "../mail/calendar/filter.ts";
import type { Series } from "../mail/calendar/series.ts";
import type { Zone } from "../mail/calendar/zones.ts";
import { giveWay } from "../platform/turns.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Collection, ObjectRow } from "../store/groupware/types.ts";
import { collectionSettings, lookProperties } from "./collection_looks.ts";
import { storedSeriesInTurns } from "./objects.ts";

/** Most periods collected from one calendar. */
const most = 50_000;

/**
 * Busy times of a calendar in a span, not merged. `me` says whether an address is the owner's; `attendingOnly`
 * leaves out events that the owner doesn't attend; `skips` leaves out objects.
 */
export async function calendarBusy(
  groupware: Groupware,
  collectionId: number,
  range: TimeRange,
  zone: Zone | undefined,
  me: (address: string) => boolean,
  attendingOnly = false,
  skips: (row: ObjectRow, series: Series) => boolean = () => false,
): Promise<Busy[]> {
  const found: Busy[] = [];
  for (const row of groupware.objectsBetween(collectionId, range.start, range.end)) {
    await giveWay();
    if (row.component !== "VEVENT" && row.component !== "VFREEBUSY") continue;
    try {
      const series = await storedSeriesInTurns(groupware, row, zone);
      if (skips(row, series)) continue;
      for (const { start, end, kind } of busyTimes(series, range, me, attendingOnly)) {
        found.push({ start, end, kind });
      }
    } catch {
      // Unreadable events are ignored.
    }
    if (found.length > most) break;
  }
  return found;
}

/** The calendars whose events make their owner busy (RFC 6638 §9.1, jmap-calendars §2.2). */
export function busyCalendars(
  groupware: Groupware,
): { collection: Collection; attendingOnly: boolean }[] {
  return groupware.collections("calendars").flatMap((collection) => {
    if (collection.kind !== "calendar") return [];
    const kept = groupware.properties(collection.id);
    if (kept.get(lookProperties.transparency)?.includes("transparent")) return [];
    const { isSubscribed, includeInAvailability } = collectionSettings(kept);
    if (isSubscribed === false) return [];
    return [{ collection, attendingOnly: includeInAvailability === "attending" }];
  });
}

/** An account's busy times, from all calendars that count. */
export async function accountBusy(
  groupware: Groupware,
  range: TimeRange,
  mine: (address: string) => boolean,
  skips?: (row: ObjectRow, series: Series) => boolean,
): Promise<Busy[]> {
  const found: Busy[] = [];
  for (const { collection, attendingOnly } of busyCalendars(groupware)) {
    const { id } = collection;
    found.push(
      ...await calendarBusy(groupware, id, range, undefined, mine, attendingOnly, skips),
    );
  }
  return found;
}
