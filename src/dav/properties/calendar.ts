/** Properties of CalDAV: RFC 4791, 6638, 7809. @module */
import { maxObjectSize } from "../../groupware/objects.ts";
import { maxAttendees, maxDate, minDate } from "../../mail/calendar/object.ts";
import { formatUtc } from "../../mail/calendar/time.ts";
import { maxInstances } from "../../mail/calendar/series.ts";
import { pathOf, type Resource } from "../core/resources.ts";
import { CAL, CS, el, escapeXml, href } from "../xml/write.ts";
import { addressesOf } from "./people.ts";
import type { LiveProperty } from "./types.ts";

const cal = (name: string) => `{${CAL}}${name}`;

/** Kinds of components that a calendar accepts unless created for others. */
export const calendarComponents = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"];

/** Kinds that may be requested when a calendar is created. */
export const knownComponents: readonly string[] = calendarComponents;

const isCalendar = (r: Resource): r is Extract<Resource, { kind: "collection" }> =>
  r.kind === "collection" && r.collection.kind === "calendar";
const takesEvents = (r: Resource): r is Extract<Resource, { kind: "collection" }> =>
  r.kind === "collection" && (r.collection.kind === "calendar" || r.collection.kind === "inbox");

/** The kinds of components of a calendar. */
export function componentsOf(
  extract: Extract<Resource, { kind: "collection" | "object" | "noObject" }>,
): readonly string[] {
  return extract.collection.components.length > 0
    ? extract.collection.components
    : calendarComponents;
}

/** A limit that calendars have. */
const limit = (name: string, value: string): LiveProperty => ({
  name: cal(name),
  on: ["collection"],
  value: (_p, r) => takesEvents(r) ? value : undefined,
});

/** Names of collations (RFC 4790, RFC 4791 §7.5.1). */
export const collations = ["i;ascii-casemap", "i;octet", "i;unicode-casemap"];

export const calendarProperties: readonly LiveProperty[] = [
  {
    name: cal("calendar-home-set"),
    on: ["principal"],
    value: ({ ctx, s }, resource) =>
      resource.kind !== "principal" ? undefined : [
        resource.account,
        ...(resource.account === ctx.user ? s.sharing.owners(ctx.user) : []),
      ].map((a) => href(pathOf(ctx.base, "calendars", a))).join(""),
  },
  {
    name: cal("calendar-user-address-set"),
    on: ["principal"],
    // By these alone people are invited; the address of the principal would mean nothing to others.
    value: ({ s }, resource) =>
      resource.kind === "principal"
        ? addressesOf(s, resource.account).map((a) => href(`mailto:${a}`)).join("")
        : undefined,
  },
  { name: cal("calendar-user-type"), on: ["principal"], value: () => "INDIVIDUAL" },
  {
    name: cal("schedule-inbox-URL"),
    on: ["principal"],
    value: ({ ctx }, resource) =>
      resource.kind === "principal" && resource.rights === "owner"
        ? href(pathOf(ctx.base, "calendars", resource.account, "inbox"))
        : undefined,
  },
  {
    name: cal("schedule-outbox-URL"),
    on: ["principal"],
    value: ({ ctx }, resource) =>
      resource.kind === "principal" && resource.rights === "owner"
        ? href(pathOf(ctx.base, "calendars", resource.account, "outbox"))
        : undefined,
  },
  {
    name: cal("schedule-default-calendar-URL"),
    on: ["collection"],
    value: ({ ctx, s }, resource) => {
      if (resource.kind !== "collection" || resource.collection.kind !== "inbox") return undefined;
      const c = s.scheduler.defaultCalendar(resource.g);
      return c && href(pathOf(ctx.base, "calendars", resource.account, c.name));
    },
  },
  {
    name: cal("supported-calendar-component-set"),
    on: ["collection"],
    value: (_p, resource) =>
      takesEvents(resource)
        ? componentsOf(resource).map((n) => el(CAL, "comp", "", ` name="${escapeXml(n)}"`)).join("")
        : undefined,
  },
  {
    name: cal("supported-calendar-component-sets"),
    on: ["home"],
    value: (_p, resource) =>
      resource.kind === "home" && resource.home === "calendars"
        ? calendarComponents.map((n) =>
          el(CAL, "supported-calendar-component-set", el(CAL, "comp", "", ` name="${n}"`))
        )
          .join("")
        : undefined,
  },
  limit(
    "supported-calendar-data",
    el(CAL, "calendar-data", "", ' content-type="text/calendar" version="2.0"'),
  ),
  limit("max-resource-size", String(maxObjectSize)),
  limit("min-date-time", formatUtc(minDate)),
  limit("max-date-time", formatUtc(maxDate)),
  limit("max-instances", String(maxInstances)),
  limit("max-attendees-per-instance", String(maxAttendees)),
  {
    name: cal("supported-collation-set"),
    on: ["collection"],
    value: (_p, resource) =>
      takesEvents(resource)
        ? collations.map((c) => el(CAL, "supported-collation", c)).join("")
        : undefined,
  },
  {
    name: cal("schedule-calendar-transp"),
    on: ["collection"],
    // A set value is among the stored properties, which come first.
    value: (_p, r) => isCalendar(r) ? el(CAL, "opaque") : undefined,
  },
  {
    name: cal("schedule-tag"),
    on: ["object"],
    value: (_p, r) =>
      r.kind === "object" && r.object.scheduleTag !== "" ? `"${r.object.scheduleTag}"` : undefined,
  },
  {
    name: `{${CS}}email-address-set`,
    on: ["principal"],
    value: ({ s }, resource) =>
      resource.kind === "principal"
        ? addressesOf(s, resource.account).map((a) => el(CS, "email-address", escapeXml(a))).join(
          "",
        )
        : undefined,
  },
];
