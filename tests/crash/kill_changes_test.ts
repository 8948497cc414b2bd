/** Changes that were answered with OK survive SIGKILL at any time; of the last one of a connection all or nothing. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import nodemailer from "nodemailer";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";
import { check, lines, messages, messageText, subjects } from "./load.ts";

/** What is known of a message: where it is, or where it may be. */
type Place = "INBOX" | "Archive" | "gone" | "copied";
type Known = Map<string, Place[]>;

/** Appends, moves, copies and expunges until the connection breaks; notes what must be so. */
async function change(s: Localserve, name: string, known: Known, done: () => void): Promise<void> {
  const socket = connect(s.imap, "127.0.0.1");
  socket.on("error", () => {});
  const next = lines(socket);
  /** The tagged answer, and what came before; undefined if the connection broke. */
  const run = async (command: string): Promise<string[] | undefined> => {
    socket.write(`t ${command}\r\n`);
    const all: string[] = [];
    for (;;) {
      const line = await next();
      if (line === undefined) return undefined;
      all.push(line);
      if (line.startsWith("t ")) {
        assert.match(line, /^t OK/, command);
        return all;
      }
    }
  };
  if (!await run("login mox@localhost moxmoxmox") || !await run("select inbox")) return;
  for (let i = 0;; i++) {
    const id = `${name}-${i}`;
    const text = messageText(id, 5);
    const step = async (
      command: string,
      may: Place[],
      then: Place,
    ): Promise<string[] | undefined> => {
      known.set(id, [...known.get(id) ?? [], ...may]);
      const r = await run(command);
      if (r) {
        known.set(id, [then]);
        done();
      }
      return r;
    };
    const r = await step(`append inbox {${text.length}+}\r\n${text}`, ["gone", "INBOX"], "INBOX");
    if (!r) return;
    const uid = /APPENDUID \d+ (\d+)/.exec(r.at(-1)!)![1];
    if (i % 3 === 0) {
      if (!await step(`uid move ${uid} Archive`, ["Archive"], "Archive")) return;
    } else if (i % 3 === 1) {
      if (!await step(`uid copy ${uid} Archive`, ["copied"], "copied")) return;
    } else {
      if (!await step(`uid store ${uid} +flags.silent (\\Deleted)`, [], "INBOX")) return;
      if (!await step(`uid expunge ${uid}`, ["gone"], "gone")) return;
    }
  }
}

Deno.test("SIGKILL during MOVE, COPY and EXPUNGE: each is done wholly or not at all", async () => {
  const known: Known = new Map();
  let s = await startLocalserve();
  const { dir, offset } = s;
  try {
    for (let round = 0; round < 3; round++) {
      const enough = Promise.withResolvers<void>();
      let steps = 0;
      const done = () => {
        if (++steps === 60 + 25 * round) enough.resolve();
      };
      const loads = [0, 1, 2, 3].map((c) => change(s, `r${round}c${c}`, known, done));
      await Promise.race([enough.promise, Promise.all(loads)]);
      await s.signal("SIGKILL");
      await Promise.all(loads);
      assert.ok(steps >= 60, "connections ended before the kill");
      s = await startLocalserve({ dir, offset });
    }
    const inbox = await messages(s);
    const archive = await messages(s, "Archive");
    for (const [id, places] of known) {
      const place: Place = inbox.has(id)
        ? archive.has(id) ? "copied" : "INBOX"
        : archive.has(id)
        ? "Archive"
        : "gone";
      assert.ok(places.includes(place), `${id} is ${place}, not ${places.join(" or ")}`);
    }
    console.log(
      `changes: ${known.size} messages, ${inbox.size} in INBOX, ${archive.size} in Archive`,
    );
    assert.equal(await s.stop(), 0);
    assert.deepEqual(await check(dir, offset), []);
  } finally {
    await s.close();
  }
});

Deno.test("SIGKILL during submission: what was queued is delivered after it", async () => {
  const acknowledged = new Set<string>();
  let s = await startLocalserve();
  const { dir, offset } = s;
  try {
    for (let round = 0; round < 3; round++) {
      const enough = Promise.withResolvers<void>();
      let here = 0;
      const transport = nodemailer.createTransport({
        host: "127.0.0.1",
        port: s.submission,
        ignoreTLS: true,
        pool: true,
        maxConnections: 4,
        maxMessages: Infinity,
        auth: { user: "mox@localhost", pass: "moxmoxmox" },
      });
      let stop = false;
      const load = async (c: number) => {
        for (let i = 0; !stop; i++) {
          const id = `r${round}c${c}-${i}`;
          try {
            await transport.sendMail({
              envelope: { from: "mox@localhost", to: "you@example.org" },
              raw: messageText(id, 5),
            });
          } catch {
            // The server was killed: whether it was taken isn't known.
            return;
          }
          acknowledged.add(id);
          if (++here === 25 + 10 * round) enough.resolve();
        }
      };
      const loads = [0, 1, 2, 3].map(load);
      await Promise.race([enough.promise, Promise.all(loads)]);
      await s.signal("SIGKILL");
      stop = true;
      await Promise.all(loads);
      transport.close();
      assert.ok(here >= 25, "connections ended before the kill");
      s = await startLocalserve({ dir, offset });
    }
    for (;;) {
      const queue = await mox(["queue", "list", "-dir", dir]);
      assert.equal(queue.code, 0, queue.stderr);
      if (/nothing is queued/.test(queue.stdout)) break;
    }
    // Delivered twice is fine, as the end may not have been noted; `messages` wants each once.
    const found = await subjects(s);
    for (const id of acknowledged) {
      assert.ok((found.get(id) ?? 0) > 0, `${id} was queued and is gone`);
    }
    const twice = [...found.values()].filter((n) => n > 1).length;
    console.log(
      `submission: acknowledged ${acknowledged.size}, delivered ${found.size}, twice ${twice}`,
    );
    assert.ok(twice <= 3 * 16, "more came twice than were under way");
    assert.equal(await s.stop(), 0);
    assert.deepEqual(await check(dir, offset), []);
  } finally {
    await s.close();
  }
});
