/** What users send by submission and the web API, and what they bring to and take from the account page. */
import type { Localserve } from "../support/localserve.ts";
import { bytes, crowd, type Input, pause, Peer } from "./peer.ts";
import { append } from "./stored.ts";

const plain = btoa("\0mox@localhost\0moxmoxmox");
const head = "From: <mox@localhost>\r\nTo: <you@localhost>\r\nSubject: hostile\r\n";

/** Logged in at submission. */
async function submission(s: Localserve): Promise<Peer> {
  const p = await Peer.to(s.submission);
  await p.until(/^220 /m);
  await p.command("EHLO x", /^250 /m);
  await p.command(`AUTH PLAIN ${plain}`, /^[245]\d\d /m);
  return p;
}

const submits = (name: string, text: () => string, times = 1): Input => ({
  name: `submission: ${name}`,
  run: (s) =>
    crowd(times, async () => {
      using p = await submission(s);
      await p.command("MAIL FROM:<mox@localhost>", /^[245]\d\d /m);
      await p.command("RCPT TO:<mox@localhost>", /^[245]\d\d /m);
      await p.command("DATA", /^[345]\d\d /m);
      await Promise.all([p.send(`${text()}\r\n.\r\n`), p.until(/^[245]\d\d /m)]);
    }),
});

/** A call of the web API; the answer is read. */
async function call(s: Localserve, method: string, body: string): Promise<void> {
  const r = await fetch(`http://127.0.0.1:${s.http}/webapi/v0/${method}`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa("mox@localhost:moxmoxmox")}`,
      "content-type": "application/json",
    },
    body,
  });
  await r.body?.pipeTo(new WritableStream());
}

const calls = (name: string, method: string, body: () => unknown, times = 1): Input => ({
  name: `web API: ${name}`,
  run: (s) => {
    const text = JSON.stringify(body());
    return crowd(times, () => call(s, method, text));
  },
});

const recipients = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ Name: `n${i}`, Address: `a${i}@b.example` }));

/** The account page, logged in. */
class Page {
  readonly #base: string;
  readonly #cookie: string;
  private constructor(base: string, cookie: string) {
    this.#base = base;
    this.#cookie = cookie;
  }

  static async open(s: Localserve): Promise<Page> {
    const base = `http://127.0.0.1:${s.http}`;
    const r = await fetch(`${base}/api/Login`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-mox-request": "1" },
      body: JSON.stringify({ username: "mox@localhost", password: "moxmoxmox" }),
    });
    const cookie = r.headers.getSetCookie()[0]?.split(";", 1)[0];
    if (cookie === undefined) throw new Error(`login: ${r.status} ${await r.text()}`);
    await r.body?.cancel();
    return new Page(base, cookie);
  }

  async get(path: string): Promise<Response> {
    return await fetch(this.#base + path, { headers: { cookie: this.#cookie } });
  }

  /** Imports a file, and waits for its end. */
  async import(name: string, content: Uint8Array<ArrayBuffer>): Promise<void> {
    const r = await fetch(`${this.#base}/import?mailbox=Imported&filename=${name}`, {
      method: "POST",
      headers: { cookie: this.#cookie, "x-mox-request": "1" },
      body: content,
    });
    const { token } = await r.json() as { token?: string };
    if (token === undefined) return;
    const events = await this.get(`/import/events?token=${token}`);
    await events.body?.pipeTo(new WritableStream());
  }

  async export(query: string): Promise<void> {
    const r = await this.get(`/export?${query}`);
    await r.body?.pipeTo(new WritableStream());
  }
}

const imports = (
  name: string,
  file: string,
  content: () => Promise<Uint8Array<ArrayBuffer>>,
): Input => {
  let made: Uint8Array<ArrayBuffer>;
  return {
    name: `import: ${name}`,
    async prepare() {
      made = await content();
    },
    async run(s) {
      const page = await Page.open(s);
      await page.import(file, made);
    },
  };
};

async function gzip(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([data]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

const from = "From a@b.example Tue Mar  3 10:20:30 2026\n";
const letter = (i: number, text: string) =>
  `${from}From: a@b.example\nSubject: ${i}\nMessage-ID: <${i}@x>\n\n${text}\n\n`;

const exports = (name: string, texts: () => string[], ...queries: string[]): Input => ({
  name: `export: ${name}`,
  prepare: (s) => append(s, texts()),
  async run(s) {
    const page = await Page.open(s);
    await crowd(queries.length, (i) => page.export(queries[i]));
  },
});

export const pagesAndSubmission: Input[] = [
  {
    name: "submission: 10 connections of 20,000 NOOP after login, answers unread",
    run: (s) =>
      crowd(10, async () => {
        using p = await submission(s);
        await p.send("NOOP\r\n".repeat(20_000), 3000);
        await pause(3000);
      }),
  },
  {
    name: "submission: 10 connections of 5,000 MAIL, RCPT, RSET pipelined",
    run: (s) =>
      crowd(10, async () => {
        using p = await submission(s);
        const reading = p.closed(6000);
        await p.send(
          "MAIL FROM:<mox@localhost>\r\nRCPT TO:<you@localhost>\r\nRSET\r\n".repeat(5000) +
            "QUIT\r\n",
          6000,
        );
        await reading;
      }),
  },
  submits(
    "40,000 addresses in To",
    () =>
      `${head}Cc: ${
        Array.from({ length: 40_000 }, (_, i) => `a${i}@b.example`).join(",\r\n ")
      }\r\n\r\nx`,
  ),
  submits("a header of 100,000 fields", () => `${head}${"X-A: b\r\n".repeat(100_000)}\r\nx`),
  submits("From of 1 MB", () => `From: ${"(a) ".repeat(250_000)}<mox@localhost>\r\n\r\nx`),
  submits(
    "10 MB of 8-bit text, 5 at once",
    () => `${head}\r\n${"\u00e9\r\n".repeat(2_500_000)}`,
    5,
  ),
  calls("Send to 300,000 recipients", "Send", () => ({ To: recipients(300_000), Text: "x" })),
  calls("Send to 60,000 recipients", "Send", () => ({ To: recipients(60_000), Text: "x" })),
  calls("six times Send of 8 MB of text", "Send", () => ({
    To: recipients(1),
    Text: "a line of text\n".repeat(550_000),
  }), 6),
  calls("Send of HTML nested 100,000 deep", "Send", () => ({
    To: recipients(1),
    HTML: "<b>".repeat(100_000),
  })),
  calls("Send with attachments of 15 MB", "Send", () => ({
    To: recipients(1),
    Text: "x",
    AttachedFiles: [{
      Name: "a",
      ContentType: "application/octet-stream",
      Data: btoa("x".repeat(15_000_000)),
    }],
  })),
  imports(
    "10,000 messages in an mbox",
    "many.mbox",
    () =>
      Promise.resolve(
        bytes(Array.from({ length: 10_000 }, (_, i) => letter(i, "text")).join("")),
      ),
  ),
  imports(
    "an mbox of one message of 40 MB, all lines quoted",
    "one.mbox",
    () => Promise.resolve(bytes(letter(1, ">From x\n".repeat(5_000_000)))),
  ),
  imports(
    "an mbox without a message, 20 MB of line ends",
    "none.mbox",
    () => Promise.resolve(new Uint8Array(20 * 2 ** 20).fill(10)),
  ),
  imports(
    "a tgz that is a bomb of 1 GB",
    "bomb.tgz",
    () => gzip(new Uint8Array(2 ** 30)),
  ),
  imports(
    "an mbox of 200 messages with 5,000 parts each",
    "parts.mbox",
    () =>
      Promise.resolve(bytes(
        Array.from({ length: 200 }, (_, i) =>
          `${from}Subject: ${i}\nContent-Type: multipart/mixed; boundary=b\n\n${
            "--b\n\nx\n".repeat(5000)
          }--b--\n\n`).join(""),
      )),
  ),
  exports(
    "500 messages of 100 kB, in three forms at once",
    () => Array.from({ length: 500 }, () => `${head}\r\n${"From x\r\n".repeat(12_500)}`),
    "format=mbox&kind=zip",
    "format=maildir&kind=tgz",
    "format=mbox&kind=tar",
  ),
  exports(
    "a message of 20 MB, twenty times at once",
    () => [`${head}\r\n${"From x\r\n".repeat(2_500_000)}`],
    ...Array.from({ length: 20 }, () => "format=mbox&kind=tgz"),
  ),
];
