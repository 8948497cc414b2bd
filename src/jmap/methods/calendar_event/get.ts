/** CalendarEvent/get (jmap-calendars §5.6). @module */
import * as v from "valibot";
import { namedZone, utcZone } from "../../../mail/calendar/zones.ts";
import { giveWay } from "../../../platform/turns.ts";
import { askedEventProperties, eventObject, eventOfId } from "../../calendars/events.ts";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { askedIds, checkCount, getEntries } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { dateMs, utcDate } from "../../core/types.ts";
import {
  groupwareState,
  groupwareView,
  idOf,
  shownCollections,
} from "../../groupware/collections.ts";

const time = v.optional(v.nullable(utcDate));

export const calendarEventGet = defineMethod({
  name: "CalendarEvent/get",
  capability: Capability.Calendars,
  args: v.strictObject({
    ...getEntries,
    recurrenceOverridesBefore: time,
    recurrenceOverridesAfter: time,
    reduceParticipants: v.optional(v.nullable(v.boolean())),
    timeZone: v.optional(v.nullable(v.string())),
  }),
  async run(ctx, args) {
    const view = await groupwareView(await ctx.access(args.accountId), "calendars");
    const floating = args.timeZone ? namedZone(args.timeZone) : utcZone;
    if (floating === undefined) throw new MethodError("invalidArguments", "timeZone: is not known");
    const properties = askedEventProperties(args.properties);
    const utc = properties?.has("utcStart") || properties?.has("utcEnd");
    if (utc && properties?.has("recurrenceOverrides")) {
      throw new MethodError(
        "invalidArguments",
        "properties: recurrenceOverrides can't be read with times in UTC",
      );
    }
    let ids = askedIds(args.ids);
    if (ids === null) {
      const rows = shownCollections(view).flatMap((c) => view.g.objects(c.id))
        .filter((r) => r.component === "VEVENT");
      checkCount(rows.length);
      ids = rows.map((r) => idOf("calendars", "object", r.id));
    }
    const at = (s: string | null | undefined) => s ? dateMs(s) : undefined;
    const options = {
      properties,
      floating,
      overridesBefore: at(args.recurrenceOverridesBefore),
      overridesAfter: at(args.recurrenceOverridesAfter),
      reduceParticipants: args.reduceParticipants ?? false,
    };
    const state = groupwareState(view, "object");
    const list = [];
    const notFound = [];
    for (const id of ids) {
      await giveWay();
      const found = eventOfId(view, id);
      const event = found && await eventObject(ctx.s, view, found, options);
      if (event === undefined) notFound.push(id);
      else list.push(event);
    }
    return { accountId: args.accountId, state, list, notFound };
  },
});
