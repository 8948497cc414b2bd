/** What is sent to CardDAV and CalDAV. */
import type { Localserve } from "../support/localserve.ts";
import { crowd, type Input } from "./peer.ts";

const authorization = `Basic ${btoa("mox@localhost:moxmoxmox")}`;
const calendar = "/dav/calendars/mox/default/";
const spaces = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"';

/** A request; the answer is read. */
async function dav(s: Localserve, method: string, path: string, body: string): Promise<void> {
  const r = await fetch(`http://127.0.0.1:${s.http}${path}`, {
    method,
    headers: {
      authorization,
      Depth: "1",
      "content-type": path.endsWith(".ics") ? "text/calendar" : "application/xml",
    },
    body,
  });
  await r.body?.pipeTo(new WritableStream());
}

const event = (uid: string, ...lines: string[]) =>
  [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "BEGIN:VEVENT",
    `UID:${uid}`,
    "DTSTART:20200101T000000Z",
    "DURATION:PT1S",
    ...lines,
    "END:VEVENT",
    "END:VCALENDAR",
    "",
  ].join("\r\n");

/** All of these years, one by one. */
const expand = `<C:calendar-query ${spaces}><D:prop><C:calendar-data>` +
  `<C:expand start="20200101T000000Z" end="20400101T000000Z"/></C:calendar-data></D:prop><C:filter>` +
  `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">` +
  `<C:time-range start="20200101T000000Z" end="20400101T000000Z"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`;

/** Asks for the events whose description has a text, one after the other, and expanded. */
const search = `<C:calendar-query ${spaces}><D:prop><C:calendar-data>` +
  `<C:expand start="20200101T000000Z" end="20200102T000000Z"/></C:calendar-data></D:prop><C:filter>` +
  `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="DESCRIPTION">` +
  `<C:text-match>none</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`;

/** Descriptions and properties that take the most work for their size. */
const large = [
  `DESCRIPTION:${"\\n".repeat(5_000_000)}`,
  `DESCRIPTION:b${"\r\n b".repeat(249_000)}`,
  `DESCRIPTION;X-A=${"b,".repeat(59_000)}c:d`,
  `DESCRIPTION:${"A".repeat(9_000_000)}`,
];

export const contactsAndCalendars: Input[] = [
  {
    name: "CalDAV: a body of 60,000 elements, four times",
    run: (s) =>
      crowd(4, () =>
        dav(
          s,
          "PROPFIND",
          calendar,
          `<D:propfind ${spaces}><D:prop>${"<x/>".repeat(59_000)}</D:prop></D:propfind>`,
        )),
  },
  {
    name: "CalDAV: an event of 10 MB in short lines, four times",
    run: (s) =>
      crowd(
        4,
        (i) =>
          dav(
            s,
            "PUT",
            `${calendar}long${i}.ics`,
            event(`long${i}`, "X-A:b\r\n".repeat(1_000_000)),
          ),
      ),
  },
  {
    name: "CalDAV: large events are stored, and searched",
    async run(s) {
      for (const [i, line] of large.entries()) {
        await dav(s, "PUT", `${calendar}large${i}.ics`, event(`large${i}`, line));
      }
      await dav(s, "REPORT", calendar, search);
    },
  },
  {
    name: "CalDAV: events of each second for twenty years, one by one",
    async run(s) {
      for (let i = 0; i < 5; i++) {
        await dav(s, "PUT", `${calendar}each${i}.ics`, event(`each${i}`, "RRULE:FREQ=SECONDLY"));
      }
      await dav(s, "REPORT", calendar, expand);
    },
  },
];
