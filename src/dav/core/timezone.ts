/** The zone of times without one (RFC 4791 §5.2.2, §9.8). @module */
import { timezoneIdProperty, timezoneProperty, zoneOfText } from "../../groupware/objects.ts";
import { namedZone, type Zone } from "../../mail/calendar/zones.ts";
import { ObjectError } from "../../mail/calendar/object.ts";
import type { Groupware } from "../../store/groupware/groupware.ts";
import { child, textOf, type XmlElement } from "../xml/parse.ts";
import { innerText } from "../xml/stored.ts";
import { CAL } from "../xml/write.ts";
import { calCondition, DavError } from "./errors.ts";

/** The zone of a calendar; undefined for UTC. */
export function calendarZone(groupware: Groupware, collectionId: number): Zone | undefined {
  const kept = groupware.properties(collectionId);
  const id = kept.get(timezoneIdProperty);
  if (id !== undefined) return namedZone(innerText(id));
  const text = kept.get(timezoneProperty);
  if (text === undefined) return undefined;
  try {
    return zoneOfText(innerText(text));
  } catch {
    return undefined;
  }
}

/** The zone given in a query. @throws DavError */
export function queryZone(query: XmlElement): Zone | undefined {
  const id = child(query, CAL, "timezone-id");
  if (id !== undefined) {
    const zone = namedZone(textOf(id).trim());
    if (zone === undefined) {
      throw new DavError(403, "no zone has this name", calCondition("valid-timezone"));
    }
    return zone;
  }
  const text = child(query, CAL, "timezone");
  if (text === undefined) return undefined;
  let zone: Zone | undefined;
  try {
    zone = zoneOfText(textOf(text));
  } catch (err) {
    if (!(err instanceof ObjectError)) throw err;
  }
  if (zone !== undefined) return zone;
  throw new DavError(
    403,
    "the timezone is no VCALENDAR with a VTIMEZONE",
    calCondition("valid-calendar-data"),
  );
}
