/** Fuzz targets: calendars, cards, rules of recurrence, bodies of WebDAV. @module */
import { parseComponents, writeComponent } from "../../src/mail/contentline/component.ts";
import { FormatError } from "../../src/mail/contentline/component.ts";
import { busyTimes } from "../../src/mail/calendar/freebusy.ts";
import { ObjectError, readObject } from "../../src/mail/calendar/object.ts";
import { calendarData } from "../../src/mail/calendar/output.ts";
import { occurrences } from "../../src/mail/calendar/recurrence.ts";
import { parseRule } from "../../src/mail/calendar/recurrence_rule.ts";
import { parseMdn } from "../../src/mail/dsn/mdn.ts";
import { eventFromSeries } from "../../src/mail/jscalendar/from_ical.ts";
import { eventProblems } from "../../src/mail/jscalendar/schema.ts";
import { cardFromVcard } from "../../src/mail/jscontact/from_vcard.ts";
import { vcardOf } from "../../src/mail/jscontact/to_vcard.ts";
import { CardError, cardText, readCard } from "../../src/mail/vcard/card.ts";
import { DavError } from "../../src/dav/core/errors.ts";
import { ifHolds } from "../../src/dav/core/if_header.ts";
import { calendarFilter } from "../../src/dav/query/calendar_filter.ts";
import { cardFilter } from "../../src/dav/query/card_filter.ts";
import { changesOf, checkChanges } from "../../src/dav/properties/change.ts";
import { parseXml, XmlError } from "../../src/dav/xml/parse.ts";
import { parseStored } from "../../src/dav/xml/stored.ts";
import { serialize } from "../../src/dav/xml/write.ts";
import { card, event, ns } from "../dav/world.ts";
import type { Target } from "./targets.ts";

const text = new TextDecoder("latin1");
const utf8 = new TextDecoder();
const year = { start: Date.UTC(2026, 0, 1), end: Date.UTC(2027, 0, 1) };

const calendars = [
  event(
    "a",
    "DTSTART;TZID=Europe/Berlin:20260105T100000",
    "DURATION:PT1H",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20270101T000000Z",
    "EXDATE;TZID=Europe/Berlin:20260112T100000",
    "RDATE;VALUE=PERIOD:20260301T100000Z/PT2H",
    'ATTENDEE;CN="x, y";PARTSTAT=DECLINED:mailto:a@b.example',
    "BEGIN:VALARM",
    "TRIGGER;RELATED=END:-PT5M",
    "END:VALARM",
  ),
  event("b", "DTSTART;VALUE=DATE:20260228", "DTEND;VALUE=DATE:20260302", "RRULE:FREQ=YEARLY"),
  event("c", "DUE:20260110T100000Z", "COMPLETED:20260111T100000Z").replaceAll("VEVENT", "VTODO"),
];

export const davTargets: Record<string, Target> = {
  "content lines": {
    allowed: [FormatError],
    seeds: [...calendars, card("a", "FN:A", "item1.EMAIL;TYPE=a,b:x@y.example")],
    run(input) {
      const list = parseComponents(utf8.decode(input));
      // What was read is written as it stood, and read again the same.
      const again = list.map(writeComponent).join("");
      const twice = parseComponents(again).map(writeComponent).join("");
      if (twice !== again) throw new Error("written differs from read");
    },
  },
  "calendar objects": {
    allowed: [ObjectError],
    seeds: calendars,
    run(input) {
      const series = readObject(input);
      series.bounds();
      busyTimes(series, year);
      const found = series.instances(year.start, year.end, 1000);
      if (found.length > 1000) throw new Error("more instances than asked for");
      calendarData(series, {
        comp: undefined,
        expand: { start: year.start, end: year.start + 40 * 86_400_000 },
        limitRecurrence: undefined,
        limitFreeBusy: undefined,
      });
    },
  },
  "recurrence rules": {
    seeds: [
      "FREQ=YEARLY;INTERVAL=2;BYMONTH=1,2;BYDAY=-1SU;COUNT=10",
      "FREQ=MINUTELY;BYHOUR=3;BYSETPOS=-1",
      "FREQ=YEARLY;BYWEEKNO=1,-1;BYYEARDAY=366;WKST=SU;UNTIL=20300101T000000Z",
    ],
    run(input) {
      const rule = parseRule(text.decode(input));
      if (typeof rule === "string") return;
      let last = -Infinity;
      let n = 0;
      for (const t of occurrences(rule, year.start, year.start, Date.UTC(2036, 0, 1))) {
        if (t <= last) throw new Error("times are not in order");
        last = t;
        if (++n > 500) break;
      }
    },
  },
  "cards": {
    allowed: [CardError],
    seeds: [card("a", "FN:A", "N:;A;;;", "EMAIL:a@b.example", "NOTE:x\\ny")],
    run(input) {
      const { component } = readCard(input);
      cardText(readCard(input));
      // As JSContact and back, unchanged, each line stays.
      const converted = cardFromVcard(component);
      const again = vcardOf(converted.card, { component, converted });
      if (writeComponent(again) !== writeComponent(component)) throw new Error("lines were lost");
    },
  },
  "events as JSCalendar": {
    allowed: [ObjectError, FormatError],
    seeds: calendars,
    run(input) {
      const series = readObject(input);
      const shown = eventFromSeries(series);
      if (shown !== undefined) eventProblems(shown);
    },
  },
  "notes that a message was read": {
    seeds: [
      "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n" +
      "Content-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\n" +
      "Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n",
    ],
    run(input) {
      parseMdn(input);
    },
  },
  "WebDAV bodies": {
    allowed: [XmlError, DavError],
    seeds: [
      `<D:propertyupdate ${ns}><D:set><D:prop><x:a xmlns:x="urn:x" x:b="1" xml:lang="de">t<c/>&lt;</x:a></D:prop></D:set></D:propertyupdate>`,
      `<C:calendar-query ${ns}><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260101T000000Z"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
      `<A:addressbook-query ${ns}><A:filter><A:prop-filter name="FN"><A:text-match>x</A:text-match></A:prop-filter></A:filter></A:addressbook-query>`,
    ],
    run(input) {
      const root = parseXml(input);
      // Stored properties come back as they were.
      const stored = serialize(root);
      if (serialize(parseStored(stored)) !== stored) throw new Error("stored XML differs");
      checkChanges(changesOf(root), "calendar", false);
      for (const read of [calendarFilter, cardFilter]) {
        try {
          read(root);
        } catch (err) {
          if (!(err instanceof DavError)) throw err;
        }
      }
    },
  },
  "If headers": {
    allowed: [DavError],
    seeds: ['(["a"]) (Not <DAV:x>)', '<http://x/> (<urn:uuid:1> ["b"])'],
    run(input) {
      ifHolds(text.decode(input), () => Promise.resolve({ etag: "a", tokens: [] })).catch((err) => {
        if (!(err instanceof DavError)) throw err;
      });
    },
  },
};
