/** What public reports about contacts and calendars of other servers and clients of JMAP describe, sent to this one. */
import assert from "node:assert/strict";
import type { Client, Json } from "../world.ts";
import { clauses, dav, done, guest, made } from "./clauses.ts";

const usual = async (c: Client, type: string): Promise<string> =>
  (await c.call(`${type}/get`)).list.find((b: Json) => b.isDefault).id;
const ical = (...lines: string[]) =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", ...lines, "END:VCALENDAR", ""].join("\r\n");
const zoned = (name: string, time: string) => `${name};TZID=Europe/Berlin:${time}`;

clauses("reports about calendars", async (clause, w) => {
  const { ann, bob } = w;
  const cal = await usual(ann, "Calendar");
  const put = async (name: string, text: string) => {
    assert.equal((await dav(w, ann, "PUT", `calendars/ann/default/${name}.ics`, text)).status, 201);
  };
  const stored = async (name: string) =>
    (await dav(w, ann, "GET", `calendars/ann/default/${name}.ics`)).text.replace(/\r\n[ \t]/g, "");
  const byUid = async (uid: string) => {
    const { ids } = await ann.call("CalendarEvent/query", { filter: { uid } });
    return (await ann.call("CalendarEvent/get", { ids })).list[0];
  };
  const set = (args: Json) => ann.call("CalendarEvent/set", args);
  const event = async (o: Json, more: Json = {}) =>
    made(
      await set({
        create: {
          e: {
            calendarIds: { [cal]: true },
            start: "2027-05-03T10:00:00",
            timeZone: "Europe/Berlin",
            ...o,
          },
        },
        ...more,
      }),
    );

  await clause("cyrus-imapd 2644: an answer leaves the sequence of an invitation", async () => {
    await put(
      "inv",
      ical(
        "BEGIN:VEVENT",
        "UID:inv@x",
        "DTSTAMP:20270101T000000Z",
        "SEQUENCE:1",
        zoned("DTSTART", "20270503T100000"),
        "ORGANIZER:mailto:boss@to.example",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ann@mox.example",
        "ATTENDEE:mailto:boss@to.example",
        "END:VEVENT",
      ),
    );
    const e = await byUid("inv@x");
    const [id] = Object.entries(e.participants as Json).find(([, p]) =>
      (p as Json).calendarAddress === "mailto:ann@mox.example"
    )!;
    done(
      await set({ update: { [e.id]: { [`participants/${id}/participationStatus`]: "accepted" } } }),
    );
    assert.equal((await byUid("inv@x")).sequence, 1);
    assert.match(await stored("inv"), /SEQUENCE:1\r\n/);
    assert.match(await stored("inv"), /PARTSTAT=ACCEPTED[^\r]*ann@mox/i);
  });
  await clause(
    "cyrus-imapd 4687: one kind of default alerts is changed, the other stays",
    async () => {
      const alerts = (id: string) => ({
        [id]: { trigger: { "@type": "OffsetTrigger", offset: "-PT5M" } },
      });
      const c = made(
        await ann.call("Calendar/set", {
          create: {
            e: {
              name: "A",
              defaultAlertsWithTime: alerts("w"),
              defaultAlertsWithoutTime: alerts("o"),
            },
          },
        }),
      ).id;
      done(
        await ann.call("Calendar/set", {
          update: { [c]: { defaultAlertsWithTime: alerts("w2") } },
        }),
      );
      const got = (await ann.call("Calendar/get", { ids: [c] })).list[0];
      assert.deepEqual([
        Object.keys(got.defaultAlertsWithTime),
        Object.keys(got.defaultAlertsWithoutTime),
      ], [["w2"], ["o"]]);
    },
  );
  await clause(
    "cyrus-imapd 2558: a state that never was is cannotCalculateChanges, for all types",
    async () => {
      for (
        const type of [
          "CalendarEvent",
          "Calendar",
          "ContactCard",
          "AddressBook",
          "ShareNotification",
          "CalendarEventNotification",
          "ParticipantIdentity",
          "Principal",
          "Quota",
          "Identity",
          "EmailSubmission",
        ]
      ) {
        for (const sinceState of ["x", "999999999", ""]) {
          assert.equal(
            (await ann.fails(`${type}/changes`, { sinceState, maxChanges: 100 })).type,
            "cannotCalculateChanges",
            `${type} ${sinceState}`,
          );
        }
      }
    },
  );
  await clause("cyrus-imapd 4344, 3876: an event starts with sequence 0", async () => {
    const e = await event({
      title: "New",
      participants: { b: { calendarAddress: "mailto:bob@mox.example", roles: { attendee: true } } },
    }, { sendSchedulingMessages: true });
    const got = (await ann.call("CalendarEvent/get", { ids: [e.id] })).list[0];
    assert.equal(got.sequence ?? 0, 0);
    const [there] = (await bob.call("CalendarEvent/get")).list;
    assert.deepEqual([there.title, there.sequence ?? 0], ["New", 0]);
  });
  await clause(
    "cyrus-imapd 5364: a sequence that is no number is passed over in a file",
    async () => {
      const blob = await ann.upload(
        ical(
          "BEGIN:VEVENT",
          "UID:s@x",
          "DTSTAMP:20270101T000000Z",
          "SEQUENCE:bogus",
          "DTSTART:20270503T100000Z",
          "SUMMARY:S",
          "END:VEVENT",
        ),
        "text/calendar",
      );
      const r = await ann.call("CalendarEvent/parse", { blobIds: [blob] });
      assert.deepEqual([r.notParsable, r.parsed[blob][0].title], [null, "S"]);
    },
  );
  await clause(
    "stalwart 2995, bulwark 192, mustang 1431: people are kept as a client writes them, and are told",
    async () => {
      const before = w.host.mails.length;
      const e = await event({
        title: "Probe",
        status: "confirmed",
        showWithoutTime: false,
        participants: {
          p: {
            "@type": "Participant",
            name: "",
            email: "carl@to.example",
            kind: "individual",
            roles: { attendee: true },
            participationStatus: "needs-action",
            expectReply: true,
            scheduleAgent: "server",
            sendTo: { imip: "mailto:carl@to.example" },
          },
        },
      }, { sendSchedulingMessages: true });
      const got = (await ann.call("CalendarEvent/get", {
        ids: [e.id],
        properties: ["participants", "organizerCalendarAddress"],
      })).list[0];
      const people = Object.values(got.participants) as Json[];
      assert.ok(
        people.some((p) =>
          p.calendarAddress === "mailto:carl@to.example" && p.participationStatus === "needs-action"
        ),
      );
      assert.equal(got.organizerCalendarAddress, "mailto:ann@mox.example");
      for (let i = 0; i < 600 && w.host.mails.length === before; i++) {
        await new Promise((r) => setTimeout(r, 50));
      }
      assert.match(w.host.mails[before].data, /METHOD:REQUEST/);
    },
  );
  await clause(
    "bulwark 70: a phone's event is written back whole by a client that changes its title",
    async () => {
      await put(
        "tb",
        ical(
          "BEGIN:VEVENT",
          "UID:tb@x",
          "DTSTAMP:20270101T000000Z",
          "CREATED:20270101T000000Z",
          "LAST-MODIFIED:20270101T000000Z",
          zoned("DTSTART", "20270503T100000"),
          zoned("DTEND", "20270503T110000"),
          "SUMMARY:Old",
          "TRANSP:OPAQUE",
          "X-MOZ-GENERATION:2",
          "X-MOZ-LASTACK:20270101T000000Z",
          "RRULE:FREQ=WEEKLY",
          "BEGIN:VALARM",
          "ACTION:DISPLAY",
          "TRIGGER:-PT15M",
          "DESCRIPTION:x",
          "END:VALARM",
          "END:VEVENT",
        ),
      );
      const { id, isOrigin: _o, baseEventId: _b, ...whole } = await byUid("tb@x");
      done(await set({ update: { [id]: { ...whole, title: "New" } } }));
      const text = await stored("tb");
      assert.match(text, /SUMMARY:New\r\n/);
      for (const line of ["X-MOZ-GENERATION:2", "RRULE:FREQ=WEEKLY", "TRIGGER:-PT15M"]) {
        assert.ok(text.includes(line), line);
      }
    },
  );
  await clause(
    "twake-calendar-frontend 819: a date's RECURRENCE-ID has the form of DTSTART, and is there once",
    async () => {
      await put(
        "rec",
        ical(
          "BEGIN:VEVENT",
          "UID:rec@x",
          "DTSTAMP:20270101T000000Z",
          zoned("DTSTART", "20270503T100000"),
          zoned("DTEND", "20270503T110000"),
          "RRULE:FREQ=DAILY;COUNT=3",
          "SUMMARY:R",
          "END:VEVENT",
          "BEGIN:VEVENT",
          "UID:rec@x",
          "DTSTAMP:20270101T000000Z",
          zoned("RECURRENCE-ID", "20270504T100000"),
          zoned("DTSTART", "20270504T100000"),
          zoned("DTEND", "20270504T110000"),
          "SUMMARY:R2",
          "END:VEVENT",
        ),
      );
      const e = await byUid("rec@x");
      done(await set({ update: { [`${e.id}_20270504T100000`]: { title: "R3" } } }));
      assert.deepEqual((await stored("rec")).match(/RECURRENCE-ID[^\r]*/g), [
        zoned("RECURRENCE-ID", "20270504T100000"),
      ]);
    },
  );
  await clause("calich 73: a date has no rule of its own", async () => {
    const e = await event({ recurrenceRule: { frequency: "daily", count: 3 } });
    const r = await set({
      update: { [`${e.id}_20270504T100000`]: { recurrenceRule: { frequency: "daily" } } },
    });
    const got = (await ann.call("CalendarEvent/get", { ids: [e.id] })).list[0];
    assert.equal(
      JSON.stringify(got.recurrenceOverrides ?? {}).includes("recurrenceRule"),
      false,
      JSON.stringify(r),
    );
  });
  await clause(
    "bulwark 573, 248: who a calendar is shared with sees it at once, under the owner's account",
    async () => {
      const id = made(await ann.call("Calendar/set", { create: { e: { name: "Pro" } } })).id;
      done(
        await ann.call("Calendar/set", {
          update: { [id]: { "shareWith": { bob: { mayReadItems: true, mayReadFreeBusy: true } } } },
        }),
      );
      const s = (await bob.raw("session")).json;
      assert.equal(s.accounts.ann.isPersonal, false);
      assert.ok("urn:ietf:params:jmap:calendars" in s.accounts.ann.accountCapabilities);
      assert.deepEqual(
        (await guest(bob, "ann").call("Calendar/get")).list.map((c: Json) => c.name),
        ["Pro"],
      );
      assert.deepEqual(
        Object.keys((await ann.call("Calendar/get", { ids: [id] })).list[0].shareWith),
        ["bob"],
      );
    },
  );
  await clause(
    "bulwark 760: a calendar that JMAP made says by CalDAV that it has events, and no tasks",
    async () => {
      done(await ann.call("Calendar/set", { create: { e: { name: "Events" } } }));
      const r = await dav(
        w,
        ann,
        "PROPFIND",
        "calendars/ann/",
        `<propfind xmlns="DAV:"><prop><displayname/><supported-calendar-component-set xmlns="urn:ietf:params:xml:ns:caldav"/></prop></propfind>`,
      );
      const [made] = r.text.split(/<(?:\w+:)?response>/).filter((x) => x.includes(">Events<"));
      assert.match(made, /name="VEVENT"/);
      assert.doesNotMatch(made, /VTODO/);
    },
  );
  await clause("bulwark 907: a new account has one calendar", async () => {
    assert.equal((await bob.call("Calendar/get")).list.length, 1);
  });
});

clauses("reports about contacts and mail", async (clause, w) => {
  const { ann } = w;
  const book = await usual(ann, "AddressBook");
  const create = (o: Json) =>
    ann.call("ContactCard/set", { create: { e: { addressBookIds: { [book]: true }, ...o } } });
  const vcards = async () => {
    const list = await dav(
      w,
      ann,
      "REPORT",
      "addressbooks/ann/default/",
      `<A:addressbook-query xmlns:A="urn:ietf:params:xml:ns:carddav" xmlns="DAV:"><prop><A:address-data/></prop><A:filter/></A:addressbook-query>`,
      "application/xml",
    );
    return list.text;
  };

  await clause("bulwark 430: a card of name parts alone has an FN for phones", async () => {
    made(
      await create({
        name: {
          components: [{ kind: "given", value: "ABTest" }, { kind: "surname", value: "Web" }],
        },
      }),
    );
    assert.match(await vcards(), /FN[^:\n]*:ABTest Web/);
  });
  await clause("cyrus-imapd 5936: what a card has from its vCard may be written back", async () => {
    const text = [
      "BEGIN:VCARD",
      "VERSION:3.0",
      "UID:conv",
      "FN:Conv Erted",
      "N:Erted;Conv;;;",
      "TEL;TYPE=CELL,X-ODD:+491",
      "X-UNKNOWN;A=b:value",
      "EMAIL;TYPE=INTERNET,WORK,pref:c@x.example",
      "END:VCARD",
      "",
    ].join("\r\n");
    assert.equal(
      (await dav(w, ann, "PUT", "addressbooks/ann/default/conv.vcf", text, "text/vcard")).status,
      201,
    );
    const { ids: [id] } = await ann.call("ContactCard/query", { filter: { uid: "conv" } });
    const [card] = (await ann.call("ContactCard/get", { ids: [id] })).list;
    done(
      await ann.call("ContactCard/set", {
        update: { [id]: { ...card, notes: { n: { note: "added" } } } },
      }),
    );
    const after = await dav(w, ann, "GET", "addressbooks/ann/default/conv.vcf");
    for (const line of ["X-UNKNOWN;A=b:value", "NOTE", "TYPE=CELL,X-ODD"]) {
      assert.ok(after.text.includes(line), `${line}: ${after.text}`);
    }
  });
  await clause(
    "cyrus-imapd 4877: the photo of a card of version 4 is a data: URI, of version 3 in base64",
    async () => {
      const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 1, 2);
      for (
        const [version, form] of [["4.0", /PHOTO[^:\r]*:data:image\/png;base64,iVBOR/], [
          "3.0",
          /PHOTO[^\r]*ENCODING=B[^\r]*:iVBOR/i,
        ]] as const
      ) {
        const name = `photo${version[0]}`;
        const text = [
          "BEGIN:VCARD",
          `VERSION:${version}`,
          `UID:${name}`,
          "FN:P",
          "N:P;;;;",
          "END:VCARD",
          "",
        ].join("\r\n");
        assert.equal(
          (await dav(w, ann, "PUT", `addressbooks/ann/default/${name}.vcf`, text, "text/vcard"))
            .status,
          201,
        );
        const { ids: [id] } = await ann.call("ContactCard/query", { filter: { uid: name } });
        const blobId = await ann.upload(png, "image/png");
        done(
          await ann.call("ContactCard/set", {
            update: { [id]: { media: { p: { kind: "photo", blobId } } } },
          }),
        );
        assert.match(
          (await dav(w, ann, "GET", `addressbooks/ann/default/${name}.vcf`)).text.replace(
            /\r\n[ \t]/g,
            "",
          ),
          form,
        );
      }
    },
  );
  await clause(
    "cyrus-imapd 5410: the account's limits of mail are all there, as mujmap, aerc and meli read them",
    async () => {
      const mail = (await ann.raw("session")).json.accounts.ann
        .accountCapabilities["urn:ietf:params:jmap:mail"];
      for (
        const k of [
          "maxMailboxesPerEmail",
          "maxMailboxDepth",
          "maxSizeMailboxName",
          "maxSizeAttachmentsPerEmail",
          "emailQuerySortOptions",
          "mayCreateTopLevelMailbox",
        ]
      ) {
        assert.ok(k in mail, k);
      }
    },
  );
  await clause("cyrus-imapd 3687: changes over a mailbox that is gone", async () => {
    const { state } = await ann.call("Email/get", { ids: [] });
    const m = made(await ann.call("Mailbox/set", { create: { e: { name: "Gone" } } })).id;
    await ann.import("Subject: x\r\n\r\ny\r\n", m);
    done(await ann.call("Mailbox/set", { destroy: [m], onDestroyRemoveEmails: true }));
    const c = await ann.call("Email/changes", { sinceState: state, maxChanges: 50 });
    assert.deepEqual([c.created, c.updated], [[], []]);
  });
});
