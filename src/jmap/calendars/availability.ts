/** When somebody is busy (jmap-calendars §2.2), with the events that the user may read. @module */
import { busyCalendars } from "../../groupware/busy.ts";
import { storedSeriesInTurns } from "../../groupware/objects.ts";
import type { TimeRange } from "../../mail/calendar/filter.ts";
import { type Busy, busyTimes } from "../../mail/calendar/freebusy.ts";
import { privacyIn } from "../../mail/calendar/privacy.ts";
import { timesOf } from "../../mail/jscalendar/from_ical.ts";
import { dateId } from "./event_query.ts";
import { eventObject, instanceId } from "./events.ts";
import { accountIdOf, accountNames } from "../core/access.ts";
import type { MethodContext } from "../core/method.ts";
import { utcDateOf } from "../core/types.ts";
import { groupwareView, idOf, rightsIn } from "../groupware/collections.ts";

type Json = Record<string, unknown>;

/** Most events that are told with their details; of more only the times are told. */
const maxDetails = 1000;

const kinds = {
  "BUSY": "confirmed",
  "BUSY-TENTATIVE": "tentative",
  "BUSY-UNAVAILABLE": "unavailable",
} as const;

const period = (b: Busy, event: Json | null, accountId: string | null): Json => ({
  utcStart: utcDateOf(b.start),
  utcEnd: utcDateOf(b.end),
  busyStatus: kinds[b.kind],
  event,
  accountId,
});

/** The events that the user may read, and the rows that these stand for. */
async function withDetails(
  ctx: MethodContext,
  of: string,
  range: TimeRange,
  properties: ReadonlySet<string> | undefined,
): Promise<{ list: Json[]; rows: Set<number> }> {
  const [list, rows] = [[] as Json[], new Set<number>()];
  if (!accountNames(ctx.s, ctx.user).includes(of)) return { list, rows };
  const accountId = accountIdOf(of);
  const view = await groupwareView(await ctx.access(accountId), "calendars");
  const mine = (address: string) => ctx.s.config.accountFor(address) === of;
  for (const { collection, attendingOnly } of busyCalendars(view.g)) {
    if (rightsIn(view, collection) === undefined) continue;
    for (const row of view.g.objectsBetween(collection.id, range.start, range.end)) {
      if (row.component !== "VEVENT" || row.reduced === true || list.length >= maxDetails) continue;
      const series = await storedSeriesInTurns(view.g, row).catch(() => undefined);
      if (series === undefined || privacyIn(series.calendar.components) !== "public") continue;
      rows.add(row.id);
      const base = idOf("calendars", "object", row.id);
      for (const b of busyTimes(series, range, mine, attendingOnly)) {
        const main = series.master;
        const recurrenceId = row.recurring && main !== undefined && b.instance !== undefined
          ? dateId(series, b.instance, timesOf(series, main).zone)
          : undefined;
        const found = { row, collection, recurrenceId };
        const event = await eventObject(ctx.s, view, found, { properties });
        if (event === undefined) continue;
        const id = recurrenceId === undefined ? base : instanceId(base, recurrenceId);
        const asked = properties === undefined || properties.has("id");
        const { id: _id, ...rest } = event;
        list.push(period(b, asked ? { id, ...rest } : rest, accountId));
      }
    }
  }
  return { list, rows };
}

/** The periods of a principal, in order. */
export async function availability(
  ctx: MethodContext,
  of: string,
  range: TimeRange,
  o: { showDetails: boolean; eventProperties?: readonly string[] | null },
): Promise<Json[]> {
  const properties = o.eventProperties ? new Set(o.eventProperties) : undefined;
  const { list, rows } = o.showDetails
    ? await withDetails(ctx, of, range, properties)
    : { list: [], rows: new Set<number>() };
  const others = await ctx.s.scheduler.times(
    of,
    range,
    (row, series) => rows.has(row.id) || privacyIn(series.calendar.components) === "confidential",
  );
  return [...list, ...others.map((b) => period(b, null, null))].sort((a, b) =>
    String(a.utcStart) < String(b.utcStart) ? -1 : String(a.utcStart) > String(b.utcStart) ? 1 : 0
  );
}
