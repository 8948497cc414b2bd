/** Mailing lists: many members, posts that are hard to read, floods of commands and forms. */
import { mox } from "../support/localserve.ts";
import type { Localserve } from "../support/localserve.ts";
import { bytes, crowd, type Input, Peer } from "./peer.ts";

const list = "big@localhost";

/** A list with members, whose messages are delivered to the one account of localserve. */
async function makeList(s: Localserve, members: number, ...flags: string[]): Promise<void> {
  const add = ["config", "list", "add", "-dir", s.dir, "-posting", "anyone", ...flags];
  const made = await mox([...add, list, "mox@localhost"]);
  if (made.code !== 0) throw new Error(made.stderr);
  const addresses = Array.from({ length: members }, (_, i) => `m${i}@localhost\n`).join("");
  const added = await mox(["list", "addmember", "-dir", s.dir, list, "-"], addresses);
  if (added.code !== 0) throw new Error(added.stderr);
}

/** Messages to an address of the list, in one connection. */
async function send(s: Localserve, to: string, texts: readonly string[]): Promise<void> {
  using p = await Peer.to(s.smtp);
  await p.until(/^220 /m);
  await p.command("EHLO x", /^250 /m);
  for (const text of texts) {
    await p.command("MAIL FROM:<a@remote.example>", /^250/m);
    await p.command(`RCPT TO:<${to}>`, /^250/m);
    await p.command("DATA", /^354/m);
    await Promise.all([p.send(bytes(`${text}\r\n.\r\n`)), p.until(/^[245]\d\d /m)]);
  }
}

const head = (id: string) =>
  `From: <${id}@remote.example>\r\nTo: <${list}>\r\nSubject: ${id}\r\nMessage-ID: <${id}@remote.example>\r\n`;

/** Until nothing is sent any more. */
async function sent(s: Localserve): Promise<void> {
  for (;;) {
    const r = await mox(["queue", "list", "-dir", s.dir, "-n", "1"]);
    if (/nothing is queued/.test(r.stdout)) return;
  }
}

export const lists: Input[] = [
  {
    name: "list: a message of 100 kB to 2,000 members",
    prepare: (s) => makeList(s, 2000),
    async run(s) {
      await send(s, list, [`${head("one")}\r\n${"x".repeat(70).concat("\r\n").repeat(1400)}`]);
      await sent(s);
    },
  },
  {
    name: "list: headers of 250 kB, and From with 9,000 comments",
    prepare: (s) => makeList(s, 50),
    run: (s) =>
      send(s, list, [
        `${head("wide")}${"X-A: b\r\n".repeat(4900)}\r\nx`,
        `${head("long")}X-A: ${"b ".repeat(400)}\r\n`.repeat(200),
        `From: ${"(a) ".repeat(9000)}<b@remote.example>\r\nSubject: x\r\n\r\nx`,
        `From: ${"(".repeat(30_000)}<b@remote.example>\r\n\r\nx`,
      ]),
  },
  {
    name: "list: 500 commands with a text of 1 MB each",
    prepare: (s) => makeList(s, 1),
    run: (s) =>
      crowd(10, (n) =>
        send(
          s,
          "big-request@localhost",
          Array.from(
            { length: 20 },
            (_, i) => `${head(`c${n}x${i}`)}\r\n${"subscribed x\r\n".repeat(20_000)}`,
          ),
        )),
  },
  {
    name: "list: 2,000 forms and 2,000 looks at the archive",
    prepare: async (s) => {
      await makeList(s, 1, "-archive", "public");
      const body = `Content-Type: text/html\r\n\r\n${"<b>".repeat(100_000)}`;
      await send(s, list, [head("html") + body]);
    },
    run: (s) =>
      crowd(20, async () => {
        for (let i = 0; i < 100; i++) {
          const form = new URLSearchParams({ kind: "subscribe", address: `v${i}@remote.example` });
          const base = `http://127.0.0.1:${s.http}/lists/${list}`;
          const r = await fetch(base, { method: "POST", body: form });
          await r.body?.cancel();
          const a = await fetch(`${base}/archive/1`);
          await a.body?.cancel();
        }
      }),
  },
];
