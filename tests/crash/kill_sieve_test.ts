/**
 * SIGKILL while scripts send mail on: what was answered with 250 has gone on exactly once, and a message whose sender
 * was not answered, and sends it again, goes on once as well.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { SieveDatabase } from "../../src/delivery/sieve/database.ts";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";
import { assertGoneOnOnce } from "./gone_on.ts";
import { lines, messageText } from "./load.ts";

/** Sends messages one after the other until the connection breaks; those given first, and without a name only those. */
async function deliver(
  s: Localserve,
  again: string[],
  name: string,
  begun: (id: string) => void,
  answered: (id: string) => void,
): Promise<void> {
  const socket = connect(s.smtp, "127.0.0.1");
  socket.on("error", () => {});
  const next = lines(socket);
  const reply = async () => {
    for (;;) {
      const line = await next();
      if (line === undefined || line[3] !== "-") return line;
    }
  };
  const command = (text: string) => {
    socket.write(`${text}\r\n`);
    return reply();
  };
  if (!await reply() || !await command("EHLO localhost")) return;
  for (let i = 0;; i++) {
    if (name === "" && again[i] === undefined) {
      await command("QUIT");
      return;
    }
    const id = again[i] ?? `${name}-${i}`;
    for (const c of ["MAIL FROM:<a@localhost>", "RCPT TO:<sieve@localhost>", "DATA"]) {
      const r = await command(c);
      if (r === undefined) return;
      assert.match(r, /^[23]/, c);
    }
    begun(id);
    const r = await command(`${messageText(id, 5)}.`);
    if (r === undefined) return;
    assert.match(r, /^250 /);
    answered(id);
  }
}

Deno.test("SIGKILL while redirecting by Sieve: nothing is lost, and nothing goes on twice", async () => {
  const rounds = 4, connections = 4;
  const answered = new Set<string>();
  let s = await startLocalserve();
  const { dir, offset } = s;
  try {
    await s.stop();
    const path = join(dir, "domains.conf");
    const account =
      "Accounts:\n\tsieve:\n\t\tDomain: localhost\n\t\tDestinations:\n\t\t\tsieve@localhost: nil\n";
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace("Accounts:\n", account));
    const db = await SieveDatabase.open(join(dir, "data"));
    await db.scripts.put("sieve", "main", `redirect "far@elsewhere.example";`);
    await db.scripts.setActive("sieve", "main");
    await db.close();
    s = await startLocalserve({ dir, offset });
    // What is queued stays there, so that it can be counted: a delivery that is cut off is tried again.
    const held = await mox(["queue", "holdrules", "add", "-dir", dir, "-account", "sieve"]);
    assert.equal(held.code, 0, held.stderr);
    let open = new Set<string>();
    for (let round = 0; round <= rounds; round++) {
      const last = round === rounds;
      const enough = Promise.withResolvers<void>();
      let here = 0;
      const again = [...open];
      const nextOpen = new Set<string>();
      const loads = Array.from({ length: connections }, (_, c) =>
        deliver(
          s,
          again.filter((_, i) => i % connections === c),
          last ? "" : `r${round}c${c}`,
          (id) => nextOpen.add(id),
          (id) => {
            nextOpen.delete(id);
            answered.add(id);
            if (++here === 20 + 15 * round) enough.resolve();
          },
        ));
      if (last) {
        await Promise.all(loads);
        break;
      }
      await enough.promise;
      await s.signal("SIGKILL");
      await Promise.all(loads);
      open = nextOpen;
      s = await startLocalserve({ dir, offset });
    }
    await assertGoneOnOnce(s, "Sieve", "sieve", answered);
    assert.equal(await s.stop(), 0);
    const v = await mox(["verifydata", join(dir, "data")]);
    assert.match(v.stdout, /all is well/, v.stdout);
  } finally {
    await s.close();
  }
});
