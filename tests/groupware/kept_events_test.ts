/** Events that are kept read: those asked for last, and of large ones fewer. */
import assert from "node:assert/strict";
import { calendarObject, storedSeries } from "../../src/groupware/objects.ts";
import { Groupware } from "../../src/store/groupware/groupware.ts";

/** Bytes of description of an event, and how many of these are kept. */
for (const [size, least, most] of [[18_000, 200, 222], [200, 300, 300]] as const) {
  Deno.test(`of 300 events of ${size} bytes ${most} are kept read at most`, async () => {
    const dir = await Deno.makeTempDir();
    const g = await Groupware.open(dir);
    try {
      const c = await g.createCollection("calendar", "c", { components: ["VEVENT"] });
      const names = Array.from({ length: 300 }, (_, i) => `${i}.ics`);
      await g.putAll(
        c.id,
        names.map((name) =>
          calendarObject(
            name,
            new TextEncoder().encode(
              `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:${name}\r\n` +
                "DTSTAMP:20270101T000000Z\r\nDTSTART:20270101T000000Z\r\n" +
                `DESCRIPTION:${"x".repeat(size)}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
            ),
          )
        ),
      );
      const read = (name: string) => storedSeries(g, g.object(c.id, name)!);
      const all = names.map(read);
      // The latest first: looking at one that is not kept any more would put out others.
      let kept = 0;
      while (kept < 300 && read(names[299 - kept]) === all[299 - kept]) kept++;
      assert.ok(kept >= least && kept <= most, `${kept} kept`);
      // One that is asked for again and again stays.
      const first = read(names[0]);
      for (const name of names) {
        read(name);
        assert.equal(read(names[0]), first);
      }
    } finally {
      await g.close();
      await Deno.remove(dir, { recursive: true });
    }
  });
}
