/** CalendarEvent/parse (jmap-calendars §5.12): events in a file, such as an invitation in a message. @module */
import * as v from "valibot";
import { maxObjectSize } from "../../../groupware/objects.ts";
import { Series } from "../../../mail/calendar/series.ts";
import {
  type Component,
  decodeText,
  parseFile,
  valueOf,
} from "../../../mail/contentline/component.ts";
import { eventFromSeries } from "../../../mail/jscalendar/from_ical.ts";
import { withBothNames } from "../../../mail/jscalendar/versions.ts";
import { giveWay } from "../../../platform/turns.ts";
import { askedEventProperties } from "../../calendars/events.ts";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { pick } from "../../core/get.ts";
import { maxObjectsInGet } from "../../core/limits.ts";
import { defineMethod } from "../../core/method.ts";
import { id } from "../../core/types.ts";
import { openBlob } from "../../mail/blob.ts";

/** Most events returned for one file. */
const maxEvents = 5000;

/** What an event in a file doesn't have: null if it is asked for. */
const metadata = ["id", "baseEventId", "calendarIds", "isDraft", "isOrigin"];

/** The events of a text by UID; undefined if it is not a calendar. */
async function eventsIn(text: string): Promise<Record<string, unknown>[] | undefined> {
  try {
    const found: Record<string, unknown>[] = [];
    for (const root of await parseFile(text)) {
      if (root.name !== "VCALENDAR") return undefined;
      const zones = root.components.filter((c) => c.name === "VTIMEZONE");
      const byUid = new Map<string, Component[]>();
      for (const c of root.components) {
        if (c.name !== "VEVENT") continue;
        const uid = valueOf(c, "UID")?.trim() ?? "";
        byUid.set(uid, [...byUid.get(uid) ?? [], c]);
      }
      for (const parts of byUid.values()) {
        await giveWay();
        const event = eventFromSeries(new Series({ ...root, components: [...zones, ...parts] }));
        if (event !== undefined) found.push(withBothNames(event));
        if (found.length >= maxEvents) return found;
      }
    }
    return found.length === 0 ? undefined : found;
  } catch {
    return undefined;
  }
}

export const calendarEventParse = defineMethod({
  name: "CalendarEvent/parse",
  capability: Capability.CalendarsParse,
  args: v.strictObject({
    accountId: id,
    blobIds: v.array(v.string()),
    properties: v.optional(v.nullable(v.array(v.string()))),
  }),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId);
    const properties = askedEventProperties(args.properties);
    if (args.blobIds.length > maxObjectsInGet) {
      throw new MethodError("requestTooLarge", `more than ${maxObjectsInGet} blobs`);
    }
    const missing = Object.fromEntries(
      metadata.filter((k) => args.properties?.includes(k)).map((k) => [k, null]),
    );
    const parsed: Record<string, unknown> = {};
    const notParsable: string[] = [];
    const notFound: string[] = [];
    for (const blobId of new Set(args.blobIds)) {
      const blob = await openBlob(ctx.s, access, blobId);
      if (blob === undefined) {
        notFound.push(blobId);
        continue;
      }
      try {
        let text: string | undefined;
        if (blob.size <= maxObjectSize) {
          try {
            text = decodeText(blob.read(0, blob.size));
          } catch {
            text = undefined;
          }
        }
        const events = text === undefined ? undefined : await eventsIn(text);
        if (events === undefined) notParsable.push(blobId);
        else if (properties === undefined) parsed[blobId] = events;
        else parsed[blobId] = events.map((e) => ({ ...missing, ...pick(e, properties) }));
      } finally {
        blob.close();
      }
    }
    return {
      accountId: args.accountId,
      parsed: Object.keys(parsed).length === 0 ? null : parsed,
      notParsable: notParsable.length === 0 ? null : notParsable,
      notFound: notFound.length === 0 ? null : notFound,
    };
  },
});
