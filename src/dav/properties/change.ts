/**
 * Changing properties: what may be set on what, and to which values. A client may store any property of other
 * namespaces with collections and objects.
 *
 * @module
 */
import { timezoneIdProperty, timezoneProperty, zoneOfText } from "../../groupware/objects.ts";
import { namedZone } from "../../mail/calendar/zones.ts";
import { ObjectError } from "../../mail/calendar/object.ts";
import { calCondition, davCondition, DavError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import { attribute, child, children, clark, textOf, type XmlElement } from "../xml/parse.ts";
import { CAL, DAV, element, serialize } from "../xml/write.ts";
import { propstat } from "../core/multistatus.ts";
import { knownComponents } from "./calendar.ts";
import { isLive } from "./read.ts";

/** Most characters of one property, and most properties changed by one request. */
const maxProperty = 128 * 1024;
const maxChanges = 200;

/** A change that a client asks for. */
export interface PropertyChange {
  key: string;
  /** Null to remove it. */
  element: XmlElement | null;
}

/** Changes in a DAV:propertyupdate, in order (RFC 4918 §14.19). */
export function changesOf(update: XmlElement): PropertyChange[] {
  const list: PropertyChange[] = [];
  for (const part of children(update)) {
    if (part.ns !== DAV || part.name !== "set" && part.name !== "remove") continue;
    for (const prop of children(part)) {
      if (prop.ns !== DAV || prop.name !== "prop") continue;
      for (const e of children(prop)) {
        list.push({ key: clark(e), element: part.name === "set" ? e : null });
      }
    }
  }
  if (list.length > maxChanges) throw new DavError(403, `more than ${maxChanges} properties`);
  return list;
}

/** Why a property can't be changed. */
interface Refusal {
  status: number;
  condition?: string;
}

const protectedProperty: Refusal = {
  status: 403,
  condition: davCondition("cannot-modify-protected-property"),
};

const componentSet = `{${CAL}}supported-calendar-component-set`;

/** Components that a new calendar is for. */
export function componentsIn(e: XmlElement): string[] {
  return children(e).filter((c) => c.ns === CAL && c.name === "comp")
    .map((c) => (attribute(c, "name") ?? "").toUpperCase());
}

/** Kinds of resources, for the rules of properties; "none" for those that store none. */
type Changeable = "calendar" | "addressbook" | "inbox" | "outbox" | "object" | "home" | "none";

/** Why a change is refused, if it is; `making` while the collection is being created. */
function refusal(
  { key, element: e }: PropertyChange,
  kind: Changeable,
  making: boolean,
  isCalendar: (href: string) => boolean,
): Refusal | undefined {
  if (making && (key === `{${DAV}}resourcetype`)) return undefined;
  if (key === componentSet && making && kind === "calendar" && e !== null) {
    const names = componentsIn(e);
    const right = names.length > 0 && names.every((n) => knownComponents.includes(n));
    return right
      ? undefined
      : { status: 403, condition: calCondition("supported-calendar-component") };
  }
  if (isLive(key)) return protectedProperty;
  if (kind === "none") return { status: 403 };
  if (kind === "object" && key === `{${DAV}}displayname`) return protectedProperty;
  if (key === `{${CAL}}schedule-default-calendar-URL`) {
    // Without one, invitations go where they did before.
    if (e === null && kind === "inbox") return undefined;
    const address = e === null ? undefined : child(e, DAV, "href");
    return kind === "inbox" && address !== undefined && isCalendar(textOf(address).trim())
      ? undefined
      : { status: 403, condition: calCondition("valid-schedule-default-calendar-URL") };
  }
  if (e === null) return undefined;
  if (serialize(e).length > maxProperty) return { status: 507 };
  switch (key) {
    case timezoneProperty: {
      let zone;
      try {
        zone = zoneOfText(textOf(e));
      } catch (err) {
        if (!(err instanceof ObjectError)) throw err;
      }
      return (kind === "calendar" || kind === "home") && zone !== undefined
        ? undefined
        : { status: 403, condition: calCondition("valid-calendar-data") };
    }
    case timezoneIdProperty:
      return namedZone(textOf(e).trim()) !== undefined
        ? undefined
        : { status: 403, condition: calCondition("valid-timezone") };
    case `{${CAL}}schedule-calendar-transp`: {
      const [value] = children(e);
      const right = kind === "calendar" && value?.ns === CAL &&
        (value.name === "opaque" || value.name === "transparent");
      return right ? undefined : { status: 409 };
    }
  }
  return undefined;
}

/** The result of changes: the values to store, or the propstats that say why nothing is stored. */
export function checkChanges(
  changes: readonly PropertyChange[],
  kind: Changeable,
  making: boolean,
  isCalendar: (href: string) => boolean = () => false,
): { stored: [string, string | null][]; propstats: string; refused: boolean } {
  const refusals = changes.map((c) => refusal(c, kind, making, isCalendar));
  const refused = refusals.some((r) => r !== undefined);
  const groups = new Map<string, { status: number; condition?: string; props: string[] }>();
  changes.forEach((change, i) => {
    const r: Refusal = refusals[i] ?? { status: refused ? 424 : 200 };
    const key = `${r.status} ${r.condition ?? ""}`;
    const group = groups.get(key) ?? { ...r, props: [] };
    groups.set(key, group);
    group.props.push(element(change.key));
  });
  const propstats = [...groups.values()].map((g) =>
    propstat(
      g.status,
      g.props.join(""),
      g.condition === undefined ? "" : element(`{${DAV}}error`, g.condition),
    )
  ).join("");
  const notStored = new Set([`{${DAV}}resourcetype`, componentSet]);
  const stored = changes.filter((c) => !notStored.has(c.key)).map((
    { key, element: e },
  ): [string, string | null] => [key, e === null ? null : serialize(e)]);
  return { stored, propstats, refused };
}

/** The kind of a resource, for the rules of properties. */
export function changeable(resource: Resource): Changeable {
  return resource.kind === "collection"
    ? resource.collection.kind
    : resource.kind === "object"
    ? "object"
    : resource.kind === "home"
    ? "home"
    : "none";
}
