/** SIGKILL while programs write events: what was answered with 201 or 204 is there, whole, and nothing is half there. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { verifyData } from "../../src/store/backup/verify.ts";
import { DavClient, event, responses } from "../dav/world.ts";
import { type Localserve, startLocalserve } from "../support/localserve.ts";

const cal = "calendars/mox/default/";
const start = ["DTSTART:20260105T100000Z", "DTEND:20260105T110000Z"];

const client = (s: Localserve) =>
  new DavClient(`http://127.0.0.1:${s.http}/dav/`, "mox@localhost", "moxmoxmox");

/** Writes, changes and removes events until the server is gone; notes what was answered. */
async function write(
  s: Localserve,
  name: string,
  there: Map<string, string>,
  open: Map<string, string | null>,
): Promise<void> {
  const c = client(s);
  try {
    for (let i = 0;; i++) {
      const file = `${name}-${i % 20}.ics`;
      const text = i % 7 === 6 ? null : event(file, ...start, `SUMMARY:${name} ${i}`);
      open.set(file, text);
      const r = text === null ? await c.send("DELETE", cal + file) : await c.put(cal + file, text);
      if (text === null) {
        assert.ok(r.status === 204 || r.status === 404, r.text);
        there.delete(file);
      } else {
        assert.ok(r.status === 201 || r.status === 204, r.text);
        there.set(file, text);
      }
      open.delete(file);
    }
  } catch (err) {
    if (err instanceof assert.AssertionError) throw err;
  }
}

Deno.test("SIGKILL while events are written: what was answered is there", async () => {
  const rounds = 3, connections = 4;
  const there = new Map<string, string>();
  let s = await startLocalserve();
  const { dir, offset } = s;
  try {
    for (let round = 0; round < rounds; round++) {
      const open = new Map<string, string | null>();
      const writers = Array.from(
        { length: connections },
        (_x, i) => write(s, `r${round}c${i}`, there, open),
      );
      // After so many answers, however fast they come.
      const enough = there.size + 40;
      while (there.size < enough) await new Promise((resolve) => setTimeout(resolve, 5));
      await s.signal("SIGKILL");
      await Promise.all(writers);
      s = await startLocalserve({ dir, offset });
      const c = client(s);
      const listed = responses(
        await c.send("PROPFIND", cal, "", { Depth: "1" }),
      ).map((r) => r.href.slice(r.href.lastIndexOf("/") + 1)).filter((n) => n !== "");
      for (const [file, text] of [...there]) {
        const got = await c.send("GET", cal + file);
        // One whose change was not answered may have it or not.
        if (open.has(file)) {
          const tried = open.get(file);
          assert.ok(
            got.status === 404 ? tried === null : got.text === text || got.text === tried,
            file,
          );
          if (got.status === 404) there.delete(file);
          else there.set(file, got.text);
        } else {
          assert.equal(got.status, 200, file);
          assert.equal(got.text, text);
        }
      }
      for (const file of listed) {
        if (there.has(file)) continue;
        // Written, and not answered: it is there whole.
        const { text } = await c.send("GET", cal + file);
        assert.equal(text, open.get(file), file);
        there.set(file, text);
      }
    }
    assert.equal(await s.stop(), 0);
    assert.deepEqual(verifyData(join(dir, "data"), false, () => {}), []);
  } finally {
    await s.close();
  }
});
