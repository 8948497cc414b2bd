/** What users send once they are logged in, over IMAP. */
import { crowd, type Input, pause, Peer } from "./peer.ts";

const odd = (bytes: number) => {
  let text = "1";
  for (let i = 3; text.length < bytes; i += 2) text += `,${i}`;
  return text;
};

/** A session on Inbox that sends one command and reads its answer. */
const asks = (name: string, command: () => string, end = /^x (?:OK|NO|BAD)/m): Input => ({
  name: `IMAP: ${name}`,
  async run(s) {
    using p = await Peer.imap(s);
    await p.command("s SELECT Inbox", /^s OK/m);
    await Promise.all([p.send(`x ${command()}\r\n`), p.until(end)]);
  },
});

export const afterLogin: Input[] = [
  asks("UID FETCH with a set of 300 kB", () => `UID FETCH ${odd(300_000)} (FLAGS)`),
  asks("UID FETCH with a set of 1 MB", () => `UID FETCH ${odd(1_000_000)} (FLAGS)`),
  asks("a line of 4 MB", () => `UID FETCH ${odd(4_000_000)} (FLAGS)`),
  {
    name: "IMAP: LIST with a pattern of 240 kB, and with 1,000 patterns",
    async run(s) {
      using p = await Peer.imap(s);
      const letters = "abcdefghijklmnopqrstuvwxyz";
      let pattern = "*";
      for (let i = 0; pattern.length < 240_000; i++) pattern += `${letters[i % 26]}*`;
      await Promise.all([p.send(`x LIST "" "${pattern}"\r\n`), p.until(/^x OK/m)]);
      const many = Array.from({ length: 1000 }, (_, i) => `"*a*b*${i}"`).join(" ");
      await Promise.all([p.send(`y LIST "" (${many})\r\n`), p.until(/^y (?:OK|BAD)/m)]);
    },
  },
  asks(
    "SEARCH of 100,000 keys",
    () => `SEARCH ${"SUBJECT a ".repeat(100_000)}ALL`,
  ),
  asks("SEARCH nested 10,000 deep", () => `SEARCH ${"(".repeat(10_000)}ALL${")".repeat(10_000)}`),
  asks("SEARCH of 20,000 OR", () => `SEARCH ${"OR ALL ".repeat(20_000)}ALL`),
  asks("SEARCH of 20,000 NOT", () => `SEARCH ${"NOT ".repeat(20_000)}ALL`),
  asks("FETCH of 50,000 items", () => `FETCH 1:* (${"FLAGS ".repeat(50_000)}UID)`),
  asks(
    "FETCH of a section 20,000 parts deep",
    () => `FETCH 1 BODY[${"1.".repeat(20_000)}1]`,
  ),
  asks(
    "FETCH of 50,000 header fields",
    () => `FETCH 1:* BODY[HEADER.FIELDS (${"a ".repeat(50_000)}b)]`,
  ),
  asks(
    "STORE of 10,000 keywords",
    () => `STORE 1 FLAGS (${Array.from({ length: 10_000 }, (_, i) => `k${i}`).join(" ")})`,
  ),
  asks("STATUS of a name of 500 kB", () => `STATUS "${"a/".repeat(250_000)}b" (MESSAGES)`),
  asks("CREATE of a name 5,000 levels deep", () => `CREATE "${"a/".repeat(5000)}b"`),
  asks("ID of 10,000 fields", () => `ID (${'"a" "b" '.repeat(10_000)}"c" "d")`),
  asks(
    "NOTIFY for 20,000 mailboxes",
    () => `NOTIFY SET (mailboxes (${"a ".repeat(20_000)}b) (MessageNew MessageExpunge))`,
  ),
  asks(
    "GETMETADATA of 20,000 entries",
    () => `GETMETADATA "Inbox" (${"/private/comment ".repeat(20_000)}/private/a)`,
  ),
  asks("THREAD by 50,000 keys", () => `THREAD REFERENCES UTF-8 ${"ALL ".repeat(50_000)}ALL`),
  asks("SORT by 20,000 criteria", () => `SORT (${"DATE ".repeat(20_000)}DATE) UTF-8 ALL`),
  asks("a literal of 2 GB refused", () => "APPEND Inbox {2147483647}", /^x (?:NO|BAD)/m),
  {
    name: "IMAP: 30 sessions, 5,000 STATUS pipelined each, answers unread",
    run: (s) =>
      crowd(30, async () => {
        using p = await Peer.imap(s);
        await p.send("a STATUS Inbox (MESSAGES UNSEEN)\r\n".repeat(5000), 3000);
        await pause(3000);
      }),
  },
  {
    name: "IMAP: 20 sessions, 2,000 LIST pipelined each, answers read",
    run: (s) =>
      crowd(20, async () => {
        using p = await Peer.imap(s);
        const reading = p.closed(8000);
        await p.send('a LIST "" "*" RETURN (STATUS (MESSAGES))\r\n'.repeat(2000) + "z LOGOUT\r\n");
        await reading;
      }),
  },
  {
    name: "IMAP: COMPRESS, then zeros: a bomb of 200 MB",
    async run(s) {
      using p = await Peer.imap(s);
      await p.command("c COMPRESS DEFLATE", /^c OK/m);
      const bomb = new Blob([new Uint8Array(50 * 2 ** 20)]).stream()
        .pipeThrough(new CompressionStream("deflate-raw"));
      const packed = new Uint8Array(await new Response(bomb).arrayBuffer());
      await p.send(packed, 4000);
      await pause(1000);
    },
  },
  {
    name: "IMAP: 200 sessions in IDLE with half a line each",
    run: (s) =>
      crowd(200, async () => {
        using p = await Peer.imap(s);
        await p.send("i IDLE\r\nDO");
        await pause(3000);
      }),
  },
];
