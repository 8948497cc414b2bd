/** Calendar objects for tests, written as their lines, and back. */
import { Series } from "../../../src/mail/calendar/series.ts";
import { namedZone, type Zone } from "../../../src/mail/calendar/zones.ts";
import {
  type Component,
  parseComponents,
  writeComponent,
} from "../../../src/mail/contentline/component.ts";

/** A calendar with one component for each list of lines; UID and DTSTAMP are added where they are missing. */
export function calendarOf(kind: string, ...parts: string[][]): Component {
  const lines = parts.flatMap((p) => [
    `BEGIN:${kind}`,
    ...(p.some((l) => l.startsWith("UID:")) ? [] : ["UID:u1"]),
    ...(p.some((l) => l.startsWith("DTSTAMP:")) ? [] : ["DTSTAMP:20260101T000000Z"]),
    ...p,
    `END:${kind}`,
  ]);
  const text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", ...lines, "END:VCALENDAR", ""];
  return parseComponents(text.join("\r\n"))[0];
}

export const events = (...parts: string[][]): Series => new Series(calendarOf("VEVENT", ...parts));

/** An event whose floating times and dates are those of a zone. */
export const eventsIn = (zone: Zone, ...parts: string[][]): Series =>
  new Series(calendarOf("VEVENT", ...parts), zone);

/** A calendar with lines of its own, such as METHOD. */
export function withLines(calendar: Component, ...lines: string[]): Component {
  const text = writeComponent(calendar).split("\r\n");
  return parseComponents([text[0], ...lines, ...text.slice(1)].join("\r\n"))[0];
}

/** Unfolded lines of a component. */
export const linesOf = (c: Component): string[] =>
  writeComponent(c).replace(/\r\n /g, "").trim().split("\r\n");

/** Unfolded lines of each component of a calendar but zones, without BEGIN, END, UID and DTSTAMP. */
export const partLines = (c: Component): string[][] =>
  c.components.filter((x) => x.name !== "VTIMEZONE").map((x) =>
    linesOf(x).slice(1, -1).filter((l) => !/^(?:UID|DTSTAMP):/.test(l))
  );

export const berlin = namedZone("Europe/Berlin")!;

/** Milliseconds since the epoch of a text such as "2026-03-02 09:00", in UTC. */
export const at = (text: string): number =>
  Date.parse(
    `${text.replace(" ", "T")}${text.length > 10 ? ":00" : ""}${text.length > 10 ? "Z" : ""}`,
  );

/** The reverse of {@link at}. */
export const shown = (ms: number | undefined): string =>
  ms === undefined ? "-" : new Date(ms).toISOString().slice(0, 16).replace("T", " ");
