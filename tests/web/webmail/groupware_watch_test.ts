/** Pages that show calendars or contacts are told when others change them. */
import assert from "node:assert/strict";
import { calendarObject, cardObject } from "../../../src/groupware/objects.ts";
import { type Browser, type Events, query, refused, withWebmail } from "./server.ts";

const encode = (s: string) => new TextEncoder().encode(s);
const card = (uid: string) =>
  cardObject(
    `${uid}.vcf`,
    encode(`BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nN:;;;;\r\nFN:${uid}\r\nEND:VCARD\r\n`),
  );
const event = (uid: string) =>
  calendarObject(
    `${uid}.ics`,
    encode(
      "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\n" +
        `UID:${uid}\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270302T100000Z\r\n` +
        "END:VEVENT\r\nEND:VCALENDAR\r\n",
    ),
  );

/** The stream of a page that shows an empty list. */
async function page(b: Browser): Promise<{ events: Events; sseId: string }> {
  const events = await b.events(query(null));
  const { sseId } = await events.expect("start");
  await events.view();
  return { events, sseId };
}

Deno.test("a page that asked for it is told of changes, by kind; others are not", () =>
  withWebmail(async (web) => {
    const b = await web.login();
    const shows = await page(b);
    const other = await page(b);
    const g = await web.account.groupware();
    const book = g.collection("addressbooks", "default")!.id;
    const calendar = g.collection("calendars", "default")!.id;
    const inbox = g.collection("calendars", "inbox")!.id;
    await b.call("GroupwareFollow", { sseId: shows.sseId, follow: true });
    await refused(b.call("GroupwareFollow", { sseId: "none", follow: true }), "missing");

    // The first time it isn't known what the page shows.
    await g.put(book, card("a"));
    assert.deepEqual(await shows.events.change("groupware"), {
      kind: "groupware",
      calendars: true,
      contacts: true,
    });
    await g.put(calendar, event("e"));
    assert.deepEqual(await shows.events.change("groupware"), {
      kind: "groupware",
      calendars: true,
      contacts: false,
    });
    // Messages of scheduling are in no calendar.
    await g.put(inbox, event("i"));
    await g.put(book, card("c"));
    assert.deepEqual(await shows.events.change("groupware"), {
      kind: "groupware",
      calendars: false,
      contacts: true,
    });

    // What comes next is of the mailboxes: nothing of the groupware is told any more.
    await b.call("GroupwareFollow", { sseId: shows.sseId, follow: false });
    await g.put(book, card("b"));
    await b.call("MailboxCreate", { name: "Later" });
    for (const { events } of [shows, other]) {
      const { changes } = await events.expect("changes");
      assert.deepEqual(changes.map((c) => c.kind), ["mailboxAdd"]);
    }
  }));

Deno.test("changes in what another account shares are told, those in the rest of it not", () =>
  withWebmail(async (web) => {
    const { Accounts } = web.services.config.dynamic;
    Accounts.set("ann", { ...Accounts.get("mox")!, FullName: "Ann" });
    const ann = await web.accounts.open("ann");
    try {
      const g = await ann.groupware();
      const hidden = g.collection("addressbooks", "default")!.id;
      const shared = (await g.createCollection("addressbook", "team")).id;
      const b = await web.login();
      const { events, sseId } = await page(b);
      await b.call("GroupwareFollow", { sseId, follow: true });
      const own = await web.account.groupware();
      const ownBook = own.collection("addressbooks", "default")!.id;
      // The own change is told, and what came before it in ann's books is not.
      await g.put(hidden, card("h"));
      await own.put(ownBook, card("o"));
      assert.equal((await events.change("groupware")).contacts, true);
      await own.put(ownBook, card("p"));
      assert.deepEqual(await events.change("groupware"), {
        kind: "groupware",
        calendars: false,
        contacts: true,
      });

      await g.setGrants(shared, [{ account: "mox", rights: "read" }]);
      await g.put(shared, card("s"));
      assert.deepEqual(await events.change("groupware"), {
        kind: "groupware",
        calendars: false,
        contacts: true,
      });
    } finally {
      ann.close();
    }
  }, { owners: (user) => user === "mox" ? ["ann"] : [] }));
