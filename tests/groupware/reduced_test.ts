/** What others see of events that their owner marked as private, and the lists of a calendar with many of these. */
import assert from "node:assert/strict";
import { guestView } from "../../src/groupware/guest_view.ts";
import { calendarObject } from "../../src/groupware/objects.ts";
import { forGuests } from "../../src/groupware/reduced.ts";
import { readObject } from "../../src/mail/calendar/object.ts";
import { Groupware } from "../../src/store/groupware/groupware.ts";

const encoder = new TextEncoder();
const text = (...lines: string[]) =>
  [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//x//EN",
    "BEGIN:VEVENT",
    "UID:u",
    "DTSTAMP:20270101T000000Z",
    "DTSTART;X-WORD=Secret:20270101T100000Z",
    "SUMMARY:Secret",
    ...lines,
    "END:VEVENT",
    "END:VCALENDAR",
    "",
  ].join("\r\n");
const privacy = (...lines: string[]) => forGuests(encoder.encode(text(...lines))).privacy;

Deno.test("what makes an event private, however it is written", () => {
  assert.equal(privacy(), "public");
  assert.equal(privacy("DESCRIPTION:first class: it's private"), "public");
  assert.equal(privacy("CLASS:PUBLIC"), "public");
  assert.equal(privacy("class: public "), "public");
  for (
    const line of [
      "CLASS:PRIVATE",
      "class:private",
      'CLASS;X-A="b:PUBLIC":Private',
      "C\r\n LAS\r\n\tS:PRI\r\n VATE",
      "CLASS:X-OURS",
      "CLASS:",
      'JSPROP;JSPTR=privacy:"x-ours"',
      'JSPROP;JSPTR="/priv\r\n acy":"private"',
    ]
  ) assert.equal(privacy(line), "private", line);
  assert.equal(privacy("CLASS:CONFIDENTIAL"), "confidential");
  assert.equal(privacy('JSPROP;JSPTR=privacy:"secret"'), "confidential");
  assert.equal(privacy("CLASS:PUBLIC", "CLASS:PRIVATE"), "private");
  assert.equal(privacy("BEGIN:VALARM", "CLASS:CONFIDENTIAL", "END:VALARM"), "confidential");
  // One date of it counts for all.
  const date = text("RRULE:FREQ=DAILY").replace(
    "END:VCALENDAR",
    "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20270101T000000Z\r\nRECURRENCE-ID:20270102T100000Z\r\n" +
      "DTSTART:20270102T110000Z\r\nCLASS:PRIVATE\r\nSUMMARY:Secret\r\nEND:VEVENT\r\nEND:VCALENDAR",
  );
  const is = forGuests(encoder.encode(date));
  assert.ok(is.privacy === "private");
  const reduced = new TextDecoder().decode(is.content);
  assert.ok(!reduced.includes("Secret") && !reduced.includes("X-WORD"), reduced);
  assert.equal(readObject(is.content).instances(0, Infinity, 5).length, 5);
  // What can't be read, and what is very large.
  assert.equal(forGuests(encoder.encode("CLASS:PUBLIC")).privacy, "confidential");
  assert.equal(privacy("CLASS:PRIVATE", `X-A:${"x".repeat(1_000_001)}`), "confidential");
});

Deno.test("a cancelled event takes no time", () => {
  const is = forGuests(
    encoder.encode(text("CLASS:PRIVATE", "STATUS:CANCELLED", "TRANSP:OPAQUE")),
  );
  assert.ok(is.privacy === "private");
  const reduced = new TextDecoder().decode(is.content);
  assert.match(reduced, /TRANSP:TRANSPARENT/);
  assert.doesNotMatch(reduced, /OPAQUE|STATUS/);
});

Deno.test("lists of guests are whole without what is secret, in pieces too", async () => {
  const dir = await Deno.makeTempDir();
  const g = await Groupware.open(dir);
  try {
    const c = await g.createCollection("calendar", "c", { components: ["VEVENT"] });
    const classes = ["PUBLIC", "PRIVATE", "CONFIDENTIAL", "CONFIDENTIAL"];
    const objects = (n: number, from = 0) =>
      Array.from({ length: n }, (_, i) => {
        const k = String(from + i).padStart(4, "0");
        const content = text(`CLASS:${classes[i % 4]}`).replace("UID:u", `UID:${k}`);
        return calendarObject(k, encoder.encode(content));
      });
    await g.putAll(c.id, objects(500));
    const view = await guestView(g);
    const names = (list: { name: string }[]) => list.map((o) => o.name);
    const all = names(view.objects(c.id));
    assert.equal(all.length, 250);
    const pieces: string[] = [];
    for (let after = "";;) {
      const rows = view.objects(c.id, after, 7);
      pieces.push(...names(rows));
      if (rows.length < 7) break;
      after = rows.at(-1)!.name;
    }
    assert.deepEqual(pieces, all);
    assert.equal(view.objectsBetween(c.id, -Infinity, Infinity).length, 250);
    assert.equal(view.find([c.id], ["secret"], 1000).length, 125);
    assert.equal(view.changesSince(c.id, 0, 1000).changed.length, 250);
    // What comes while the view is in use is known at once.
    await g.put(c.id, objects(4, 900)[2]);
    assert.equal(view.object(c.id, "0902"), undefined);
    await g.put(c.id, { ...objects(1, 902)[0], name: "0902" });
    assert.equal(view.object(c.id, "0902")?.summary, "Secret");
    await g.remove(c.id, "0001");
    assert.equal(view.objects(c.id).length, 250);
    assert.equal(await guestView(g), view);
  } finally {
    await g.close();
    await Deno.remove(dir, { recursive: true });
  }
});
