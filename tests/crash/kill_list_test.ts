/**
 * SIGKILL while messages of a mailing list are taken and sent to its members: what was answered with 250 reaches every
 * member, and none twice but what the queue was delivering at that moment.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";
import { lines, messageText, storedSubjects } from "./load.ts";

const members = Array.from({ length: 40 }, (_, i) => `m${i}@localhost`);
/** Deliveries that a queue may have under way, whose end a kill can hide from it. */
const underWay = 60;

const list = `		Lists:
			news:
				Posting: anyone
				Owners:
					- mox@localhost
`;

/** Writes to the list until the connection breaks. */
async function post(s: Localserve, name: string, taken: (id: string) => void): Promise<void> {
  const socket = connect(s.smtp, "127.0.0.1");
  socket.on("error", () => {});
  const next = lines(socket);
  const command = async (text: string) => {
    socket.write(text);
    for (;;) {
      const line = await next();
      if (line === undefined || line[3] !== "-") return line;
    }
  };
  if (!await command("") || !await command("EHLO localhost\r\n")) return;
  for (let i = 0; i < 20; i++) {
    const id = `${name}-${i}`;
    for (const c of [`MAIL FROM:<${name}@localhost>`, "RCPT TO:<news@localhost>", "DATA"]) {
      const r = await command(`${c}\r\n`);
      if (r === undefined) return;
      assert.match(r, /^[23]/, c);
    }
    const text = messageText(id, 5).replace("a@localhost", `${name}@localhost`);
    const r = await command(`${text}.\r\n`);
    if (r === undefined) return;
    assert.match(r, /^250 /);
    taken(id);
  }
}

/** Rows of a database that the server has open. */
function count(path: string, what: string): number {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  try {
    return db.prepare(`SELECT count(*) AS n FROM ${what}`).get()!.n as number;
  } finally {
    db.close();
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("SIGKILL while a list is sent: what was acknowledged reaches every member, once", async () => {
  const taken = new Set<string>();
  let s = await startLocalserve();
  const { dir, offset } = s;
  try {
    await s.stop();
    const path = join(dir, "domains.conf");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      text.replace("LocalpartCatchallSeparator: +\n", (m) => m + list),
    );
    const added = await mox(["list", "addmember", "-dir", dir, "news@localhost", ...members]);
    assert.equal(added.code, 0, added.stderr);
    assert.equal(added.stdout, `${members.length} added\n`);
    for (let round = 0; round < 2; round++) {
      s = await startLocalserve({ dir, offset });
      const enough = Promise.withResolvers<void>();
      let here = 0;
      const loads = [0, 1].map((c) =>
        post(s, `r${round}c${c}`, (id) => {
          taken.add(id);
          if (++here === 3 + 2 * round) enough.resolve();
        })
      );
      await Promise.race([enough.promise, Promise.all(loads)]);
      await s.signal("SIGKILL");
      await Promise.all(loads);
      assert.ok(here >= 3 + 2 * round, "connections ended before the kill");
    }
    s = await startLocalserve({ dir, offset });
    // What waits in the list's own database comes into the queue first.
    while (count(join(dir, "data/lists.db"), "posts WHERE state = 'sending'") > 0) await pause(50);
    const soon = await mox(["queue", "schedule", "-dir", dir, "-all", "now"]);
    assert.equal(soon.code, 0, soon.stderr);
    while (count(join(dir, "data/queue/index.db"), "recipients") > 0) await pause(50);
    assert.equal(await s.stop(), 0);
    const found = await storedSubjects(dir, offset, "mox", (text) => {
      const id = /^Subject: (\S+)/m.exec(text)?.[1] ?? "";
      assert.match(text, new RegExp(`end of ${id}\r\n$`), `${id} is whole`);
      return `${id} ${/^Delivered-To: (\S+)/m.exec(text)?.[1] ?? ""}`;
    });
    let more = 0;
    for (const id of taken) {
      for (const m of members) {
        const n = found.get(`${id} ${m}`) ?? 0;
        assert.ok(n > 0, `${id} was acknowledged, and ${m} doesn't have it`);
        more += n - 1;
      }
    }
    console.log(`list: ${taken.size} acknowledged, ${members.length} members, ${more} copies more`);
    assert.ok(more <= 2 * underWay, `${more} copies more than were under way`);
  } finally {
    await s.close();
  }
});
