/**
 * InterIMAP, which keeps two servers alike by QRESYNC alone and gives up where one breaks its rules: changes on
 * either side of two of ours arrive on the other, whatever they are.
 */
import assert from "node:assert/strict";
import type { FetchMessageObject, ImapFlow } from "imapflow";
import { findProgram, lacks } from "../support/programs.ts";
import { loggedIn, login as auth } from "../support/imap_client.ts";
import { type Localserve, startLocalserve } from "../support/localserve.ts";
import { seedOf } from "../support/seed.ts";

const boxes = ["INBOX", "Archive", "Ärger & Freude"];
const flags = ["\\Seen", "\\Flagged", "\\Answered", "$Junk", "work"];

/** The same numbers for the same seed (a linear congruential generator). */
function numbers(seed: number) {
  let state = seed >>> 0;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return {
    below: (n: number) => Math.floor(next() * n),
    pick: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)],
  };
}
type Numbers = ReturnType<typeof numbers>;

let written = 0;
async function changeSomething(c: ImapFlow, r: Numbers): Promise<void> {
  const box = r.pick(boxes);
  await c.mailboxOpen(box);
  const found = await c.search({ all: true }, { uid: true });
  const uids = found || [];
  const what = r.below(10);
  const elsewhere = () => r.pick(boxes.filter((b) => b !== box));
  if (what < 4 || uids.length === 0) {
    const n = ++written;
    const text = `From: <a@x.example>\r\nSubject: ${n}\r\nMessage-ID: <${n}@x.example>\r\n\r\n` +
      `${"x".repeat(r.below(2000))}\r\n`;
    const date = new Date(1_700_000_000_000 + r.below(1e6) * 1000);
    await c.append(box, text, flags.filter(() => r.below(4) === 0), date);
  } else if (what < 7) {
    const change = r.pick([c.messageFlagsAdd, c.messageFlagsRemove, c.messageFlagsSet]);
    await change.call(c, [r.pick(uids)], [r.pick(flags)], { uid: true });
  } else if (what < 8) {
    await c.messageDelete([r.pick(uids)], { uid: true });
  } else if (what < 9) {
    await c.messageCopy([r.pick(uids)], elsewhere(), { uid: true });
  } else {
    await c.messageMove([r.pick(uids)], elsewhere(), { uid: true });
  }
}

/** What is in each mailbox, without what differs between servers. */
async function contents(c: ImapFlow): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const box of boxes) {
    await c.mailboxOpen(box);
    const describe = (m: FetchMessageObject) =>
      [m.envelope?.messageId, m.size, new Date(m.internalDate!).toISOString()]
        .concat([...m.flags!].sort()).join(" ");
    const rows: string[] = [];
    const wanted = { flags: true, envelope: true, size: true, internalDate: true } as const;
    if (c.mailbox && c.mailbox.exists > 0) {
      for await (const m of c.fetch("1:*", wanted)) rows.push(describe(m));
    }
    all[box] = rows.sort();
  }
  return all;
}

const section = (name: string, s: Localserve) =>
  `[${name}]\ntype = imap\nhost = 127.0.0.1\nport = ${s.imap}\nSTARTTLS = NO\nauth = PLAIN\n` +
  `username = ${auth.user}\npassword = ${auth.pass}\n\n`;

Deno.test({
  name: "interimap: two servers with changes on both sides end alike, round after round",
  ignore: lacks("interimap"),
  async fn() {
    const seed = seedOf("MOX_SEED");
    console.log(`MOX_SEED=${seed}`);
    const r = numbers(seed);
    const servers = [await startLocalserve(), await startLocalserve()];
    const dir = await Deno.makeTempDir();
    const sessions: ImapFlow[] = [];
    const sync = async () => {
      const { code, stderr } = await new Deno.Command(findProgram("interimap")!, {
        args: ["--config", `${dir}/config`, "--quiet"],
        env: { HOME: dir },
      }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
    };
    try {
      await Deno.writeTextFile(
        `${dir}/config`,
        `database = ${dir}/state.db\n\n` + section("local", servers[0]) +
          section("remote", servers[1]),
        { mode: 0o600 },
      );
      for (const s of servers) sessions.push(await loggedIn(s));
      for (const c of sessions) await c.mailboxCreate(boxes[2]);
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 15; i++) await changeSomething(r.pick(sessions), r);
        await sync();
        // Flags that both sides changed are united by the first; what that changed, by the second.
        await sync();
        const [one, other] = [await contents(sessions[0]), await contents(sessions[1])];
        assert.deepEqual(one, other, `round ${round} of MOX_SEED=${seed}`);
      }
    } finally {
      for (const c of sessions) await c.logout().catch(() => c.close());
      for (const s of servers) await s.close();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
