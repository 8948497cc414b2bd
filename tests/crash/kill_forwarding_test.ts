/**
 * SIGKILL while mail goes on to other addresses: what was answered with 250 is kept where it is to be kept, and has
 * gone on at least once; what was refused is nowhere.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";
import { check, lines, messageText, subjects } from "./load.ts";

/** Both send on to an address that all of localserve's other mail goes to too: mox's. */
const accounts = ["keep", "only"].map((name) =>
  `
	${name}:
		Domain: localhost
		NoFirstTimeSenderDelay: true
		ForwardTo:
			- far@elsewhere.example
${name === "only" ? "\t\tForwardOnly: true\n" : ""}\t\tDestinations:
			${name}@localhost: nil
`.slice(1)
).join("");
const alias = `		Aliases:
			team:
				PostPublic: true
				Addresses:
					- keep@localhost
					- only@localhost
`;

/** What a message was sent to, and how many copies go on. */
const kinds = {
  keep: { to: ["keep@localhost"], onward: 1, kept: true },
  only: { to: ["only@localhost"], onward: 1, kept: false },
  team: { to: ["team@localhost"], onward: 2, kept: true },
  both: { to: ["keep@localhost", "only@localhost"], onward: 2, kept: true },
  // In a circle, as its header tells.
  refused: { to: ["keep@localhost"], onward: 0, kept: false },
};
type Kind = keyof typeof kinds;

/** Delivers over SMTP until the connection breaks. */
async function deliver(
  s: Localserve,
  name: string,
  answered: (id: string, kind: Kind) => void,
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
    const all = Object.keys(kinds) as Kind[];
    const kind = all[i % all.length];
    const id = `${kind}-${name}-${i}`;
    const { to } = kinds[kind];
    for (const c of ["MAIL FROM:<a@localhost>", ...to.map((t) => `RCPT TO:<${t}>`), "DATA"]) {
      const r = await command(c);
      if (r === undefined) return;
      assert.match(r, /^[23]/, c);
    }
    const circle = kind === "refused" ? "Received: from x by y\r\n".repeat(200) : "";
    const r = await command(`${circle}${messageText(id, i % 7 === 0 ? 3000 : 5)}.`);
    if (r === undefined) return;
    assert.match(r, kind === "refused" ? /^5/ : /^250 /);
    answered(id, kind);
  }
}

Deno.test("SIGKILL during forwarding: what was acknowledged is kept and goes on, what was refused does neither", async () => {
  const rounds = 4, connections = 4;
  const answered = new Map<string, Kind>();
  let s = await startLocalserve();
  const { dir, offset } = s;
  try {
    await s.stop();
    const path = join(dir, "domains.conf");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      text.replace("Accounts:\n", `Accounts:\n${accounts}`)
        .replace("LocalpartCatchallSeparator: +\n", (m) => m + alias),
    );
    s = await startLocalserve({ dir, offset });
    for (const name of ["keep", "only"]) {
      const r = await mox(["setaccountpassword", "-dir", dir, name], "moxmoxmox\n");
      assert.equal(r.code, 0, r.stderr);
    }
    for (let round = 0; round < rounds; round++) {
      const enough = Promise.withResolvers<void>();
      let here = 0;
      const loads = Array.from(
        { length: connections },
        (_, c) =>
          deliver(s, `r${round}c${c}`, (id, kind) => {
            answered.set(id, kind);
            if (++here === 20 + 15 * round) enough.resolve();
          }),
      );
      await Promise.race([enough.promise, Promise.all(loads)]);
      await s.signal("SIGKILL");
      await Promise.all(loads);
      assert.ok(here >= 20 + 15 * round, "connections ended before the kill");
      s = await startLocalserve({ dir, offset });
    }
    for (;;) {
      const queue = await mox(["queue", "list", "-dir", dir]);
      assert.equal(queue.code, 0, queue.stderr);
      if (/nothing is queued/.test(queue.stdout)) break;
    }
    const kept = await subjects(s, "keep@localhost");
    const notKept = await subjects(s, "only@localhost");
    const onward = await subjects(s);
    let more = 0;
    for (const [id, kind] of answered) {
      assert.equal(kept.get(id) ?? 0, kinds[kind].kept ? 1 : 0, `${id}: kept`);
      const gone = onward.get(id) ?? 0;
      if (kind === "refused") assert.equal(gone, 0, `${id} was refused and went on`);
      assert.ok(gone >= kinds[kind].onward, `${id} was acknowledged and went on ${gone} times`);
      more += gone - kinds[kind].onward;
    }
    assert.equal(notKept.size, 0, "an account that keeps nothing has mail");
    const unknown = new Set([...kept.keys(), ...onward.keys()].filter((id) => !answered.has(id)));
    console.log(
      `forwarding: answered ${answered.size}, kept ${kept.size}, went on ${onward.size}, ` +
        `${more} copies more, ${unknown.size} under way at a kill`,
    );
    assert.ok(unknown.size <= rounds * connections, "more than were under way");
    assert.ok(more <= rounds * connections * 4, "more came twice than were under way");
    for (const id of unknown) assert.doesNotMatch(id, /^refused-/);
    assert.equal(await s.stop(), 0);
    for (const name of ["mox", "keep", "only"]) {
      assert.deepEqual(await check(dir, offset, name), []);
    }
    const v = await mox(["verifydata", join(dir, "data")]);
    assert.match(v.stdout, /all is well/, v.stdout);
  } finally {
    await s.close();
  }
});
