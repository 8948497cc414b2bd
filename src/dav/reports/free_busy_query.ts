/** free-busy-query (RFC 4791 §7.10): when the events of a calendar are. @module */
import { calendarBusy } from "../../groupware/busy.ts";
import { wholeOf } from "../../groupware/guest_view.ts";
import { freeBusyComponent, joined, newCalendar } from "../../mail/calendar/freebusy.ts";
import { writeComponent } from "../../mail/contentline/component.ts";
import { davCondition, DavError } from "../core/errors.ts";
import { calendarZone } from "../core/timezone.ts";
import { addressesOf } from "../properties/people.ts";
import { timeRange } from "../query/calendar_filter.ts";
import { child } from "../xml/parse.ts";
import { CAL } from "../xml/write.ts";
import { calendarsOf } from "./calendar_query.ts";
import type { Report } from "./types.ts";

/** The longest span, in milliseconds. */
const longest = 20 * 366 * 86_400_000;

export const freeBusyQuery: Report = {
  name: `{${CAL}}free-busy-query`,
  async run(request) {
    const e = child(request.body, CAL, "time-range");
    if (e === undefined) throw new DavError(400, "there is no time-range");
    const range = timeRange(e, true);
    if (range.end - range.start > longest) throw new DavError(403, "the span is too long");
    if (
      request.r.kind !== "collection" && request.r.kind !== "home" || request.r.home !== "calendars"
    ) {
      throw new DavError(403, "calendars have times alone", davCondition("supported-report"));
    }
    const busy = [];
    const depth = request.r.kind === "home" ? "infinity" : "1";
    for await (const c of calendarsOf({ ...request, depth })) {
      if (c.collection.kind !== "calendar") continue;
      const mine = new Set(addressesOf(request.p.s, c.account).map((a) => a.toLowerCase()));
      const zone = calendarZone(c.g, c.collection.id);
      busy.push(
        ...await calendarBusy(
          wholeOf(c.g),
          c.collection.id,
          range,
          zone,
          (a) => mine.has(a.toLowerCase()),
        ),
      );
    }
    const component = freeBusyComponent(range, joined(busy), Date.now());
    return new Response(writeComponent(newCalendar([component])), {
      headers: { "Content-Type": "text/calendar; charset=utf-8" },
    });
  },
};
