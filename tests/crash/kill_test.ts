/** What was answered with OK survives SIGKILL at any time, whole; what was not is there whole or not. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { type Localserve, startLocalserve } from "../support/localserve.ts";
import { check, lines, messages, messageText } from "./load.ts";

type Acknowledge = (id: string, text: string) => void;

/** Delivers over SMTP until the connection breaks. */
async function deliver(s: Localserve, name: string, acknowledge: Acknowledge): Promise<void> {
  const socket = connect(s.smtp, "127.0.0.1");
  socket.on("error", () => {});
  const next = lines(socket);
  const reply = async () => {
    for (;;) {
      const line = await next();
      if (line === undefined || line[3] !== "-") return line;
    }
  };
  if (!await reply()) return;
  socket.write("EHLO localhost\r\n");
  if (!await reply()) return;
  for (let i = 0;; i++) {
    const id = `${name}-${i}`;
    const text = messageText(id, i % 7 === 0 ? 3000 : 5);
    for (const c of ["MAIL FROM:<a@localhost>", "RCPT TO:<mox@localhost>", "DATA"]) {
      socket.write(`${c}\r\n`);
      const r = await reply();
      if (r === undefined) return;
      assert.match(r, /^[23]/);
    }
    socket.write(`${text}.\r\n`);
    const r = await reply();
    if (r === undefined) return;
    assert.match(r, /^250 /);
    acknowledge(id, text);
  }
}

/** Appends over IMAP until the connection breaks. */
async function append(s: Localserve, name: string, acknowledge: Acknowledge): Promise<void> {
  const socket = connect(s.imap, "127.0.0.1");
  socket.on("error", () => {});
  const next = lines(socket);
  const tagged = async () => {
    for (;;) {
      const line = await next();
      if (line === undefined || line.startsWith("t ")) return line;
    }
  };
  socket.write("t login mox@localhost moxmoxmox\r\n");
  const loggedIn = await tagged();
  if (loggedIn === undefined) return;
  assert.match(loggedIn, /^t OK/);
  for (let i = 0;; i++) {
    const id = `${name}-${i}`;
    const text = messageText(id, i % 7 === 0 ? 3000 : 5);
    socket.write(`t append inbox {${text.length}+}\r\n${text}\r\n`);
    const r = await tagged();
    if (r === undefined) return;
    assert.match(r, /^t OK/);
    acknowledge(id, text);
  }
}

for (const [what, load] of [["SMTP delivery", deliver], ["IMAP APPEND", append]] as const) {
  Deno.test(`SIGKILL during ${what}: what was acknowledged is there`, async () => {
    const rounds = 3, connections = 4;
    const acknowledged = new Map<string, string>();
    let s = await startLocalserve();
    const { dir, offset } = s;
    try {
      for (let round = 0; round < rounds; round++) {
        const enough = Promise.withResolvers<void>();
        let here = 0;
        const loads = Array.from(
          { length: connections },
          (_, c) =>
            load(s, `r${round}c${c}`, (id, text) => {
              acknowledged.set(id, text);
              if (++here === 20 + 15 * round) enough.resolve();
            }),
        );
        await Promise.race([enough.promise, Promise.all(loads)]);
        await s.signal("SIGKILL");
        await Promise.all(loads);
        assert.ok(here >= 20 + 15 * round, "connections ended before the kill");
        s = await startLocalserve({ dir, offset });
      }
      const found = await messages(s);
      console.log(`${what}: acknowledged ${acknowledged.size}, found ${found.size}`);
      for (const [id, text] of acknowledged) {
        const have = found.get(id);
        assert.ok(have !== undefined, `${id} was acknowledged and is gone`);
        assert.ok(have.endsWith(text), `${id} is not as sent`);
      }
      for (const [id, text] of found) {
        assert.ok(text.endsWith(`end of ${id}\r\n`), `${id} is there by half`);
      }
      assert.ok(found.size <= acknowledged.size + rounds * connections);
      assert.equal(await s.stop(), 0);
      assert.deepEqual(await check(dir, offset), []);
    } finally {
      await s.close();
    }
  });
}
