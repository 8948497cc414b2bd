/** Single dates of a series in the webmail's calendar: changed, removed, and with all that follow. */
import assert from "node:assert/strict";
import type { EventForm, SeriesPart } from "../../../webmail/api/mod.ts";
import { calendarObject } from "../../../src/groupware/objects.ts";
import { type CalendarMail, openScheduler } from "../../../src/groupware/scheduler.ts";
import type { Scheduler } from "../../../src/groupware/scheduling.ts";
import { writeComponent } from "../../../src/mail/contentline/component.ts";
import type { Groupware } from "../../../src/store/groupware/groupware.ts";
import { type Browser, refused, withWebmail } from "./server.ts";

const zone = "Europe/Berlin";

const form = (more: Partial<EventForm> = {}): EventForm => ({
  title: "Gym",
  place: "",
  description: "",
  allDay: false,
  start: "2027-03-02T12:00",
  end: "2027-03-02T13:00",
  repeat: { every: "week", interval: 1, until: null, count: 6 },
  people: [],
  privacy: "public",
  ...more,
});

interface World {
  b: Browser;
  g: Groupware;
  id: number;
  mails: CalendarMail[];
  /** Title, start and length of all dates of 2027. */
  shown(): Promise<string[]>;
  /** The part of a series that begins at a time. */
  part(start: string, following: boolean): Promise<SeriesPart>;
  get(name: string, part?: SeriesPart): Promise<{ event: EventForm; etag: string }>;
  change(name: string, part: SeriesPart | null, more: Partial<EventForm>): Promise<string>;
  remove(name: string, part: SeriesPart): Promise<void>;
}

function withSeries(
  event: EventForm | string[],
  fn: (w: World, name: string) => Promise<void>,
): Promise<void> {
  const mails: CalendarMail[] = [];
  let made: Scheduler | undefined;
  const scheduler: Scheduler = {
    defaultCalendar: (g) => made!.defaultCalendar(g),
    write: (x) => made!.write(x),
    remove: (x) => made!.remove(x),
    busy: (...x) => made!.busy(...x),
    times: (...x) => made!.times(...x),
  };
  return withWebmail(async (web) => {
    made = openScheduler({
      config: web.services.config,
      accounts: web.accounts,
      send: (m) => Promise.resolve(void mails.push(m)),
    });
    const b = await web.login();
    const g = await web.account.groupware();
    const all = () => b.call("CalendarItems", { zone, from: "2027-01-01", to: "2027-12-31" });
    const { id } = (await all()).calendars[0];
    const w: World = {
      b,
      g,
      id,
      mails,
      shown: async () =>
        (await all()).items.map((i) =>
          `${i.title} ${i.start.slice(5)}${i.allDay ? "" : ` ${i.end.slice(11)}`}`
        ),
      part: async (start, following) => {
        const item = (await all()).items.find((i) => i.start === start);
        assert.ok(item && item.date !== null, start);
        return { date: item.date, following };
      },
      get: async (name, part) => {
        const got = await b.call("CalendarEventGet", {
          calendarId: id,
          name,
          zone,
          part: part ?? null,
        });
        return { event: got.event as EventForm, etag: got.etag };
      },
      change: async (name, part, more) => {
        const got = await w.get(name, part ?? undefined);
        const old = { calendarId: id, name, etag: got.etag };
        const done = await b.call("CalendarEventSave", {
          zone,
          calendarId: id,
          old,
          part,
          event: { ...got.event, ...more },
        });
        return done.name;
      },
      remove: async (name, part) => {
        const { etag } = await w.get(name);
        await b.call("CalendarEventDelete", { calendarId: id, name, etag, part });
      },
    };
    let name = "a.ics";
    if (Array.isArray(event)) {
      const lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", ...event];
      const text = [...lines, "END:VCALENDAR", ""].join("\r\n");
      await g.put(id, calendarObject(name, new TextEncoder().encode(text)));
    } else {
      const done = await b.call("CalendarEventSave", { zone, calendarId: id, old: null, event });
      name = done.name;
    }
    await fn(w, name);
  }, { scheduler });
}

const text = (w: World, name: string) =>
  new TextDecoder().decode(w.g.content(w.g.object(w.id, name)!.id)).replace(/\r\n /g, "");

Deno.test("one date is changed, changed again, and removed; the others stay, across summer time", () =>
  withSeries(form(), async (w, name) => {
    const date = await w.part("2027-03-30T12:00", false);
    assert.deepEqual((await w.get(name, date)).event, {
      ...form({ start: "2027-03-30T12:00", end: "2027-03-30T13:00" }),
      repeat: { every: "never" },
    });
    // Nothing changed: nothing is written.
    const { etag } = w.g.object(w.id, name)!;
    await w.change(name, date, {});
    assert.equal(w.g.object(w.id, name)!.etag, etag);
    await w.change(name, date, {
      title: "Swimming",
      start: "2027-04-01T18:00",
      end: "2027-04-01T20:00",
    });
    const others = ["03-02", "03-09", "03-16", "03-23"].map((d) => `Gym ${d}T12:00 13:00`);
    assert.deepEqual(await w.shown(), [
      ...others,
      "Swimming 04-01T18:00 20:00",
      "Gym 04-06T12:00 13:00",
    ]);
    assert.match(text(w, name), /RECURRENCE-ID;TZID=Europe\/Berlin:20270330T120000\r\n/);
    assert.match(text(w, name), /RRULE:FREQ=WEEKLY;COUNT=6\r\n/);
    // It is known by the date that the series has for it.
    assert.deepEqual(await w.part("2027-04-01T18:00", false), date);
    await w.change(name, date, { place: "Pool" });
    assert.equal(text(w, name).match(/RECURRENCE-ID/g)?.length, 1);
    assert.equal((await w.get(name, date)).event.place, "Pool");
    assert.equal((await w.get(name)).event.place, "");
    await w.remove(name, date);
    await w.remove(name, await w.part("2027-03-02T12:00", false));
    assert.deepEqual(await w.shown(), [...others.slice(1), "Gym 04-06T12:00 13:00"]);
    assert.doesNotMatch(text(w, name), /RECURRENCE-ID/);
    const old = { calendarId: w.id, name, etag: w.g.object(w.id, name)!.etag };
    const gone = w.b.call("CalendarEventDelete", { ...old, part: date });
    assert.match(await refused(gone, "user"), /no such date/);
  }));

Deno.test("the last date that is removed takes the event with it", () =>
  withSeries(
    form({ repeat: { every: "day", interval: 1, until: "2027-03-03", count: null } }),
    async (w, name) => {
      await w.remove(name, await w.part("2027-03-02T12:00", false));
      await w.remove(name, await w.part("2027-03-03T12:00", false));
      assert.deepEqual(await w.shown(), []);
      assert.equal(w.g.object(w.id, name), undefined);
    },
  ));

Deno.test("a date and all that follow: changed as an event of their own, of COUNT the rest", () =>
  withSeries(form(), async (w, name) => {
    await w.change(name, await w.part("2027-03-09T12:00", false), { title: "Early" });
    await w.change(name, await w.part("2027-03-30T12:00", false), { title: "Late" });
    await w.remove(name, await w.part("2027-04-06T12:00", false));
    const part = await w.part("2027-03-23T12:00", true);
    const { event } = await w.get(name, part);
    assert.equal(event.start, "2027-03-23T12:00");
    assert.deepEqual(event.repeat, { every: "week", interval: 1, until: null, count: 3 });
    const fresh = await w.change(name, part, { title: "Rowing" });
    assert.notEqual(fresh, name);
    // Differences stay on both sides.
    assert.deepEqual(await w.shown(), [
      "Gym 03-02T12:00 13:00",
      "Early 03-09T12:00 13:00",
      "Gym 03-16T12:00 13:00",
      "Rowing 03-23T12:00 13:00",
      "Late 03-30T12:00 13:00",
    ]);
    assert.match(text(w, name), /RRULE:FREQ=WEEKLY;UNTIL=20270323T105959Z\r\n/);
    assert.equal(new Set(text(w, fresh).match(/\nUID:.*/g)).size, 1);
    // From the first date on is all of it.
    const all = await w.change(fresh, await w.part("2027-03-23T12:00", true), { place: "Lake" });
    assert.notEqual(all, fresh);
    assert.equal(w.g.object(w.id, fresh), undefined);
    await w.remove(all, await w.part("2027-03-30T12:00", true));
    await w.remove(name, await w.part("2027-03-09T12:00", true));
    assert.deepEqual(await w.shown(), ["Gym 03-02T12:00 13:00", "Rowing 03-23T12:00 13:00"]);
  }));

Deno.test("whole days, other zones and rules that the form has no fields for", () =>
  withSeries([
    "BEGIN:VEVENT",
    "UID:days",
    "DTSTAMP:20260101T000000Z",
    "DTSTART;VALUE=DATE:20270105",
    "DTEND;VALUE=DATE:20270107",
    "RRULE:FREQ=MONTHLY;BYDAY=1TU;UNTIL=20270601",
    "X-KEPT:yes",
    "SUMMARY:Fair",
    "END:VEVENT",
  ], async (w, name) => {
    await w.change(name, await w.part("2027-02-02", false), { end: "2027-02-02" });
    await w.remove(name, await w.part("2027-03-02", false));
    assert.match(text(w, name), /RECURRENCE-ID;VALUE=DATE:20270202\r\n/);
    assert.match(text(w, name), /EXDATE;VALUE=DATE:20270302\r\n/);
    assert.match(text(w, name), /X-KEPT:yes\r\n/);
    assert.equal((await w.get(name, await w.part("2027-02-02", false))).event.end, "2027-02-02");
    const fresh = await w.change(name, await w.part("2027-05-04", true), { title: "Market" });
    assert.match(text(w, name), /RRULE:FREQ=MONTHLY;BYDAY=1TU;UNTIL=20270503\r\n/);
    assert.match(text(w, fresh), /RRULE:FREQ=MONTHLY;BYDAY=1TU;UNTIL=20270601\r\n/);
    assert.deepEqual(await w.shown(), [
      "Fair 01-05",
      "Fair 02-02",
      "Fair 04-06",
      "Market 05-04",
      "Market 06-01",
    ]);
  }));

Deno.test("people hear of a date; dates of others' events stay", async () => {
  await withSeries(form({ people: ["ann@to.example"] }), async (w, name) => {
    w.mails.length = 0;
    const date = await w.part("2027-03-16T12:00", false);
    await w.change(name, date, { start: "2027-03-17T12:00", end: "2027-03-17T13:00" });
    assert.deepEqual(w.mails.map((m) => `${m.method} ${m.to}`), ["REQUEST ann@to.example"]);
    w.mails.length = 0;
    await w.remove(name, date);
    assert.ok(w.mails.length > 0 && w.mails.every((m) => m.to === "ann@to.example"));
    assert.equal((await w.shown()).length, 5);
  });
  await withSeries([
    "BEGIN:VEVENT",
    "UID:theirs",
    "DTSTAMP:20260101T000000Z",
    "DTSTART:20270112T100000Z",
    "RRULE:FREQ=DAILY;COUNT=3",
    "SUMMARY:Theirs",
    "ORGANIZER:mailto:zoe@to.example",
    "ATTENDEE:mailto:mox@localhost",
    "END:VEVENT",
  ], async (w, name) => {
    const part = await w.part("2027-01-13T11:00", false);
    assert.match(await refused(w.change(name, part, { title: "x" }), "user"), /organizer/);
    assert.match(await refused(w.remove(name, part), "user"), /organizer/);
    assert.equal((await w.shown()).length, 3);
  });
});

Deno.test("one date of an invitation is declined, then all are accepted; its organizer is told of each", () =>
  withSeries([
    "BEGIN:VEVENT",
    "UID:invited",
    "DTSTAMP:20270101T000000Z",
    "DTSTART;TZID=Europe/Berlin:20270302T120000",
    "DTEND;TZID=Europe/Berlin:20270302T130000",
    "RRULE:FREQ=WEEKLY;COUNT=3",
    "SUMMARY:Jour fixe",
    "ORGANIZER:mailto:boss@elsewhere.example",
    "ATTENDEE;PARTSTAT=ACCEPTED:mailto:boss@elsewhere.example",
    "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:mox@localhost",
    "END:VEVENT",
  ], async (w, name) => {
    const items = async () =>
      (await w.b.call("CalendarItems", { zone, from: "2027-01-01", to: "2027-12-31" })).items;
    const answer = async (date: number | null, said: "accepted" | "declined") => {
      const got = await w.b.call("CalendarEventGet", { calendarId: w.id, name, zone });
      await w.b.call("CalendarEventAnswer", {
        calendarId: w.id,
        name,
        etag: got.etag,
        date,
        answer: said,
      });
    };
    const second = (await items())[1];
    assert.equal(second.start, "2027-03-09T12:00");
    const before = await w.b.call("CalendarEventGet", { calendarId: w.id, name, zone });
    assert.equal(before.answer, "needs-action");
    await answer(second.date, "declined");
    assert.deepEqual((await items()).map((i) => i.status), ["", "declined", ""]);
    const [{ method, to, message }] = w.mails;
    const sent = writeComponent(message).replace(/\r\n /g, "");
    assert.equal(`${method} ${to}`, "REPLY boss@elsewhere.example");
    assert.match(sent, /RECURRENCE-ID;TZID=Europe\/Berlin:20270309T120000/);
    assert.match(sent, /PARTSTAT=DECLINED/);
    const part = { date: second.date!, following: false };
    const date = await w.b.call("CalendarEventGet", { calendarId: w.id, name, zone, part });
    assert.equal(date.answer, "declined");
    await answer(null, "accepted");
    assert.deepEqual((await items()).map((i) => i.status), ["", "", ""]);
    assert.equal(w.mails.length, 2);
    assert.equal(text(w, name).match(/PARTSTAT=ACCEPTED:mailto:mox@l/g)?.length, 2);
  }));

Deno.test("who isn't invited answers nothing, and no date that the series doesn't have", () =>
  withSeries(form(), async (w, name) => {
    const { etag } = await w.get(name);
    const where = { calendarId: w.id, name, etag, answer: "declined" as const };
    await refused(w.b.call("CalendarEventAnswer", { ...where, date: null }), "user");
  }));

Deno.test("who has time: people of the own domains are told of, others not", () =>
  withSeries(form(), async (w) => {
    const busy = async (start: string, end: string) =>
      (await w.b.call("CalendarBusy", {
        zone,
        people: ["mox@localhost", "stranger@elsewhere.example"],
        start,
        end,
      })).people;
    const other = { address: "stranger@elsewhere.example", known: false, busy: [] };
    assert.deepEqual(await busy("2027-03-02T12:30", "2027-03-02T18:00"), [{
      address: "mox@localhost",
      known: true,
      busy: [{ start: "2027-03-02T12:30", end: "2027-03-02T13:00", perhaps: false }],
    }, other]);
    assert.deepEqual(await busy("2027-03-02T13:00", "2027-03-02T14:00"), [
      { address: "mox@localhost", known: true, busy: [] },
      other,
    ]);
    assert.equal((await busy("2027-03-08", "2027-03-09"))[0].busy.length, 1);
    assert.deepEqual(await busy("2027-03-09T12:00", "2027-03-09T11:00"), []);
  }));

Deno.test("calendars that others share are shown and read, others not", async () => {
  await withWebmail(async (web) => {
    const { Accounts } = web.services.config.dynamic;
    Accounts.set("ann", { ...Accounts.get("mox")!, FullName: "Ann" });
    const ann = await web.accounts.open("ann");
    try {
      const g = await ann.groupware();
      const [calendar] = g.collections("calendars").filter((c) => c.kind === "calendar");
      const secret = await g.createCollection("calendar", "secret", { components: ["VEVENT"] });
      const put = (id: number, title: string) =>
        g.put(
          id,
          calendarObject(
            "a.ics",
            new TextEncoder().encode(
              `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:${title}\r\n` +
                `DTSTAMP:20270101T000000Z\r\nDTSTART:20270302T100000Z\r\nSUMMARY:${title}\r\n` +
                "END:VEVENT\r\nEND:VCALENDAR\r\n",
            ),
          ),
        );
      await put(calendar.id, "Shared");
      await put(secret.id, "Secret");
      const b = await web.login();
      const shown = async () => {
        const r = await b.call("CalendarItems", { zone, from: "2027-03-01", to: "2027-03-31" });
        return [r.calendars.map((c) => c.owner), r.items.map((i) => [i.owner, i.title])];
      };
      assert.deepEqual(await shown(), [[""], []]);
      await g.setGrants(calendar.id, [{ account: "mox", rights: "read" }]);
      assert.deepEqual(await shown(), [["", "ann"], [["ann", "Shared"]]]);
      const where = { name: "a.ics", zone, owner: "ann" };
      const got = await b.call("CalendarEventGet", { ...where, calendarId: calendar.id });
      assert.deepEqual([got.event.title, got.answer], ["Shared", null]);
      const hidden = { ...where, calendarId: secret.id };
      await refused(b.call("CalendarEventGet", hidden), "missing");
      await refused(b.call("CalendarEventGet", { ...hidden, owner: "bob" }), "missing");
    } finally {
      ann.close();
    }
  }, { owners: (user) => user === "mox" ? ["ann", "gone"] : [] });
});

Deno.test("private events of a shared calendar are shown as their time, and changed by their owner alone", async () => {
  await withWebmail(async (web) => {
    const { Accounts } = web.services.config.dynamic;
    Accounts.set("ann", { ...Accounts.get("mox")!, FullName: "Ann" });
    const ann = await web.accounts.open("ann");
    try {
      const g = await ann.groupware();
      const [calendar] = g.collections("calendars").filter((c) => c.kind === "calendar");
      const put = async (name: string, privacy: string) => {
        const content = new TextEncoder().encode(
          `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:${name}\r\n` +
            "DTSTAMP:20270101T000000Z\r\nDTSTART:20270302T100000Z\r\nSUMMARY:Surgery\r\n" +
            `LOCATION:Clinic\r\nCLASS:${privacy}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
        );
        await g.put(calendar.id, calendarObject(name, content));
        return content;
      };
      const content = await put("p.ics", "PRIVATE");
      await put("s.ics", "CONFIDENTIAL");
      await g.setGrants(calendar.id, [{ account: "mox", rights: "write" }]);
      const b = await web.login();
      const r = await b.call("CalendarItems", { zone, from: "2027-03-01", to: "2027-03-31" });
      assert.deepEqual(r.items.map((i) => [i.owner, i.name, i.title, i.place]), [
        ["ann", "p.ics", "", ""],
      ]);
      const where = { zone, owner: "ann", calendarId: calendar.id };
      await refused(b.call("CalendarEventGet", { ...where, name: "s.ics" }), "missing");
      const got = await b.call("CalendarEventGet", { ...where, name: "p.ics" });
      assert.deepEqual([got.event.title, got.event.place, got.event.start.slice(0, 10)], [
        "",
        "",
        "2027-03-02",
      ]);
      const old = { calendarId: calendar.id, name: "p.ics", etag: got.etag };
      const event = { ...got.event, title: "Mine" };
      await refused(b.call("CalendarEventSave", { ...where, old, part: null, event }), "user");
      await refused(b.call("CalendarEventDelete", { owner: "ann", ...old, part: null }), "user");
      assert.deepEqual(g.content(g.object(calendar.id, "p.ics")!.id), content);
    } finally {
      ann.close();
    }
  }, { owners: (user) => user === "mox" ? ["ann"] : [] });
});

Deno.test("calendars that others share are changed by who may write to them, without inviting", async () => {
  let made: Scheduler | undefined;
  const scheduler: Scheduler = {
    defaultCalendar: (g) => made!.defaultCalendar(g),
    write: (x) => made!.write(x),
    remove: (x) => made!.remove(x),
    busy: (...x) => made!.busy(...x),
    times: (...x) => made!.times(...x),
  };
  const mails: CalendarMail[] = [];
  await withWebmail(async (web) => {
    made = openScheduler({
      config: web.services.config,
      accounts: web.accounts,
      send: (m) => Promise.resolve(void mails.push(m)),
    });
    const { Accounts } = web.services.config.dynamic;
    Accounts.set("ann", { ...Accounts.get("mox")!, FullName: "Ann" });
    const ann = await web.accounts.open("ann");
    try {
      const g = await ann.groupware();
      const told: [string, string, string | undefined][] = [];
      ann.onEventChange = (c) =>
        Promise.resolve(void told.push([c.kind, c.by.account ?? "", c.readers.join()]));
      const [calendar] = g.collections("calendars").filter((c) => c.kind === "calendar");
      const other = await g.createCollection("calendar", "other", { components: ["VEVENT"] });
      const b = await web.login();
      const event: EventForm = {
        title: "Plan",
        place: "",
        description: "",
        allDay: false,
        start: "2027-03-01T09:00",
        end: "2027-03-01T10:00",
        repeat: { every: "day", interval: 1, until: null, count: 5 },
        people: [],
      };
      const save = { zone, owner: "ann", calendarId: calendar.id, old: null, part: null, event };
      await refused(b.call("CalendarEventSave", save), "missing");
      await g.setGrants(calendar.id, [{ account: "mox", rights: "read" }]);
      await refused(b.call("CalendarEventSave", save), "user");
      await g.setGrants(calendar.id, [{ account: "mox", rights: "write" }]);
      await refused(b.call("CalendarEventSave", { ...save, calendarId: other.id }), "missing");
      await refused(b.call("CalendarEventSave", { ...save, owner: "bob" }), "missing");
      const invites = { ...event, people: ["x@example.org"] };
      await refused(b.call("CalendarEventSave", { ...save, event: invites }), "user");
      const { name } = await b.call("CalendarEventSave", save);
      const period = { zone, from: "2027-03-01", to: "2027-03-31" };
      const shown = async () => {
        const { calendars, items } = await b.call("CalendarItems", period);
        assert.deepEqual(calendars.map((c) => [c.owner, c.writable]), [["", true], ["ann", true]]);
        return items.map((i) => `${i.owner} ${i.title} ${i.start.slice(8)}`);
      };
      assert.equal((await shown()).length, 5);

      // A date alone, all from one on, all.
      const where = { zone, owner: "ann", calendarId: calendar.id, name };
      const change = async (n: number, following: boolean | null, title: string) => {
        const { items } = await b.call("CalendarItems", period);
        const item = items[n];
        const part = following === null ? null : { date: item.date!, following };
        const got = await b.call("CalendarEventGet", { ...where, name: item.name, part });
        const old = { calendarId: calendar.id, name: item.name, etag: got.etag };
        await b.call("CalendarEventSave", {
          ...save,
          old,
          part,
          event: { ...got.event as EventForm, title },
        });
      };
      await change(1, false, "Alone");
      await change(3, true, "Later");
      assert.deepEqual(await shown(), [
        "ann Plan 01T09:00",
        "ann Alone 02T09:00",
        "ann Plan 03T09:00",
        "ann Later 04T09:00",
        "ann Later 05T09:00",
      ]);
      const { items: [first] } = await b.call("CalendarItems", period);
      const got = await b.call("CalendarEventGet", { ...where, part: null });
      const gone = { owner: "ann", calendarId: calendar.id, name, etag: got.etag };
      const part = { date: first.date!, following: false };
      await b.call("CalendarEventDelete", { ...gone, part });
      await refused(b.call("CalendarEventDelete", { ...gone, part: null }), "conflict");
      assert.equal((await shown()).length, 4);
      assert.deepEqual([...new Set(told.map((x) => x.join(" ")))], [
        "created mox mox",
        "updated mox mox",
      ]);
      assert.deepEqual(mails, []);

      // Others are invited: that is the owner's business.
      const people = "ORGANIZER:mailto:mox@localhost\r\nATTENDEE:mailto:x@example.org\r\n";
      await g.put(
        calendar.id,
        calendarObject(
          "m.ics",
          new TextEncoder().encode(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:m\r\n" +
              `DTSTAMP:20270101T000000Z\r\nDTSTART:20270302T100000Z\r\n${people}` +
              "END:VEVENT\r\nEND:VCALENDAR\r\n",
          ),
        ),
      );
      const meeting = await b.call("CalendarEventGet", { ...where, name: "m.ics" });
      const old = { calendarId: calendar.id, name: "m.ics", etag: meeting.etag };
      await refused(
        b.call("CalendarEventSave", { ...save, old, event: { ...event, title: "Mine" } }),
        "user",
      );
      await refused(
        b.call("CalendarEventDelete", { ...old, owner: "ann", part: null }),
        "user",
      );
    } finally {
      ann.close();
    }
  }, { scheduler, owners: (user) => user === "mox" ? ["ann"] : [] });
});
