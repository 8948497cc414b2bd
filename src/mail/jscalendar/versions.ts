/**
 * The two versions of JSCalendar. RFC 8984 has lists of rules and addresses by method; version 2.0
 * (draft-ietf-calext-jscalendarbis, which the newest jmap-calendars builds on) has one rule and one address:
 *
 * | RFC 8984                   | version 2.0                      |
 * | -------------------------- | -------------------------------- |
 * | `recurrenceRules`          | `recurrenceRule`                 |
 * | `replyTo/imip`             | `organizerCalendarAddress`       |
 * | `participants/ID/sendTo`   | `participants/ID/calendarAddress`|
 *
 * Internally events use the names of RFC 8984. Clients read both, and write either.
 *
 * @module
 */
import { same } from "../jsprops/parts.ts";
import type { JsonObject } from "./from_ical.ts";

/** Names of properties that only version 2.0 has. */
export const version2Properties = ["version", "recurrenceRule", "organizerCalendarAddress"];

/** A property whose two names have different values, or whose value can't be converted. */
export class VersionError extends Error {
  override name = "VersionError";
  readonly names: readonly string[];
  constructor(names: readonly string[], message: string) {
    super(message);
    this.names = names;
  }
}

const isObject = (x: unknown): x is JsonObject =>
  typeof x === "object" && x !== null && !Array.isArray(x);
const imip = (x: unknown): unknown => isObject(x) ? x.imip : undefined;
const isNothing = (x: unknown) => x === undefined || x === null;

/** The address of a participant; undefined without one, or with only addresses of other methods. */
function addressOf(participant: JsonObject): unknown {
  const to = imip(participant.sendTo);
  if (to !== undefined) return to;
  return typeof participant.email === "string" ? `mailto:${participant.email}` : undefined;
}

function bothOfPerson(person: unknown): unknown {
  if (!isObject(person)) return person;
  const address = addressOf(person);
  return address === undefined ? person : { ...person, calendarAddress: address };
}

const bothOfPeople = (people: unknown): unknown =>
  isObject(people)
    ? Object.fromEntries(Object.entries(people).map(([id, p]) => [id, bothOfPerson(p)]))
    : people;

/** Steps of a pointer within an override, as written. */
const isPerson = (path: readonly string[]) => path[0] === "participants" && path.length === 2;

function bothOfOverride(patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  return Object.fromEntries(
    Object.entries(patch).map(([pointer, value]) => {
      const path = pointer.split("/");
      if (isPerson(path)) return [pointer, bothOfPerson(value)];
      return [pointer, pointer === "participants" ? bothOfPeople(value) : value];
    }),
  );
}

/** An event with the names of both versions. */
export function withBothNames(event: JsonObject): JsonObject {
  const both: JsonObject = { ...event, version: "2.0" };
  const rules = event.recurrenceRules;
  // None of several rules can be chosen.
  if (Array.isArray(rules) && rules.length === 1) both.recurrenceRule = rules[0];
  const organizer = imip(event.replyTo);
  if (organizer !== undefined) both.organizerCalendarAddress = organizer;
  if (event.participants !== undefined) both.participants = bothOfPeople(event.participants);
  if (isObject(event.recurrenceOverrides)) {
    both.recurrenceOverrides = Object.fromEntries(
      Object.entries(event.recurrenceOverrides).map(([at, p]) => [at, bothOfOverride(p)]),
    );
  }
  return both;
}

/**
 * The value for the RFC 8984 name, where the client may have changed either name.
 * @param pair names, for the error
 */
function chosen(
  pair: readonly [string, string],
  old: { was: unknown; is: unknown },
  fresh: { was: unknown; is: unknown },
  o: { toOld: (x: unknown) => unknown; toNew: (x: unknown) => unknown },
): unknown {
  const isChanged = (x: { was: unknown; is: unknown }) =>
    !(isNothing(x.was) && isNothing(x.is)) && !same(x.was, x.is);
  if (!isChanged(fresh)) return old.is;
  if (isChanged(old)) {
    const agree = isNothing(fresh.is) ? isNothing(old.is) : same(o.toNew(old.is), fresh.is);
    if (!agree) throw new VersionError(pair, `${pair[0]} and ${pair[1]} say different things`);
    return old.is;
  }
  return isNothing(fresh.is) ? undefined : o.toOld(fresh.is);
}

const addressValue = (name: string, was: unknown) => ({
  toOld(x: unknown): unknown {
    if (typeof x !== "string") throw new VersionError([name], `${name}: is not a URI`);
    // Methods other than mail stay.
    return { ...isObject(was) ? was : {}, imip: x };
  },
  toNew: imip,
});

function personInOne(name: string, was: unknown, is: unknown): unknown {
  if (!isObject(is)) return is;
  const before = isObject(was) ? was : {};
  const { calendarAddress, ...person } = is;
  if (isNothing(calendarAddress)) return person;
  const value = addressValue(`${name}/calendarAddress`, before.sendTo);
  // A client that writes a whole participant with one name leaves the other one unset.
  const sendTo = person.sendTo === undefined
    ? same(addressOf(before), calendarAddress) ? before.sendTo : value.toOld(calendarAddress)
    : chosen(
      [`${name}/sendTo`, `${name}/calendarAddress`],
      { was: before.sendTo, is: person.sendTo },
      { was: before.calendarAddress, is: calendarAddress },
      value,
    );
  if (isNothing(sendTo)) delete person.sendTo;
  else person.sendTo = sendTo;
  return person;
}

const peopleInOne = (was: unknown, is: unknown): unknown =>
  isObject(is)
    ? Object.fromEntries(
      Object.entries(is).map((
        [id, p],
      ) => [id, personInOne(`participants/${id}`, isObject(was) ? was[id] : undefined, p)]),
    )
    : is;

function overrideInOne(was: unknown, is: unknown): unknown {
  if (!isObject(is)) return is;
  const before = isObject(was) ? was : {};
  const patch: JsonObject = {};
  for (const [pointer, value] of Object.entries(is)) {
    const path = pointer.split("/");
    if (isPerson(path)) patch[pointer] = personInOne(pointer, before[pointer], value);
    else if (pointer === "participants") patch[pointer] = peopleInOne(before[pointer], value);
    else if (path.length === 3 && path[0] === "participants" && path[2] === "calendarAddress") {
      const to = `${path[0]}/${path[1]}/sendTo`;
      const other = is[to] ?? (`${to}/imip` in is ? { imip: is[`${to}/imip`] } : undefined);
      if (other !== undefined && imip(other) !== value) {
        throw new VersionError(
          ["recurrenceOverrides"],
          `recurrenceOverrides: ${pointer} and ${to} say different things`,
        );
      }
      if (other === undefined) patch[to] = value === null ? null : { imip: value };
    } else patch[pointer] = value;
  }
  return patch;
}

/**
 * Converts an event that a client wrote with either names to those of RFC 8984.
 * @param before the event before the client's change, with both names
 * @throws VersionError
 */
export function inOneForm(before: JsonObject, event: JsonObject): JsonObject {
  const { version, recurrenceRule, organizerCalendarAddress, ...one } = event;
  if (!isNothing(version) && version !== "1.0" && version !== "2.0") {
    throw new VersionError(["version"], "version: 1.0 and 2.0 are known");
  }
  const put = (name: string, value: unknown) => {
    // Null stays: the client has set it explicitly.
    if (value === undefined) delete one[name];
    else one[name] = value;
  };
  put(
    "recurrenceRules",
    chosen(
      ["recurrenceRules", "recurrenceRule"],
      { was: before.recurrenceRules, is: one.recurrenceRules },
      { was: before.recurrenceRule, is: recurrenceRule },
      {
        toOld(x) {
          if (!isObject(x)) throw new VersionError(["recurrenceRule"], "is not an object");
          return [x];
        },
        toNew: (x) => Array.isArray(x) && x.length === 1 ? x[0] : undefined,
      },
    ),
  );
  put(
    "replyTo",
    chosen(
      ["replyTo", "organizerCalendarAddress"],
      { was: before.replyTo, is: one.replyTo },
      { was: before.organizerCalendarAddress, is: organizerCalendarAddress },
      addressValue("organizerCalendarAddress", one.replyTo),
    ),
  );
  if (one.participants !== undefined) {
    one.participants = peopleInOne(before.participants, one.participants);
  }
  if (isObject(one.recurrenceOverrides)) {
    const was = isObject(before.recurrenceOverrides) ? before.recurrenceOverrides : {};
    one.recurrenceOverrides = Object.fromEntries(
      Object.entries(one.recurrenceOverrides).map(([at, p]) => [at, overrideInOne(was[at], p)]),
    );
  }
  return one;
}

/** A patched event: an address removed by one name is also removed by the other. */
export function withoutTaken(event: JsonObject, patch: JsonObject): JsonObject {
  const people = isObject(event.participants) ? { ...event.participants } : undefined;
  if (people === undefined) return event;
  for (const [pointer, value] of Object.entries(patch)) {
    const m = /^participants\/([^/]+)\/(sendTo|sendTo\/imip|calendarAddress)$/.exec(pointer);
    const person = m === null ? undefined : people[m[1]];
    if (value !== null || m === null || !isObject(person)) continue;
    const other = m[2] === "calendarAddress" ? "sendTo" : "calendarAddress";
    const isGiven = Object.keys(patch).some((k) => k.startsWith(`participants/${m[1]}/${other}`));
    if (isGiven) continue;
    people[m[1]] = Object.fromEntries(Object.entries(person).filter(([k]) => k !== other));
  }
  return { ...event, participants: people };
}

/** Names of properties as used by the client that wrote `given`. */
export function namesOfClient(names: readonly string[], given: JsonObject): string[] {
  const tops = new Set(Object.keys(given).map((k) => k.split("/")[0]));
  const pairs = [["recurrenceRules", "recurrenceRule"], ["replyTo", "organizerCalendarAddress"]];
  return names.map((n) =>
    pairs.find(([old, fresh]) => n === old && !tops.has(old) && tops.has(fresh))?.[1] ?? n
  );
}
