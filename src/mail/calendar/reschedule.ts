/**
 * What an organizer's change does to an event that others are invited to: its number goes up, and answers that
 * were for another time are taken back (RFC 5546 §2.1.4, RFC 6638 §3.2.5, §3.2.8). Programs may do so themselves;
 * many don't.
 *
 * @module
 */
import {
  changedProperty,
  type Component,
  newProperty,
  param,
  type Property,
  property,
  valueOf,
} from "../contentline/component.ts";
import { addressOf, attendeesOf, instanceKey, partsOf, sequenceOf } from "./itip.ts";
import { type Instance, Series } from "./series.ts";

/** Dates of a series that are compared, from its beginning. A change of later ones alone takes back no answer. */
const maxCompared = 1000;

const recurrenceNames = ["RRULE", "RDATE", "EXDATE"];

/** The values of a component's properties that say which dates it has. */
const datesText = (c: Component) =>
  c.properties.filter((p) => recurrenceNames.includes(p.name)).map((p) =>
    `${p.name};${param(p, "TZID") ?? ""}:${p.value}`
  ).sort().join("\n");

/** The values of a component's properties that say when it is. */
const timeText = (c: Component) =>
  ["DTSTART", "DTEND", "DUE", "DURATION"].map((name) => {
    const p = property(c, name);
    return p && `${name};${param(p, "TZID") ?? ""}:${p.value.trim()}`;
  }).join("\n");

/** A master without the dates that differ from it. */
function alone(series: Series): Series {
  const kept = series.calendar.components.filter((c) =>
    c.name === "VTIMEZONE" || c === series.master
  );
  return new Series({ ...series.calendar, components: kept });
}

const spanOf = (i: Instance | undefined) => i && `${i.start} ${i.end} ${i.allDay}`;

/** The dates of a master, up to a time. */
const datesOf = (series: Series, to: number) => alone(series).instances(-Infinity, to, maxCompared);

/** Whether a series has dates that it didn't have: dates that are left out ask nobody anything. */
function hasNewDates(was: Series, now: Series): boolean {
  const dates = datesOf(now, Infinity);
  const last = dates.at(-1)?.start ?? Infinity;
  const before = datesOf(was, last);
  const known = new Set(before.map(spanOf));
  const end = before.length < maxCompared ? last : before.at(-1)!.start ?? last;
  return dates.some((i) => (i.start ?? 0) <= end && !known.has(spanOf(i)));
}

/** The time of a component itself. */
function ownTime(series: Series, component: Component): string | undefined {
  if (component === series.master) return spanOf(datesOf(series, Infinity)[0]);
  // Rules mean nothing in a date of a series, and may be anything.
  const notItsTime = [...recurrenceNames, "RECURRENCE-ID"];
  const properties = component.properties.filter((p) => !notItsTime.includes(p.name));
  const single = { ...component, properties };
  const zones = series.calendar.components.filter((c) => c.name === "VTIMEZONE");
  const [i] = new Series({ ...series.calendar, components: [...zones, single] })
    .instances(-Infinity, Infinity, 1);
  return spanOf(i);
}

/** When a date was that is written as one of its own now. */
function usualTime(was: Series, component: Component): string | undefined {
  const key = Number(instanceKey(was, component).replace(/^D/, ""));
  if (was.master === undefined || !Number.isFinite(key)) return undefined;
  return spanOf(alone(was).instances(key, key).find((i) => i.start === key));
}

/** Whether a component's times have moved, so that what people answered is about another time. */
function isMoved(was: Series, before: Component | undefined, now: Series, c: Component): boolean {
  if (before === undefined) {
    const usual = usualTime(was, c);
    return usual !== undefined && usual !== ownTime(now, c);
  }
  if (timeText(before) !== timeText(c) && ownTime(was, before) !== ownTime(now, c)) return true;
  return c === now.master && was.master !== undefined && datesText(before) !== datesText(c) &&
    hasNewDates(was, now);
}

/** Whether a change is one that the number counts (RFC 5546 §2.1.4). */
function counts(before: Component, c: Component): boolean {
  return datesText(before) !== datesText(c) ||
    valueOf(before, "STATUS")?.trim().toUpperCase() !== valueOf(c, "STATUS")?.trim().toUpperCase();
}

/** Whether somebody is not invited to a component any more. */
function hasLost(before: Component, c: Component): boolean {
  const left = new Set(attendeesOf({ name: "", properties: [], components: [c] }).keys());
  return attendeesOf({ name: "", properties: [], components: [before] }).keys()
    .some((address) => !left.has(address));
}

function numbered(c: Component, least: number): Component {
  if (sequenceOf(c) >= least) return c;
  const p = newProperty("SEQUENCE", String(least));
  const there = c.properties.some((x) => x.name === "SEQUENCE");
  return {
    ...c,
    properties: there
      ? c.properties.map((x) => x.name === "SEQUENCE" ? p : x)
      : [...c.properties, p],
  };
}

/** A component whose people, all but the organizer, are asked anew; the same one if nobody has answered. */
function askedAnew(c: Component, mine: (address: string) => boolean): Component {
  const hasAnswered = (p: Property) =>
    p.name === "ATTENDEE" && !mine(addressOf(p)) &&
    (param(p, "PARTSTAT") ?? "NEEDS-ACTION").toUpperCase() !== "NEEDS-ACTION";
  if (!c.properties.some(hasAnswered)) return c;
  return {
    ...c,
    properties: c.properties.map((p) =>
      hasAnswered(p) ? changedProperty(p, p.value, { PARTSTAT: "NEEDS-ACTION", RSVP: "TRUE" }) : p
    ),
  };
}

/**
 * An organizer's event after a change, as it is stored and sent.
 * @param mine the organizer's own addresses
 * @returns the same calendar if nothing has to differ from what the program wrote
 */
export function asChanged(was: Series, now: Series, mine: (address: string) => boolean): Component {
  const old = new Map(partsOf(was.calendar).map((c) => [instanceKey(was, c), c]));
  const made = new Map<Component, Component>();
  for (const c of partsOf(now.calendar)) {
    const before = old.get(instanceKey(now, c));
    const moved = isMoved(was, before, now, c);
    const base = before ?? was.master;
    const raised = moved || before !== undefined && (counts(before, c) || hasLost(before, c));
    // The number never goes back: what a program has kept from before would be older than what others have.
    const least = raised && base !== undefined
      ? sequenceOf(base) + 1
      : before
      ? sequenceOf(before)
      : 0;
    let result = numbered(c, least);
    if (moved) result = askedAnew(result, mine);
    if (result !== c) made.set(c, result);
  }
  if (made.size === 0) return now.calendar;
  return { ...now.calendar, components: now.calendar.components.map((c) => made.get(c) ?? c) };
}

/**
 * The copy of somebody invited, after a change of theirs: it keeps the number and time of the organizer's last
 * message, by which the next one is known to be later. Programs raise them with any change, as if it were their
 * event. What has other times comes from the organizer: a program has read the message itself.
 * @returns the same calendar if nothing has to differ from what the program wrote
 */
export function asInvitation(was: Series, now: Series): Component {
  const old = new Map(partsOf(was.calendar).map((c) => [instanceKey(was, c), c]));
  const kept = ["SEQUENCE", "DTSTAMP"];
  let changed = false;
  const components = now.calendar.components.map((c) => {
    if (c.name === "VTIMEZONE") return c;
    // A date that the program has made one of its own has those of the series.
    const before = old.get(instanceKey(now, c)) ?? was.master;
    if (before === undefined) return c;
    const moved = before !== was.master || c === now.master
      ? timeText(before) !== timeText(c) || datesText(before) !== datesText(c)
      : usualTime(was, c) !== ownTime(now, c);
    if (moved) return c;
    const values = (x: Component) => kept.map((name) => valueOf(x, name)?.trim() ?? "").join(" ");
    if (values(before) === values(c)) return c;
    changed = true;
    const own = before.properties.filter((p) => kept.includes(p.name));
    return { ...c, properties: [...own, ...c.properties.filter((p) => !kept.includes(p.name))] };
  });
  return changed ? { ...now.calendar, components } : now.calendar;
}
