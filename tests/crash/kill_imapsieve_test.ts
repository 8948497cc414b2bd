/** SIGKILL while scripts of IMAPSIEVE send on what is appended: what was answered with OK has gone on exactly once. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { SieveDatabase } from "../../src/delivery/sieve/database.ts";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";
import { assertGoneOnOnce } from "./gone_on.ts";
import { lines, messageText } from "./load.ts";

const script = "/shared/imapsieve/script";

/** Sends a command and waits for its answer; undefined if the connection breaks. */
function session(s: Localserve) {
  const socket = connect(s.imap, "127.0.0.1");
  socket.on("error", () => {});
  const next = lines(socket);
  let n = 0;
  return {
    socket,
    async run(command: string): Promise<string | undefined> {
      const tag = `t${++n}`;
      socket.write(`${tag} ${command}\r\n`);
      for (;;) {
        const line = await next();
        if (line === undefined || line.startsWith(`${tag} `)) return line;
      }
    },
  };
}

/** Appends messages one after the other until the connection breaks. */
async function append(s: Localserve, name: string, answered: (id: string) => void): Promise<void> {
  const c = session(s);
  if (await c.run("login mox@localhost moxmoxmox") === undefined) return;
  for (let i = 0;; i++) {
    const id = `${name}-${i}`;
    const text = messageText(id, 5);
    const r = await c.run(`append Junk {${text.length}+}\r\n${text}`);
    if (r === undefined) return;
    assert.match(r, /^\S+ OK /);
    answered(id);
  }
}

Deno.test("SIGKILL while scripts of IMAP run: no event is lost, and nothing goes on twice", async () => {
  const rounds = 4, connections = 3;
  const answered = new Set<string>();
  let s = await startLocalserve();
  const { dir, offset } = s;
  try {
    await s.stop();
    const path = join(dir, "domains.conf");
    const account =
      "Accounts:\n\tfar:\n\t\tDomain: localhost\n\t\tDestinations:\n\t\t\tfar@localhost: nil\n";
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace("Accounts:\n", account));
    const db = await SieveDatabase.open(join(dir, "data"));
    await db.scripts.put(
      "mox",
      "report",
      `require "copy"; redirect :copy "far@elsewhere.example";`,
    );
    await db.close();
    s = await startLocalserve({ dir, offset });
    const c = session(s);
    assert.match(await c.run("login mox@localhost moxmoxmox") ?? "", / OK /);
    assert.match(await c.run(`setmetadata Junk (${script} "report")`) ?? "", / OK /);
    c.socket.destroy();
    // What is queued stays there, so that it can be counted: a delivery that is cut off is tried again.
    const held = await mox(["queue", "holdrules", "add", "-dir", dir, "-account", "mox"]);
    assert.equal(held.code, 0, held.stderr);
    for (let round = 0; round < rounds; round++) {
      const enough = Promise.withResolvers<void>();
      let here = 0;
      const loads = Array.from(
        { length: connections },
        (_, n) =>
          append(s, `r${round}c${n}`, (id) => {
            answered.add(id);
            if (++here === 15 + 10 * round) enough.resolve();
          }),
      );
      await enough.promise;
      await s.signal("SIGKILL");
      await Promise.all(loads);
      s = await startLocalserve({ dir, offset });
    }
    // A server that stops finishes its events first.
    assert.equal(await s.stop(), 0);
    s = await startLocalserve({ dir, offset });
    await assertGoneOnOnce(s, "IMAPSIEVE", "mox", answered);
    assert.equal(await s.stop(), 0);
    const v = await mox(["verifydata", join(dir, "data")]);
    assert.match(v.stdout, /all is well/, v.stdout);
  } finally {
    await s.close();
  }
});
