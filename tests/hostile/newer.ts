/** Commands and listeners that came later: blobs, uploads, events as JSON, what is kept and copied, websockets of the catcher. */
import { mox } from "../support/localserve.ts";
import type { Localserve } from "../support/localserve.ts";
import { bytes, crowd, type Input, pause, Peer } from "./peer.ts";
import { append } from "./stored.ts";

const authorization = `Basic ${btoa("mox@localhost:moxmoxmox")}`;
const using = ["core", "mail", "calendars", "blob", "quota"]
  .map((c) => `urn:ietf:params:jmap:${c}`);

async function fetched(s: Localserve, path: string, init: RequestInit): Promise<unknown> {
  const r = await fetch(`http://127.0.0.1:${s.http}${path}`, {
    ...init,
    headers: { authorization, ...init.headers },
  });
  const text = await r.text();
  return text.startsWith("{") ? JSON.parse(text) : text;
}

/** A JMAP request. */
function jmap(s: Localserve, methodCalls: unknown[]): Promise<unknown> {
  return fetched(s, "/jmap/api", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ using, methodCalls }),
  });
}

/** The id of a file that was uploaded. */
async function uploaded(s: Localserve, size: number): Promise<string> {
  const r = await fetched(s, "/jmap/upload/mox/", { method: "POST", body: new Uint8Array(size) });
  return (r as { blobId: string }).blobId;
}

const many = <T>(n: number, each: (i: number) => T): T[] =>
  Array.from({ length: n }, (_, i) => each(i));
const byKey = <T>(n: number, each: (i: number) => T): Record<string, T> =>
  Object.fromEntries(many(n, (i) => [`k${i}`, each(i)]));

let blob = "";

const event = (more: Record<string, unknown>) => ({
  "@type": "Event",
  calendarIds: { default: true },
  title: "hostile",
  start: "2020-01-01T00:00:00",
  timeZone: "Etc/UTC",
  duration: "PT1H",
  ...more,
});

const events = (name: string, more: () => Record<string, unknown>): Input => ({
  name: `JMAP: an event ${name}, made, read and asked for`,
  async run(s) {
    const calendars = await jmap(s, [["Calendar/get", { accountId: "mox", ids: null }, "0"]]) as {
      methodResponses: [string, { list: { id: string }[] }, string][];
    };
    const { id } = calendars.methodResponses[0][1].list[0];
    const e = { ...event(more()), calendarIds: { [id]: true } };
    await crowd(4, () =>
      jmap(s, [
        ["CalendarEvent/set", { accountId: "mox", create: { e } }, "0"],
        ["CalendarEvent/query", {
          accountId: "mox",
          filter: { text: "hostile", after: "2020-01-01T00:00:00", before: "2021-01-01T00:00:00" },
          expandRecurrences: true,
          timeZone: "Etc/UTC",
        }, "1"],
        ["CalendarEvent/get", {
          accountId: "mox",
          "#ids": { resultOf: "1", name: "CalendarEvent/query", path: "/ids" },
        }, "2"],
      ]).then(() => {}));
  },
});

/** A request by HTTP whose body is announced and never ends. */
const endless = (name: string, request: (i: number) => string, n: number, size: number): Input => ({
  name,
  run: (s) =>
    crowd(n, async (i) => {
      using p = await Peer.to(s.http);
      await p.send(
        `${request(i)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n` +
          `Content-Length: ${size}\r\n\r\n`,
      );
      await p.send(new Uint8Array(size - 1000), 8000);
      await pause(2000);
    }),
});

/** A websocket of the catcher. */
async function live(s: Localserve): Promise<Peer> {
  const p = await Peer.to(s.http);
  await p.send(
    `GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n` +
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      `Sec-WebSocket-Key: ${btoa("0123456789abcdef")}\r\n\r\n`,
  );
  await p.until(/\r\n\r\n/);
  return p;
}

/** Setting of an account or domain from the command line. */
async function configured(s: Localserve, ...args: string[]): Promise<void> {
  const [first, second, third, ...rest] = args;
  const r = await mox([first, second, third, "-dir", s.dir, ...rest]);
  if (r.code !== 0) throw new Error(`${args.join(" ")}: ${r.stderr}`);
}

const letters = (n: number) =>
  many(n, (i) => `From: a@remote.example\r\nMessage-ID: <${i}@x>\r\nSubject: ${i}\r\n\r\nx\r\n`);

/** Stores messages in few commands (RFC 3502), 500 in each. */
async function appendMany(s: Localserve, texts: readonly string[]): Promise<void> {
  using p = await Peer.imap(s);
  for (let at = 0; at < texts.length; at += 500) {
    const all = texts.slice(at, at + 500).map((t) => ` {${bytes(t).length}+}\r\n${t}`);
    await p.send(`a APPEND Inbox${all.join("")}`);
    await p.command("", /^a (?:OK|NO|BAD)/m);
  }
}

/** All messages of Inbox are marked deleted, and expunged. */
async function expunge(s: Localserve): Promise<void> {
  using p = await Peer.imap(s);
  await p.command("s SELECT Inbox", /^s OK/m);
  await p.command("d STORE 1:* +FLAGS.SILENT (\\Deleted)", /^d (?:OK|NO)/m);
  await p.command("e EXPUNGE", /^e (?:OK|NO)/m);
}

export const newer: Input[] = [
  {
    name: "JMAP: blobs of 50 MB made from pieces of one, in 16 requests",
    prepare: async (s) => {
      blob = await uploaded(s, 10_000_000);
    },
    run: (s) =>
      crowd(16, async () => {
        await jmap(s, [["Blob/upload", {
          accountId: "mox",
          create: byKey(10, () => ({ data: many(5, () => ({ blobId: blob })) })),
        }, "0"]]);
      }),
  },
  {
    name: "JMAP: blobs of 10 MB read as text and base64, with digests, in 16 requests",
    prepare: async (s) => {
      blob = await uploaded(s, 10_000_000);
    },
    run: (s) =>
      crowd(16, async () => {
        await jmap(s, [["Blob/get", {
          accountId: "mox",
          ids: many(100, () => blob),
          properties: ["data:asText", "data:asBase64", "digest:sha", "digest:sha-256", "size"],
        }, "0"]]);
      }),
  },
  {
    name: "JMAP: Blob/lookup of 1,000 ids in 64 calls",
    prepare: async (s) => {
      blob = await uploaded(s, 1000);
    },
    run: (s) =>
      crowd(16, async () => {
        const ids = many(1000, (i) => i % 2 === 0 ? blob : `nothing${i}`);
        await jmap(
          s,
          many(64, (i) => ["Blob/lookup", {
            accountId: "mox",
            typeNames: ["Email", "Mailbox", "Thread"],
            ids,
          }, String(i)]),
        );
      }),
  },
  {
    name: "JMAP: 4,000 uploads of a byte",
    run: (s) =>
      crowd(20, async () => {
        for (let i = 0; i < 200; i++) await uploaded(s, 1);
      }),
  },
  endless(
    "JMAP: 60 uploads of 20 MB that never become whole",
    () => "POST /jmap/upload/mox/",
    60,
    20_000_000,
  ),
  endless(
    "CalDAV: 60 uploads of 10 MB that never become whole",
    (i) => `PUT /dav/calendars/mox/default/endless${i}.ics`,
    60,
    10_000_000,
  ),
  events("with 30,000 participants", () => ({
    participants: byKey(30_000, (i) => ({
      "@type": "Participant",
      sendTo: { imip: `mailto:p${i}@remote.example` },
      roles: { attendee: true },
    })),
  })),
  events("with names that are an object's own", () => ({
    ...Object.fromEntries(
      ["__proto__", "constructor", "toString", "hasOwnProperty"].map((n) => [n, { [n]: { a: 1 } }]),
    ),
    locations: JSON.parse('{"__proto__":{"@type":"Location","name":"x"}}'),
    keywords: byKey(50_000, () => true),
  })),
  events("of each day with 20,000 changes", () => ({
    recurrenceRules: [{ "@type": "RecurrenceRule", frequency: "daily" }],
    recurrenceOverrides: Object.fromEntries(many(20_000, (i) => [
      new Date(Date.UTC(2020, 0, 1) + i * 86_400_000).toISOString().slice(0, 19),
      { title: `t${i}`, "locations/a/name": "x" },
    ])),
  })),
  events("with a time zone of 5,000 rules", () => ({
    timeZone: "/own",
    timeZones: {
      "/own": {
        "@type": "TimeZone",
        tzId: "own",
        standard: many(5000, (i) => ({
          "@type": "TimeZoneRule",
          start: `${1000 + i % 9000}-01-01T00:00:00`,
          offsetFrom: "+0100",
          offsetTo: "+0200",
          recurrenceRules: [{ "@type": "RecurrenceRule", frequency: "secondly" }],
        })),
      },
    },
  })),
  {
    name: "API for tests: 10 websockets of a million pings, answers unread",
    run: (s) =>
      crowd(10, async () => {
        using p = await live(s);
        const all = new Uint8Array(6_000_000);
        for (let at = 0; at < all.length; at += 6) all.set([0x89, 0x80], at);
        await p.send(all, 10_000);
      }),
  },
  {
    name: "API for tests: 50 websockets that never end a message of 9 MB",
    run: (s) =>
      crowd(50, async () => {
        using p = await live(s);
        const announced = new Uint8Array(14);
        announced.set([0x81, 0xff]);
        new DataView(announced.buffer).setUint32(6, 9_000_000);
        await p.send(announced);
        await p.send(new Uint8Array(8_900_000), 5000);
        await pause(2000);
      }),
  },
  {
    name: "API for tests: 100 websockets unread while 500 messages come",
    async run(s) {
      const all = await Promise.all(many(100, () => live(s)));
      try {
        await append(s, letters(500));
      } finally {
        for (const p of all) p[Symbol.dispose]();
      }
    },
  },
  {
    name: "kept: 5,000 messages expunged from an account on legal hold",
    prepare: async (s) => {
      await appendMany(s, letters(5000));
      await configured(s, "config", "account", "legalhold", "mox", "on");
    },
    run: expunge,
  },
  {
    name:
      "kept: what a rule of retention would remove from 20,000 messages, asked four times at once",
    prepare: async (s) => {
      await appendMany(s, letters(20_000));
      await configured(s, "config", "account", "retention", "mox", "Inbox=1");
    },
    run: (s) => crowd(4, () => mox(["retention", "-dir", s.dir]).then(() => {})),
  },
  {
    name: "kept: 200 messages of 100 kB, each with 100 recipients, for a domain with a journal",
    prepare: (s) =>
      configured(s, "config", "domain", "journal", "-plain", "localhost", "mox@localhost"),
    run: (s) =>
      crowd(10, async () => {
        using p = await Peer.to(s.smtp);
        await p.until(/\n/);
        await p.command("EHLO x", /^250 /m);
        const message = letters(1)[0] + `${"line of a hundred bytes ".repeat(4)}\r\n`.repeat(1000);
        for (let i = 0; i < 20; i++) {
          await p.command("MAIL FROM:<a@remote.example>", /^\d{3} /m);
          for (let n = 0; n < 100; n++) await p.command(`RCPT TO:<r${n}@localhost>`, /^\d{3} /m);
          await p.command("DATA", /^\d{3} /m);
          await p.send(message);
          await p.command(".", /^\d{3} /m);
        }
      }),
  },
  {
    name: "ManageSieve: 500 scripts put and listed",
    // Together almost as large as an account's scripts may be: ten refusals above that end the connection.
    run: (s) =>
      crowd(1, async () => {
        using p = await Peer.to(s.managesieve);
        await p.until(/^OK/m);
        await p.command(
          `AUTHENTICATE "PLAIN" "${btoa("\0mox@localhost\0moxmoxmox")}"`,
          /^(?:OK|NO)/m,
        );
        const script = bytes(`require "fileinto";\r\n${"# x\r\n".repeat(1500)}keep;\r\n`);
        for (let i = 0; i < 500; i++) {
          await p.send(`PUTSCRIPT "s${i}" {${script.length}+}\r\n`);
          await p.send(script);
          await p.command("", /^(?:OK|NO|BYE)/m);
        }
        await Promise.all([
          p.send("LISTSCRIPTS\r\n".repeat(500) + "LOGOUT\r\n"),
          p.closed(20_000),
        ]);
      }),
  },
];
