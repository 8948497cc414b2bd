/**
 * Changing an event through a form. Everything that the form lacks or doesn't change stays as written.
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
import { classWords, type EventPrivacy, privacyOf } from "./privacy.ts";
import { Series } from "./series.ts";
import { type CalendarTime, day, formatTime, formatUtc, timeOf } from "./time.ts";
import { zoneComponent } from "./zone_component.ts";
import { toInstant, toWall, utcZone, type Zone } from "./zones.ts";

export interface ChangeOptions {
  /** Zone of the form's times. */
  zone: Zone;
  /** Milliseconds since the epoch. */
  now: number;
  mine: (address: string) => boolean;
  /** The organizer, if there was none before. */
  me: { name: string; address: string };
}

/** An invalid form; the text is for its user. */
export class FormError extends Error {
  override name = "FormError";
}

const dateNames = /^(?:EXDATE|RDATE|EXRULE)$/;

/** Checks the times of a form. @throws FormError */
function checkTimes(form: Form): { start: number; end: number } {
  const length = form.allDay ? 10 : 16;
  const [start, end] = [wallOf(form.start), wallOf(form.end)];
  if (start === undefined || form.start.length !== length) {
    throw new FormError(`the start is no ${form.allDay ? "date" : "time"}: ${form.start}`);
  }
  if (end === undefined || form.end.length !== length) {
    throw new FormError(`the end is no ${form.allDay ? "date" : "time"}: ${form.end}`);
  }
  if (end < start) throw new FormError("the event ends before it begins");
  if (end - start > 3660 * day) throw new FormError("the event takes more than ten years");
  const r = form.repeat;
  if ("until" in r && r.until !== null) {
    const until = wallOf(r.until);
    if (until === undefined) throw new FormError(`the last date is no date: ${r.until}`);
    if (until + day <= start) throw new FormError("the repetition ends before the event begins");
  }
  return { start, end };
}

/** Replaces the properties of a name by this one, or removes them. */
function withProperty(component: Component, name: string, p: Property | undefined): Component {
  const at = component.properties.findIndex((x) => x.name === name);
  const rest = component.properties.filter((x) => x.name !== name);
  if (p !== undefined) rest.splice(at < 0 ? rest.length : at, 0, p);
  return { ...component, properties: rest };
}

function withText(component: Component, name: string, text: string): Component {
  if (textOf(component, name) === text) return component;
  if (text === "") return withProperty(component, name, undefined);
  const old = property(component, name);
  const value = escapeText(text);
  // The language of a changed text is unknown, and references to its old form no longer apply.
  const p = old === undefined
    ? newProperty(name, value)
    : changedProperty(old, value, { LANGUAGE: undefined, ALTREP: undefined });
  return withProperty(component, name, p);
}

/** A component that says who may see it; what anybody may see has no CLASS (RFC 5545 §3.8.1.3). */
function withPrivacy(component: Component, privacy: EventPrivacy): Component {
  const rest = {
    ...component,
    properties: component.properties.filter((p) =>
      p.name === "CLASS" || privacyOf(p) === undefined
    ),
  };
  const p = privacy === "public" ? undefined : newProperty("CLASS", classWords[privacy]);
  return withProperty(rest, "CLASS", p);
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

/** The zone of an event's times after a change; its own if it has a known one. */
function zoneFor(
  series: Series | undefined,
  old: CalendarTime | undefined,
  form: Form,
  zone: Zone,
) {
  if (series === undefined || old === undefined || old.date || form.allDay) {
    return { zone, name: zone.name };
  }
  const repeats = form.repeat.every !== "never";
  // A repeating event needs a zone with daylight saving time.
  if (old.zone === "" || old.zone === "UTC" && repeats) return { zone, name: zone.name };
  return series.zones.floats(old.zone)
    ? { zone, name: zone.name }
    : { zone: series.zones.find(old.zone), name: old.zone };
}

/** Sets times and repetition of a component from a form. */
function withTimes(
  component: Component,
  series: Series | undefined,
  before: Form | undefined,
  f: Form,
  options: ChangeOptions,
): Component {
  const old = property(component, "DTSTART") && timeOf(property(component, "DTSTART")!);
  const sameTimes = before !== undefined && before.allDay === f.allDay &&
    before.start === f.start && before.end === f.end;
  const sameRule = before !== undefined &&
    JSON.stringify(before.repeat) === JSON.stringify(f.repeat);
  if (sameTimes && sameRule) return component;
  const form = checkTimes(f);
  const { zone, name } = zoneFor(series, old, f, options.zone);
  const write = (key: string, wall: number) => {
    const there = f.allDay ? wall : toWall(zone, toInstant(options.zone, wall));
    const p = timeProperty(key, there, f.allDay, zone);
    return f.allDay || zone === utcZone ? p : changedProperty(p, p.value, { TZID: name });
  };
  let start = old;
  const moves = !sameTimes || old !== undefined && !old.date && old.zone === "UTC" &&
      name !== "UTC" && f.repeat.every !== "never";
  if (moves) {
    component = withProperty(component, "DTSTART", write("DTSTART", form.start));
    component = withProperty(component, "DTEND", write("DTEND", form.end + (f.allDay ? day : 0)));
    component = withProperty(component, "DURATION", undefined);
    start = timeOf(property(component, "DTSTART")!);
  }
  if (f.repeat.every === "other" && before?.repeat.every === "other") return component;
  if (f.repeat.every === "other") throw new FormError("this repetition can't be made here");
  if (!sameRule || moves) {
    const rule = ruleOf(f.repeat, start!, f.allDay ? utcZone : zone);
    component = withProperty(
      component,
      "RRULE",
      rule === undefined ? undefined : newProperty("RRULE", rule),
    );
  }
  return component;
}

/** Whether times or repetition of a series change: its exceptions are then obsolete. */
function movesSeries(before: Form, f: Form): boolean {
  const of = (x: Form) => JSON.stringify([x.allDay, x.start, x.end, x.repeat]);
  return of(before) !== of(f);
}

/** Sets the people of a component from the form. */
function withPeople(component: Component, form: Form, options: ChangeOptions): Component {
  const wanted = new Map(form.people.map((a) => [a.toLowerCase(), a]));
  for (const a of wanted.keys()) if (options.mine(a)) wanted.delete(a);
  for (const a of wanted.values()) {
    // A value must not break out of its line.
    // deno-lint-ignore no-control-regex -- control characters are searched for
    if (!/^[^@\s<>]+@[^@\s<>]+$/.test(a) || /[\x00-\x20\x7f"]/.test(a)) {
      throw new FormError(`${a} is not an address`);
    }
  }
  const there = inviteesOf(component).map((p) => p.address).filter((a) => !options.mine(a));
  const gone = new Set(there.filter((a) => !wanted.has(a)));
  const fresh = [...wanted].filter(([a]) => !there.includes(a)).map(([, a]) => a);
  if (gone.size === 0 && fresh.length === 0) return component;
  let properties = component.properties.filter((p) =>
    p.name !== "ATTENDEE" || !gone.has(addressOf(p))
  );
  if (wanted.size === 0) {
    properties = properties.filter((p) => p.name !== "ATTENDEE" && p.name !== "ORGANIZER");
    return { ...component, properties };
  }
  const mailto = (a: string) => `mailto:${a.replace(/[%?#]/g, encodeURIComponent)}`;
  if (!properties.some((p) => p.name === "ORGANIZER")) {
    const name: Record<string, string> = options.me.name === "" ? {} : { CN: options.me.name };
    properties.push(newProperty("ORGANIZER", mailto(options.me.address), name));
    if (!properties.some((p) => p.name === "ATTENDEE" && options.mine(addressOf(p)))) {
      const accepted = { ...name, PARTSTAT: "ACCEPTED" };
      properties.push(newProperty("ATTENDEE", mailto(options.me.address), accepted));
    }
  }
  const asked = { ROLE: "REQ-PARTICIPANT", PARTSTAT: "NEEDS-ACTION", RSVP: "TRUE" };
  properties.push(...fresh.map((a) => newProperty("ATTENDEE", mailto(a), asked)));
  return { ...component, properties };
}

/** Removes everybody else's answer, which was for another time (RFC 5546 §3.2.2.1). */
function askedAnew(component: Component, mine: (address: string) => boolean): Component {
  const properties = component.properties.map((p) =>
    p.name !== "ATTENDEE" || mine(addressOf(p)) ||
      (param(p, "PARTSTAT") ?? "NEEDS-ACTION").toUpperCase() === "NEEDS-ACTION"
      ? p
      : changedProperty(p, p.value, { PARTSTAT: "NEEDS-ACTION", RSVP: "TRUE" })
  );
  return { ...component, properties };
}

/** A component with a visible change: gets a new sequence number and date. */
export function stamped(component: Component, now: number): Component {
  const at = formatUtc(now);
  const n = Number(valueOf(component, "SEQUENCE") ?? 0);
  component = withProperty(
    component,
    "SEQUENCE",
    newProperty("SEQUENCE", String((Number.isFinite(n) ? n : 0) + 1)),
  );
  component = withProperty(component, "DTSTAMP", newProperty("DTSTAMP", at));
  return withProperty(component, "LAST-MODIFIED", newProperty("LAST-MODIFIED", at));
}

/** Adds descriptions of the zones used by times; unused ones stay unchanged. */
export function withZones(calendar: Component, form: Form, options: ChangeOptions): Component {
  const known = new Set(
    calendar.components.filter((c) => c.name === "VTIMEZONE").map((c) => valueOf(c, "TZID")),
  );
  const named = calendar.components.flatMap((c) => c.properties.map((p) => param(p, "TZID")));
  if (known.has(options.zone.name) || !named.includes(options.zone.name)) return calendar;
  const about = Math.min(
    options.now,
    Math.max(wallOf(form.start) ?? options.now, options.now - 5 * 366 * day),
  );
  return {
    ...calendar,
    components: [zoneComponent(options.zone, about), ...calendar.components],
  };
}

/** A new event. @throws FormError */
export function newEvent(uid: string, form: Form, options: ChangeOptions): Component {
  const at = formatUtc(options.now);
  let c: Component = {
    name: "VEVENT",
    properties: [newProperty("UID", uid), newProperty("DTSTAMP", at), newProperty("CREATED", at)],
    components: [],
  };
  c = withTimes(c, undefined, undefined, form, options);
  c = withText(c, "SUMMARY", form.title);
  c = withText(c, "LOCATION", form.place);
  c = withText(c, "DESCRIPTION", form.description);
  if (form.privacy !== undefined && form.privacy !== "public") c = withPrivacy(c, form.privacy);
  c = withPeople(c, form, options);
  return withZones(newCalendar([c]), form, options);
}

/** Text fields of a form, and their properties. */
const textProperties = [["SUMMARY", "title"], ["LOCATION", "place"], [
  "DESCRIPTION",
  "description",
]] as const;

/**
 * A single component, changed by a form; the same one if that changes nothing.
 * @param before its form before the change
 * @throws FormError
 */
export function changedComponent(
  component: Component,
  series: Series,
  before: Form,
  f: Form,
  options: ChangeOptions,
): Component {
  let next = withTimes(component, series, before, f, options);
  if (next !== component) next = askedAnew(next, options.mine);
  for (const [name, key] of textProperties) {
    if (f[key] !== before[key]) next = withText(next, name, f[key]);
  }
  if (JSON.stringify(f.people) !== JSON.stringify(before.people)) {
    next = withPeople(next, f, options);
  }
  if (f.privacy !== undefined && f.privacy !== before.privacy) next = withPrivacy(next, f.privacy);
  return next === component ? component : stamped(next, options.now);
}

/** A whole event, changed by a form; undefined if the form changes nothing. @throws FormError */
export function changedEvent(
  series: Series,
  form: Form,
  options: ChangeOptions,
): Component | undefined {
  const { master } = series;
  if (master === undefined) throw new FormError("this is one date of a series that isn't here");
  const before = readForm(series, master, options.zone, options.mine);
  const moved = movesSeries(before, form);
  let changed = false;
  const components: Component[] = [];
  for (const c of series.calendar.components) {
    if (c.name === "VTIMEZONE" || c.name !== master.name) {
      components.push(c);
      continue;
    }
    let next = c;
    if (c === master) {
      next = withTimes(next, series, before, form, options);
      if (moved) {
        const repeats = form.repeat.every === "other";
        const kept = next.properties.filter((p) =>
          !dateNames.test(p.name) || repeats && p.name === "RDATE"
        );
        next = askedAnew({ ...next, properties: kept }, options.mine);
      }
    } else if (moved) {
      // It was an exception for a date that no longer exists.
      changed = true;
      continue;
    }
    for (const [name, key] of textProperties) {
      // A date with its own text keeps it.
      if (form[key] !== before[key] && (c === master || textOf(c, name) === before[key])) {
        next = withText(next, name, form[key]);
      }
    }
    if (JSON.stringify(form.people) !== JSON.stringify(before.people)) {
      next = withPeople(next, form, options);
    }
    if (form.privacy !== undefined && form.privacy !== before.privacy) {
      next = withPrivacy(next, form.privacy);
    }
    if (next !== c) {
      changed = true;
      next = stamped(next, options.now);
    }
    components.push(next);
  }
  return changed ? withZones({ ...series.calendar, components }, form, options) : undefined;
}

/** Number of a series' dates that differ from it or were removed from it. */
export function exceptionsOf(series: Series): number {
  let n = series.overrides().length;
  for (const p of series.master?.properties ?? []) {
    if (dateNames.test(p.name)) n += p.value.split(",").length;
  }
  return n;
}
