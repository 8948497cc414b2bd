/** Mail that means ill, stored, and then looked at in every way; and changes of thousands of messages. */
import type { Localserve } from "../support/localserve.ts";
import { bytes, type Input, Peer } from "./peer.ts";

const head = "From: a@remote.example\r\nTo: mox@localhost\r\nSubject: hostile\r\n";

/** A message by SMTP; what the server thinks of it doesn't matter. */
async function deliver(s: Localserve, text: string): Promise<void> {
  using p = await Peer.to(s.smtp);
  await p.until(/^220 /m);
  await p.command("EHLO x", /^250 /m);
  await p.command("MAIL FROM:<a@remote.example>", /^250/m);
  await p.command("RCPT TO:<mox@localhost>", /^250/m);
  await p.command("DATA", /^354/m);
  await Promise.all([
    p.send(`${text}\r\n.\r\n`),
    p.until(/^[245]\d\d /m),
  ]);
}

export async function append(s: Localserve, texts: readonly string[]): Promise<void> {
  using p = await Peer.imap(s);
  for (const t of texts) {
    const all = bytes(t);
    await p.send(`a APPEND Inbox {${all.length}+}\r\n`);
    await p.send(all);
    await p.command("", /^a (?:OK|NO|BAD)/m);
  }
}

const delivered = (name: string, text: () => string): Input => ({
  name: `delivery of ${name}`,
  run: (s) => deliver(s, text()),
});

/** Asks on a mailbox of messages. */
const asked = (name: string, texts: () => string[], ...commands: string[]): Input => ({
  name: `stored: ${name}`,
  prepare: (s) => append(s, texts()),
  async run(s) {
    using p = await Peer.imap(s);
    await p.command("s SELECT Inbox", /^s OK/m);
    for (const c of commands) await p.command(`x ${c}`, /^x (?:OK|NO|BAD)/m);
  },
});

const nested = (depth: number) => {
  let t = head + "MIME-Version: 1.0\r\n";
  for (let i = 0; i < depth; i++) {
    t += `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`;
  }
  return `${t}\r\ntext\r\n`;
};
const parts = (n: number) =>
  `${head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
  "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n".repeat(n) + "--b--\r\n";

const looks = [
  'SEARCH TEXT "a b"',
  "SORT (SUBJECT FROM DATE) UTF-8 ALL",
  "THREAD REFERENCES UTF-8 ALL",
  "FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW)",
  "FETCH 1:* BINARY.SIZE[1]",
  "FETCH 1:* BODY.PEEK[1]",
];

export const stored: Input[] = [
  delivered(
    "nested comments in To",
    () => `${head}To: ${"(".repeat(100_000)}x\r\n\r\nx`,
  ),
  delivered("References of 1 MB", () => `${head}References: ${"<a@b> ".repeat(160_000)}\r\n\r\nx`),
  delivered(
    "40,000 addresses in To",
    () =>
      `${head}Cc: ${
        Array.from({ length: 40_000 }, (_, i) => `a${i}@b.example`).join(",\r\n ")
      }\r\n\r\nx`,
  ),
  delivered("a header of 100,000 fields", () => `${head}${"X-A: b\r\n".repeat(100_000)}\r\nx`),
  delivered("MIME nested 5,000 deep", () => nested(5000)),
  delivered("100,000 parts", () => parts(100_000)),
  delivered("one line of 10 MB", () => `${head}\r\n${"x".repeat(10_000_000)}`),
  delivered(
    "encoded words without end",
    () => `${head}Subject: ${"=?utf-8?q?a?= ".repeat(50_000)}\r\n\r\nx`,
  ),
  delivered(
    "a parameter in 50,000 pieces",
    () =>
      `${head}Content-Type: text/plain;${
        Array.from({ length: 50_000 }, (_, i) => `\r\n name*${i}="a"`).join(";")
      }\r\n\r\nx`,
  ),
  delivered(
    "HTML nested 100,000 deep",
    () => `${head}Content-Type: text/html\r\n\r\n${"<b>".repeat(100_000)}`,
  ),
  delivered("a group of groups in From", () => `${head}Cc: ${"a:".repeat(50_000)};\r\n\r\nx`),
  asked(
    "32 messages of 1 MB",
    () => Array.from({ length: 32 }, () => `${head}\r\n${"ab\r\n".repeat(250_000)}`),
    ...looks,
  ),
  asked(
    "32 messages of base64 that is none",
    () =>
      Array.from(
        { length: 32 },
        () => `${head}Content-Transfer-Encoding: base64\r\n\r\n${"=A==\r\n".repeat(100_000)}`,
      ),
    ...looks,
  ),
  asked(
    "32 messages of quoted-printable, all escaped",
    () =>
      Array.from(
        { length: 32 },
        () =>
          `${head}Content-Transfer-Encoding: quoted-printable\r\n\r\n${"=41=\r\n".repeat(80_000)}`,
      ),
    ...looks,
  ),
  asked("a message of 10,000 parts", () => [parts(10_000)], ...looks),
  asked(
    "32 messages nested 100 deep",
    () => Array.from({ length: 32 }, () => nested(100)),
    ...looks,
  ),
  asked(
    "a message of 15 MB, as binary",
    () => [
      `${head}Content-Transfer-Encoding: base64\r\n\r\n${
        (btoa("x".repeat(57)) + "\r\n").repeat(260_000)
      }`,
    ],
    "FETCH 1 BINARY.PEEK[1]",
    "FETCH 1 BINARY.SIZE[1]",
    "FETCH 1 BODY.PEEK[]",
    "SEARCH BODY needle",
  ),
  {
    name: "IMAP: 200 messages of 5,000 parts in one APPEND",
    async run(s) {
      const message = bytes(parts(5000));
      using p = await Peer.imap(s);
      await p.send("a APPEND Inbox");
      for (let i = 0; i < 200; i++) {
        await p.send(` {${message.length}+}\r\n`);
        await p.send(message);
      }
      await p.command("", /^a (?:OK|NO|BAD)/m);
    },
  },
  {
    name: "bulk: COPY, STORE, MOVE and EXPUNGE of 20,000 messages",
    async prepare(s) {
      await append(s, Array.from({ length: 20 }, () => `${head}\r\nx\r\n`));
      using p = await Peer.imap(s);
      await p.command("s SELECT Inbox", /^s OK/m);
      for (let i = 0; i < 10; i++) await p.command("x COPY 1:* Inbox", /^x OK/m);
    },
    async run(s) {
      using p = await Peer.imap(s);
      await p.command("s SELECT Inbox", /^s OK/m);
      for (
        const c of [
          "COPY 1:* Archive",
          "STORE 1:* +FLAGS (\\Flagged)",
          "FETCH 1:* (ENVELOPE)",
          "MOVE 1:10000 Trash",
          "STORE 1:* +FLAGS.SILENT (\\Deleted)",
          "EXPUNGE",
        ]
      ) await p.command(`x ${c}`, /^x (?:OK|NO|BAD)/m);
    },
  },
];
