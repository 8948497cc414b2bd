/**
 * Random bytes to every listener of a running server: transcripts that are changed, sent in pieces, broken off
 * anywhere. Afterwards the server answers on all of them, and has counted no unhandled error.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Localserve } from "../support/localserve.ts";
import { mutate, random } from "./mutate.ts";

/** A way to talk to the server. */
interface Way {
  name: string;
  at: { port: number; host: string } | { path: string };
  /** Sent as it is, before what is changed. */
  before: string;
  seeds: string[];
}

const mail = "From: a@x.example\r\nSubject: hello\r\n\r\nbody\r\n";
const post = (path: string, body: string, more = "") =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nx-mox-request: 1\r\n${more}` +
  `Content-Length: ${body.length}\r\n\r\n${body}`;

function ways(s: Localserve): Way[] {
  const host = "127.0.0.1";
  const http = { port: s.http, host };
  const plain = btoa("\0mox@localhost\0moxmoxmox");
  return [
    {
      name: "smtp",
      at: { port: s.smtp, host },
      before: "",
      seeds: [
        `EHLO x\r\nMAIL FROM:<a@x.example> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<mox@localhost>\r\nDATA\r\n${mail}.\r\nQUIT\r\n`,
        `HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<mox@localhost> NOTIFY=NEVER\r\nBDAT 10\r\n0123456789BDAT 0 LAST\r\nRSET\r\nVRFY x\r\n`,
        "EHLO x\r\nSTARTTLS\r\n\x16\x03\x01\x02\x00\x01",
      ],
    },
    {
      name: "submission",
      at: { port: s.submission, host },
      before: `EHLO x\r\nAUTH PLAIN ${plain}\r\n`,
      seeds: [
        `MAIL FROM:<mox@localhost> RET=HDRS ENVID=x\r\nRCPT TO:<b@x.example> NOTIFY=SUCCESS\r\nDATA\r\n${mail}.\r\n`,
        `MAIL FROM:<mox@localhost> HOLDFOR=10 REQUIRETLS\r\nRCPT TO:<b@x.example>\r\nBDAT 5 LAST\r\nhello`,
      ],
    },
    {
      name: "submission before login",
      at: { port: s.submission, host },
      before: "EHLO x\r\n",
      seeds: [
        "AUTH SCRAM-SHA-256 biwsbj1tb3hAbG9jYWxob3N0LHI9YWJj\r\nYz1iaXdz\r\n*\r\nAUTH CRAM-MD5\r\nAAAA\r\nAUTH LOGIN\r\nAAAA\r\nAAAA\r\n",
      ],
    },
    {
      name: "imap",
      at: { port: s.imap, host },
      before: "a login mox@localhost moxmoxmox\r\nb select inbox\r\n",
      seeds: [
        "c fetch 1:* (flags uid envelope bodystructure body.peek[1.mime]<0.10> preview)\r\nd uid search return (all count) or from a not body x\r\n",
        `e append inbox (\\Seen kw) "01-Jan-2026 00:00:00 +0000" {${mail.length}+}\r\n${mail}\r\nf uid store 1:* +flags (\\Deleted)\r\ng expunge\r\n`,
        'h create x/y\r\ni rename x/y z\r\nj list (subscribed) "" (%*) return (status (messages size))\r\nk copy 1 z\r\nl move 1 z\r\nm delete z\r\nn idle\r\ndone\r\n',
        'o enable condstore qresync\r\np select inbox (qresync (1 2 1:5))\r\nq sort (reverse date) utf-8 all\r\nr thread references utf-8 all\r\ns setmetadata inbox (/private/comment "x")\r\nt notify set (selected (messagenew messageexpunge))\r\nu compress deflate\r\n',
        'v setacl inbox anyone lr\r\nw genurlauth "imap://mox@localhost/inbox/;uid=1;urlauth=anonymous" internal\r\nx replace 1 inbox {3+}\r\nabc\r\n',
      ],
    },
    {
      name: "imap before login",
      at: { port: s.imap, host },
      before: "",
      seeds: [
        `a authenticate plain ${plain}\r\nb capability\r\nc id ("name" "x")\r\nd starttls\r\n`,
        "a authenticate scram-sha-256\r\nbiwsbj14LHI9eQ==\r\nb login {3}\r\nabc {3}\r\nabc\r\n",
      ],
    },
    {
      name: "http",
      at: http,
      before: "",
      seeds: [
        "GET /webmail/ HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nRange: bytes=0-10\r\nCookie: a=b; c\r\n\r\n",
        'GET /admin/../account/%2e%2e/%00x?y=%zz HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: "x"\r\n\r\nGET / HTTP/1.0\r\n\r\n',
        post("/webmail/api/Login", '{"username":"mox@localhost","password":"moxmoxmox"}'),
        post("/webmail/api/QueryCount", '{"query":{"mailboxId":null}}', "Cookie: x=y\r\n"),
        "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.localhost\r\n\r\nGET /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.localhost\r\n\r\n",
        "POST /webmail/upload?filename=x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nx-mox-request: 1\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET /webmail/events?view=%7B%7D HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
      ],
    },
    {
      name: "web api",
      at: http,
      before: "",
      seeds: [
        post(
          "/webapi/v0/Send",
          '{"To":[{"Address":"b@x.example"}],"Subject":"s","Text":"t"}',
          `Authorization: Basic ${btoa("mox@localhost:moxmoxmox")}\r\n`,
        ),
        post(
          "/webapi/v0/MessageGet",
          '{"MsgID":1}',
          `Authorization: Basic ${btoa("mox@localhost:moxmoxmox")}\r\n`,
        ),
      ],
    },
    {
      name: "metrics",
      at: { port: s.metrics, host },
      before: "",
      seeds: ["GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD /x HTTP/1.1\r\n\r\n"],
    },
    {
      name: "tls",
      at: { port: s.imaps, host },
      before: "",
      seeds: [
        "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + "\0".repeat(32) + "\0\0\x02\x13\x01\x01\0",
      ],
    },
    {
      name: "control",
      at: { path: join(s.dir, "data", "ctl") },
      before: "",
      // None that changes what the others need.
      seeds: [
        '{"command":"loglevels","args":{"level":null,"pkg":""}}\n',
        '{"command":"queue list","args":{"account":"x"}}\n',
        '{"command":"export mbox","args":null}\n',
        '{"command":"sendmail","args":{"from":"a","recipients":[],"fromHeader":true,"message":"x"}}\n',
      ],
    },
  ];
}

/** One connection; resolves when it is over. */
async function talk(way: Way, next: () => number): Promise<void> {
  const pick = () => new TextEncoder().encode(way.seeds[Math.floor(next() * way.seeds.length)]);
  const input = next() < 0.9 ? mutate(pick(), pick(), next, 20_000) : pick();
  const socket: Socket = connect(way.at as { port: number });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  socket.resume();
  socket.setTimeout(2000, () => socket.destroy());
  socket.write(way.before);
  for (let at = 0; at < input.length;) {
    const length = 1 + Math.floor(next() * (next() < 0.5 ? 20 : 2000));
    if (socket.destroyed) break;
    socket.write(input.subarray(at, at + length));
    at += length;
    // Now and then the server sees the pieces apart.
    if (next() < 0.2) await new Promise((resolve) => setImmediate(resolve));
  }
  if (next() < 0.3) socket.destroy();
  else socket.end();
  // What waits for more input is broken off.
  const over = setTimeout(() => socket.destroy(), 300);
  await closed;
  clearTimeout(over);
}

async function firstLine(at: { port: number; host: string }, write = ""): Promise<string> {
  const socket = connect(at.port, at.host);
  socket.write(write);
  try {
    for await (const chunk of socket) return (chunk as Uint8Array).toString();
    return "";
  } finally {
    socket.destroy();
  }
}

/** Talks until told to stop; returns the number of connections. @throws AssertionError */
export async function fuzzSockets(
  s: Localserve,
  seed: number,
  more: () => boolean,
): Promise<number> {
  const next = random(seed);
  const list = ways(s);
  let connections = 0;
  const talker = async () => {
    while (more()) {
      await talk(list[connections++ % list.length], next);
    }
  };
  await Promise.all(Array.from({ length: 8 }, talker));
  const host = "127.0.0.1";
  assert.match(await firstLine({ port: s.smtp, host }), /^220 /);
  assert.match(await firstLine({ port: s.submission, host }), /^220 /);
  assert.match(await firstLine({ port: s.imap, host }), /^\* OK /);
  const page = await fetch(`http://localhost:${s.http}/webmail/`);
  await page.body?.cancel();
  assert.equal(page.status, 200);
  const metrics = await (await fetch(`http://127.0.0.1:${s.metrics}/metrics`)).text();
  const panics = metrics.split("\n").filter((l) => /^mox_panic_total\{.*\} [1-9]/.test(l));
  assert.deepEqual(panics, [], `unhandled errors, seed ${seed}`);
  return connections;
}
