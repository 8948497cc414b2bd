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
      "content-type": path.endsWith(".ics")
        ? "text/calendar"
        : path.endsWith(".vcf")
        ? "text/vcard"
        : "application/xml",
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

/** Hundreds of conditions, each for a long text of its own. */
const manyConditions = `<C:calendar-query ${spaces}><D:prop><D:getetag/></D:prop><C:filter>` +
  `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">${
    `<C:prop-filter name="DESCRIPTION"><C:text-match collation="i;unicode-casemap" negate-condition="yes">none</C:text-match></C:prop-filter>`
      .repeat(300)
  }</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`;

const cards = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"';
const manyCardConditions =
  `<C:addressbook-query ${cards}><D:prop><D:getetag/></D:prop><C:filter test="allof">${
    `<C:prop-filter name="NOTE"><C:text-match negate-condition="yes">none</C:text-match></C:prop-filter>`
      .repeat(300)
  }</C:filter></C:addressbook-query>`;

const day = (n: number) =>
  new Date(Date.UTC(2020, 0, 1) + n * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");

/** An event each second, of which a thousand dates move all that follow by decades. */
const movedByDecades = event(
  "moved",
  "RRULE:FREQ=SECONDLY",
  ...Array.from({ length: 1200 }, (_, i) => [
    "END:VEVENT",
    "BEGIN:VEVENT",
    "UID:moved",
    `RECURRENCE-ID;RANGE=THISANDFUTURE:${day(i)}T000000Z`,
    `DTSTART:${day(i + 30_000)}T000000Z`,
  ]).flat(),
);

/** Elements in each other, as deep as a body goes, of which each asks for all that is below. */
const deep = `<D:propfind ${spaces}><D:prop>${"<x>".repeat(20_000)}`;

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
  {
    name: "CalDAV and CardDAV: 300 conditions for megabytes of text, four times",
    async run(s) {
      const words = "wörter und ".repeat(9_000);
      const lines = Array.from({ length: 20 }, () => `DESCRIPTION:${words}`);
      await dav(s, "PUT", `${calendar}words.ics`, event("words", ...lines));
      await dav(
        s,
        "PUT",
        "/dav/addressbooks/mox/default/words.vcf",
        ["BEGIN:VCARD", "VERSION:3.0", "UID:words", "FN:Words"].join("\r\n") +
          `\r\n${`NOTE:${words}\r\n`.repeat(20)}END:VCARD\r\n`,
      );
      await crowd(4, async () => {
        await dav(s, "REPORT", calendar, manyConditions);
        await dav(s, "REPORT", "/dav/addressbooks/mox/default/", manyCardConditions);
      });
    },
  },
  {
    name: "CalDAV: a thousand dates that move all that follow by decades",
    async run(s) {
      await dav(s, "PUT", `${calendar}moved.ics`, movedByDecades);
      await crowd(4, () => dav(s, "REPORT", calendar, expand));
    },
  },
  {
    name: "CalDAV: 400 PROPFINDs of everything at once, and bodies that are deep",
    async run(s) {
      await crowd(400, () => dav(s, "PROPFIND", "/dav/calendars/mox/", ""));
      await crowd(20, () => dav(s, "PROPFIND", calendar, deep));
    },
  },
];
