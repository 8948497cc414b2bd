/**
 * Changing an event by a form. What the form doesn't have, and what it doesn't change, stays as it was written.
 *
 * @module
 */
import {
  changedProperty,
  type Component,
  escapeText,
  newProperty,
  param,
  type Property,
  property,
  valueOf,
} from "../contentline/component.ts";
import { type Form, inviteesOf, readForm, ruleOf, textOf, wallOf } from "./event_form.ts";
import { newCalendar } from "./freebusy.ts";
import { addressOf } from "./itip.ts";
import { Series } from "./series.ts";
import { type CalendarTime, day, formatTime, formatUtc, timeOf } from "./time.ts";
import { zoneComponent } from "./zone_component.ts";
import { toInstant, toWall, utcZone, type Zone } from "./zones.ts";

export interface ChangeOptions {
  /** Of the form's times. */
  zone: Zone;
  /** Milliseconds since the epoch. */
  now: number;
  mine: (address: string) => boolean;
  /** Who invites, where nobody did before. */
  me: { name: string; address: string };
}

/** What a form can't be; for its writer. */
export class FormError extends Error {
  override name = "FormError";
}

const dateNames = /^(?:EXDATE|RDATE|EXRULE)$/;

/** Checks the times of a form. @throws FormError */
function checkTimes(f: Form): { start: number; end: number } {
  const length = f.allDay ? 10 : 16;
  const [start, end] = [wallOf(f.start), wallOf(f.end)];
  if (start === undefined || f.start.length !== length) {
    throw new FormError(`the start is no ${f.allDay ? "date" : "time"}: ${f.start}`);
  }
  if (end === undefined || f.end.length !== length) {
    throw new FormError(`the end is no ${f.allDay ? "date" : "time"}: ${f.end}`);
  }
  if (end < start) throw new FormError("the event ends before it begins");
  if (end - start > 3660 * day) throw new FormError("the event takes more than ten years");
  const r = f.repeat;
  if ("until" in r && r.until !== null) {
    const until = wallOf(r.until);
    if (until === undefined) throw new FormError(`the last date is no date: ${r.until}`);
    if (until + day <= start) throw new FormError("the repetition ends before the event begins");
  }
  return { start, end };
}

/** Puts a property in place of those of its name, or takes them out. */
function withProperty(c: Component, name: string, p: Property | undefined): Component {
  const at = c.properties.findIndex((x) => x.name === name);
  const rest = c.properties.filter((x) => x.name !== name);
  if (p !== undefined) rest.splice(at < 0 ? rest.length : at, 0, p);
  return { ...c, properties: rest };
}

function withText(c: Component, name: string, text: string): Component {
  if (textOf(c, name) === text) return c;
  if (text === "") return withProperty(c, name, undefined);
  const old = property(c, name);
  const value = escapeText(text);
  // Another text is in no language that is known, and what it stood for elsewhere is another one.
  const p = old === undefined
    ? newProperty(name, value)
    : changedProperty(old, value, { LANGUAGE: undefined, ALTREP: undefined });
  return withProperty(c, name, p);
}

/** A time of the form as a property in a zone. */
function timeProperty(name: string, wall: number, allDay: boolean, zone: Zone): Property {
  if (allDay) {
    return newProperty(name, formatTime({ wall, date: true, zone: "" }), { VALUE: "DATE" });
  }
  return zone === utcZone
    ? newProperty(name, formatUtc(wall))
    : newProperty(name, formatTime({ wall, date: false, zone: zone.name }), { TZID: zone.name });
}

/** The zone that an event's times are written in after a change; its own where it has one that is known. */
function zoneFor(series: Series | undefined, old: CalendarTime | undefined, f: Form, zone: Zone) {
  if (series === undefined || old === undefined || old.date || f.allDay) {
    return { zone, name: zone.name };
  }
  const repeats = f.repeat.every !== "never";
  // What repeats has to know of summer time.
  if (old.zone === "" || old.zone === "UTC" && repeats) return { zone, name: zone.name };
  const own = series.zones.find(old.zone);
  return own === series.zones.floating ? { zone, name: zone.name } : { zone: own, name: old.zone };
}

/** Times and repetition of a component, by a form. */
function withTimes(
  c: Component,
  series: Series | undefined,
  before: Form | undefined,
  f: Form,
  o: ChangeOptions,
): Component {
  const old = property(c, "DTSTART") && timeOf(property(c, "DTSTART")!);
  const sameTimes = before !== undefined && before.allDay === f.allDay &&
    before.start === f.start && before.end === f.end;
  const sameRule = before !== undefined &&
    JSON.stringify(before.repeat) === JSON.stringify(f.repeat);
  if (sameTimes && sameRule) return c;
  const form = checkTimes(f);
  const { zone, name } = zoneFor(series, old, f, o.zone);
  const write = (key: string, wall: number) => {
    const there = f.allDay ? wall : toWall(zone, toInstant(o.zone, wall));
    const p = timeProperty(key, there, f.allDay, zone);
    return f.allDay || zone === utcZone ? p : changedProperty(p, p.value, { TZID: name });
  };
  let start = old;
  const moves = !sameTimes || old !== undefined && !old.date && old.zone === "UTC" &&
      name !== "UTC" && f.repeat.every !== "never";
  if (moves) {
    c = withProperty(c, "DTSTART", write("DTSTART", form.start));
    c = withProperty(c, "DTEND", write("DTEND", form.end + (f.allDay ? day : 0)));
    c = withProperty(c, "DURATION", undefined);
    start = timeOf(property(c, "DTSTART")!);
  }
  if (f.repeat.every === "other" && before?.repeat.every === "other") return c;
  if (f.repeat.every === "other") throw new FormError("this repetition can't be made here");
  if (!sameRule || moves) {
    const rule = ruleOf(f.repeat, start!, f.allDay ? utcZone : zone);
    c = withProperty(c, "RRULE", rule === undefined ? undefined : newProperty("RRULE", rule));
  }
  return c;
}

/** Whether times or repetition of a series change: dates that differed from it have no place then. */
function movesSeries(before: Form, f: Form): boolean {
  const of = (x: Form) => JSON.stringify([x.allDay, x.start, x.end, x.repeat]);
  return of(before) !== of(f);
}

/** People of a component, as the form has them. */
function withPeople(c: Component, f: Form, o: ChangeOptions): Component {
  const wanted = new Map(f.people.map((a) => [a.toLowerCase(), a]));
  for (const a of wanted.keys()) if (o.mine(a)) wanted.delete(a);
  for (const a of wanted.values()) {
    // What stands in a line of its own may not break out of it.
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    if (!/^[^@\s<>]+@[^@\s<>]+$/.test(a) || /[\x00-\x20\x7f"]/.test(a)) {
      throw new FormError(`${a} is not an address`);
    }
  }
  const there = inviteesOf(c).map((p) => p.address).filter((a) => !o.mine(a));
  const gone = new Set(there.filter((a) => !wanted.has(a)));
  const fresh = [...wanted].filter(([a]) => !there.includes(a)).map(([, a]) => a);
  if (gone.size === 0 && fresh.length === 0) return c;
  let properties = c.properties.filter((p) => p.name !== "ATTENDEE" || !gone.has(addressOf(p)));
  if (wanted.size === 0) {
    properties = properties.filter((p) => p.name !== "ATTENDEE" && p.name !== "ORGANIZER");
    return { ...c, properties };
  }
  const mailto = (a: string) => `mailto:${a.replace(/[%?#]/g, encodeURIComponent)}`;
  if (!properties.some((p) => p.name === "ORGANIZER")) {
    const name: Record<string, string> = o.me.name === "" ? {} : { CN: o.me.name };
    properties.push(newProperty("ORGANIZER", mailto(o.me.address), name));
    if (!properties.some((p) => p.name === "ATTENDEE" && o.mine(addressOf(p)))) {
      const accepted = { ...name, PARTSTAT: "ACCEPTED" };
      properties.push(newProperty("ATTENDEE", mailto(o.me.address), accepted));
    }
  }
  const asked = { ROLE: "REQ-PARTICIPANT", PARTSTAT: "NEEDS-ACTION", RSVP: "TRUE" };
  properties.push(...fresh.map((a) => newProperty("ATTENDEE", mailto(a), asked)));
  return { ...c, properties };
}

/** With nobody else's answer: it was one to another time (RFC 5546 §3.2.2.1). */
function askedAnew(c: Component, mine: (address: string) => boolean): Component {
  const properties = c.properties.map((p) =>
    p.name !== "ATTENDEE" || mine(addressOf(p)) ||
      (param(p, "PARTSTAT") ?? "NEEDS-ACTION").toUpperCase() === "NEEDS-ACTION"
      ? p
      : changedProperty(p, p.value, { PARTSTAT: "NEEDS-ACTION", RSVP: "TRUE" })
  );
  return { ...c, properties };
}

/** A component whose change its readers can tell: numbered and dated anew. */
export function stamped(c: Component, now: number): Component {
  const at = formatUtc(now);
  const n = Number(valueOf(c, "SEQUENCE") ?? 0);
  c = withProperty(
    c,
    "SEQUENCE",
    newProperty("SEQUENCE", String((Number.isFinite(n) ? n : 0) + 1)),
  );
  c = withProperty(c, "DTSTAMP", newProperty("DTSTAMP", at));
  return withProperty(c, "LAST-MODIFIED", newProperty("LAST-MODIFIED", at));
}

/** With descriptions of the zones that times name, those that nothing names as they were. */
export function withZones(calendar: Component, f: Form, o: ChangeOptions): Component {
  const known = new Set(
    calendar.components.filter((c) => c.name === "VTIMEZONE").map((c) => valueOf(c, "TZID")),
  );
  const named = calendar.components.flatMap((c) => c.properties.map((p) => param(p, "TZID")));
  if (known.has(o.zone.name) || !named.includes(o.zone.name)) return calendar;
  const about = Math.min(o.now, Math.max(wallOf(f.start) ?? o.now, o.now - 5 * 366 * day));
  return {
    ...calendar,
    components: [zoneComponent(o.zone, about), ...calendar.components],
  };
}

/** A new event. @throws FormError */
export function newEvent(uid: string, f: Form, o: ChangeOptions): Component {
  const at = formatUtc(o.now);
  let c: Component = {
    name: "VEVENT",
    properties: [newProperty("UID", uid), newProperty("DTSTAMP", at), newProperty("CREATED", at)],
    components: [],
  };
  c = withTimes(c, undefined, undefined, f, o);
  c = withText(c, "SUMMARY", f.title);
  c = withText(c, "LOCATION", f.place);
  c = withText(c, "DESCRIPTION", f.description);
  c = withPeople(c, f, o);
  return withZones(newCalendar([c]), f, o);
}

/** Texts of a form, and the properties that have them. */
const textProperties = [["SUMMARY", "title"], ["LOCATION", "place"], [
  "DESCRIPTION",
  "description",
]] as const;

/**
 * One component alone, changed by a form; the same one if that changes nothing.
 * @param before its form as it is
 * @throws FormError
 */
export function changedComponent(
  c: Component,
  series: Series,
  before: Form,
  f: Form,
  o: ChangeOptions,
): Component {
  let next = withTimes(c, series, before, f, o);
  if (next !== c) next = askedAnew(next, o.mine);
  for (const [name, key] of textProperties) {
    if (f[key] !== before[key]) next = withText(next, name, f[key]);
  }
  if (JSON.stringify(f.people) !== JSON.stringify(before.people)) next = withPeople(next, f, o);
  return next === c ? c : stamped(next, o.now);
}

/** An event, all of it, changed by a form; undefined if the form changes nothing. @throws FormError */
export function changedEvent(series: Series, f: Form, o: ChangeOptions): Component | undefined {
  const { master } = series;
  if (master === undefined) throw new FormError("this is one date of a series that isn't here");
  const before = readForm(series, master, o.zone, o.mine);
  const moved = movesSeries(before, f);
  let changed = false;
  const components: Component[] = [];
  for (const c of series.calendar.components) {
    if (c.name === "VTIMEZONE" || c.name !== master.name) {
      components.push(c);
      continue;
    }
    let next = c;
    if (c === master) {
      next = withTimes(next, series, before, f, o);
      if (moved) {
        const repeats = f.repeat.every === "other";
        const kept = next.properties.filter((p) =>
          !dateNames.test(p.name) || repeats && p.name === "RDATE"
        );
        next = askedAnew({ ...next, properties: kept }, o.mine);
      }
    } else if (moved) {
      // It differed from a date that isn't one any more.
      changed = true;
      continue;
    }
    for (const [name, key] of textProperties) {
      // A date that has a text of its own keeps it.
      if (f[key] !== before[key] && (c === master || textOf(c, name) === before[key])) {
        next = withText(next, name, f[key]);
      }
    }
    if (JSON.stringify(f.people) !== JSON.stringify(before.people)) next = withPeople(next, f, o);
    if (next !== c) {
      changed = true;
      next = stamped(next, o.now);
    }
    components.push(next);
  }
  return changed ? withZones({ ...series.calendar, components }, f, o) : undefined;
}

/** Dates of a series that differ from it, or were taken out of it. */
export function exceptionsOf(series: Series): number {
  let n = series.overrides().length;
  for (const p of series.master?.properties ?? []) {
    if (dateNames.test(p.name)) n += p.value.split(",").length;
  }
  return n;
}
