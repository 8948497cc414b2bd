/** Dates that somebody who is invited takes out of a series: they decline these (RFC 6638 §3.2.2.3). @module */
import { type Component, param, property } from "../contentline/component.ts";
import { dateNumber, readDate } from "./event_dates.ts";
import { FormError } from "./event_change.ts";
import { addressOf, withAnswer } from "./itip.ts";
import type { Series } from "./series.ts";
import { timeOf } from "./time.ts";
import { utcZone } from "./zones.ts";

/** Dates of one change that are told of; further ones are taken out, and the organizer isn't told. */
const maxDeclined = 500;

/** The dates of EXDATE, as numbers that say which date it is. */
function takenOut(series: Series): Set<number> {
  const found = new Set<number>();
  for (const p of series.master?.properties ?? []) {
    if (p.name !== "EXDATE") continue;
    for (const v of p.value.split(",")) found.add(dateNumber(series, timeOf(p, v.trim())));
  }
  return found;
}

/** What the answers to such dates are: a component of each, with PARTSTAT=DECLINED; without those declined before. */
export function declinedDates(was: Series, now: Series, address: string): Component[] {
  const before = takenOut(was);
  const found: Component[] = [];
  for (const date of takenOut(now)) {
    if (before.has(date) || found.length >= maxDeclined) continue;
    let component: Component;
    try {
      ({ component } = readDate(was, date, utcZone, () => false));
    } catch (err) {
      // None of the series.
      if (err instanceof FormError) continue;
      throw err;
    }
    const me = component.properties.find((p) => p.name === "ATTENDEE" && addressOf(p) === address);
    if (me === undefined || param(me, "PARTSTAT")?.toUpperCase() === "DECLINED") continue;
    if (property(component, "STATUS")?.value.trim().toUpperCase() === "CANCELLED") continue;
    found.push(
      ...withAnswer({ ...was.calendar, components: [component] }, address, "DECLINED").components,
    );
  }
  return found;
}
