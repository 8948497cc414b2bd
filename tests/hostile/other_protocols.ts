/** What is sent to ManageSieve, POP3, JMAP and the API for tests. */
import type { Localserve } from "../support/localserve.ts";
import { crowd, type Input, pause, Peer } from "./peer.ts";

const authorization = `Basic ${btoa("mox@localhost:moxmoxmox")}`;
const core = "urn:ietf:params:jmap:core";
const mail = "urn:ietf:params:jmap:mail";

/** A JMAP request; the answer is read. */
async function jmap(s: Localserve, body: string): Promise<void> {
  const r = await fetch(`http://127.0.0.1:${s.http}/jmap/api`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body,
  });
  await r.body?.pipeTo(new WritableStream());
}

const calls = (methodCalls: unknown[]) => JSON.stringify({ using: [core, mail], methodCalls });

const asks = (name: string, body: () => string, times = 1): Input => ({
  name: `JMAP: ${name}`,
  run: (s) => crowd(times, () => jmap(s, body())),
});

const deep = (open: string, close: string, n: number) => open.repeat(n) + "{}" + close.repeat(n);

const unread = (name: string, n: number, port: (s: Localserve) => number, text: string): Input => ({
  name,
  run: (s) =>
    crowd(n, async () => {
      using p = await Peer.to(port(s));
      await p.send(text, 3000);
      await pause(3000);
    }),
});

const get = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`;

/** A websocket of JMAP. */
async function websocket(s: Localserve): Promise<Peer> {
  const p = await Peer.to(s.http);
  const lines = [
    "GET /jmap/ws HTTP/1.1",
    "Host: localhost",
    `Authorization: ${authorization}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${btoa("0123456789abcdef")}`,
    "Sec-WebSocket-Protocol: jmap",
  ];
  await p.send(`${lines.join("\r\n")}\r\n\r\n`);
  await p.until(/\r\n\r\n/);
  return p;
}

/** Logged in at ManageSieve. */
async function managesieve(s: Localserve): Promise<Peer> {
  const p = await Peer.to(s.managesieve);
  await p.until(/^OK/m);
  await p.command(
    `AUTHENTICATE "PLAIN" "${btoa("\0mox@localhost\0moxmoxmox")}"`,
    /^(?:OK|NO|BYE)/m,
  );
  return p;
}

const script = (name: string, text: () => string): Input => ({
  name: `ManageSieve: ${name}`,
  async run(s) {
    using p = await managesieve(s);
    const t = text();
    await Promise.all([
      p.send(`CHECKSCRIPT {${t.length}+}\r\n${t}\r\n`),
      p.until(/^(?:OK|NO|BYE)/m),
    ]);
  },
});

/** The first commands of a connection to POP3. */
const pop3Start = "USER mox@localhost\r\nPASS moxmoxmox\r\n";

export const otherProtocols: Input[] = [
  asks("arrays nested 1,000,000 deep", () => "[".repeat(1_000_000)),
  asks(
    "10 MB of small objects",
    () =>
      calls([["Email/set", { accountId: "mox", create: {}, x: "y" }, "0"]]).replace(
        '"y"',
        `[${"{},".repeat(3_000_000)}{}]`,
      ),
  ),
  asks("64 calls in each of 16 requests", () =>
    calls(Array.from({ length: 64 }, (_, i) => [
      "Email/query",
      { accountId: "mox", filter: { text: "a" }, sort: [{ property: "subject" }] },
      String(i),
    ])), 16),
  asks(
    "a filter nested 10,000 deep",
    () =>
      `{"using":["${core}","${mail}"],"methodCalls":[["Email/query",{"accountId":"mox","filter":${
        deep('{"operator":"NOT","conditions":[', "]}", 10_000)
      }},"0"]]}`,
  ),
  asks("a filter of 100,000 conditions", () =>
    calls([["Email/query", {
      accountId: "mox",
      filter: {
        operator: "OR",
        conditions: Array.from({ length: 100_000 }, (_, i) => ({ subject: `s${i}` })),
      },
    }, "0"]])),
  asks("references to references, 60 times", () =>
    calls([
      ["Core/echo", { l: Array.from({ length: 50_000 }, (_, i) => i) }, "0"],
      ...Array.from({ length: 60 }, (_, i) => [
        "Core/echo",
        { "#l": { resultOf: String(i), name: "Core/echo", path: "/l/*" } },
        String(i + 1),
      ]),
    ])),
  unread(
    "JMAP: 20 connections of 3,000 GET of the session, answers unread",
    20,
    (s) => s.http,
    get("/jmap/session").repeat(3000),
  ),
  unread(
    "API for tests: 20 connections of 3,000 lists, answers unread",
    20,
    (s) => s.http,
    get("/api/v1/messages").repeat(3000),
  ),
  unread(
    "API for tests: 10 connections of searches of 15 kB",
    10,
    (s) => s.http,
    get(`/api/v1/search?query=${"-subject:a%20".repeat(1100)}`).repeat(100),
  ),
  {
    name: "JMAP: 10 websockets of a million pings, answers unread",
    run: (s) =>
      crowd(10, async () => {
        using p = await websocket(s);
        const all = new Uint8Array(6_000_000);
        for (let at = 0; at < all.length; at += 6) all.set([0x89, 0x80], at);
        await p.send(all, 10_000);
      }),
  },
  {
    name: "JMAP: 50 websockets that never end a message of 9 MB",
    run: (s) =>
      crowd(50, async () => {
        using p = await websocket(s);
        const announced = new Uint8Array(14);
        announced.set([0x81, 0xff]);
        new DataView(announced.buffer).setUint32(6, 9_000_000);
        await p.send(announced);
        await p.send(new Uint8Array(8_900_000), 10_000);
        await pause(3000);
      }),
  },
  {
    name: "ManageSieve: a command of literals without end, 5 connections",
    run: (s) =>
      crowd(5, async () => {
        using p = await Peer.to(s.managesieve);
        await p.send("{0+}\r\n".repeat(2_000_000), 10_000);
        await p.closed(1000);
      }),
  },
  unread(
    "ManageSieve: 10 connections of 20,000 NOOP, answers unread",
    10,
    (s) => s.managesieve,
    "NOOP\r\n".repeat(20_000),
  ),
  {
    name: "ManageSieve: a line without end, 10 connections",
    run: (s) =>
      crowd(10, async () => {
        using p = await Peer.to(s.managesieve);
        await p.send(new Uint8Array(20 * 2 ** 20).fill(0x61), 4000);
        await p.closed(1000);
      }),
  },
  unread(
    "POP3: 10 connections of 20,000 NOOP, answers unread",
    10,
    (s) => s.pop3,
    pop3Start + "NOOP\r\n".repeat(20_000),
  ),
  unread(
    "POP3: 10 connections of 3,000 LIST and UIDL, answers unread",
    10,
    (s) => s.pop3,
    pop3Start + "LIST\r\nUIDL\r\n".repeat(3000),
  ),
  unread(
    "POP3: 10 connections of 500 RETR, answers unread",
    10,
    (s) => s.pop3,
    pop3Start + "RETR 1\r\n".repeat(500),
  ),
  unread(
    "POP3: 10 connections of 2,000 TOP of many lines, answers unread",
    10,
    (s) => s.pop3,
    pop3Start + "TOP 1 99999999\r\n".repeat(2000),
  ),
  unread(
    "POP3: 10 connections of 2,000 wrong logins",
    10,
    (s) => s.pop3,
    "USER mox@localhost\r\nPASS wrong\r\n".repeat(2000),
  ),
  {
    name: "POP3: a line without end, 10 connections",
    run: (s) =>
      crowd(10, async () => {
        using p = await Peer.to(s.pop3);
        await p.send(new Uint8Array(20 * 2 ** 20).fill(0x61), 4000);
        await p.closed(1000);
      }),
  },
  script("blocks nested 10,000 deep", () => "if true {".repeat(10_000) + "}".repeat(10_000)),
  script("tests nested 10,000 deep", () => `if ${"not ".repeat(10_000)}true { stop; }`),
  script("900 kB of rules", () =>
    'require "fileinto";\n' +
    'if header :contains "Subject" ["a","b","c"] { fileinto "x"; }\n'.repeat(15_000)),
  script(
    "a list of 100,000 strings",
    () => `if header :is "a" [${'"bcd",'.repeat(100_000)}"e"] { stop; }`,
  ),
  script("10,000 wrong lines", () => 'wrong "x";\n'.repeat(10_000)),
];
