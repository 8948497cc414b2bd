/** Scanners that don't keep to their protocols: none stops the server, and none lets a message pass. */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { Scanner } from "../../src/config/mod.ts";
import { setLogSink } from "../../src/log/mod.ts";
import { checkedField } from "../../src/scanning/fields.ts";
import { changedHeader, rawFields } from "../../src/scanning/raw_header.ts";
import { type ScanMessage, type Scanned, Scanners } from "../../src/scanning/mod.ts";
import { readAnswer } from "../../src/scanning/rspamd.ts";
import { verdict } from "../../src/scanning/clamav.ts";
import { packet, uint32 } from "../../src/scanning/milter/packets.ts";
import { replyOf } from "../../src/scanning/milter/reply.ts";
import { scanner as scannerType } from "../../src/config/static/scanner.ts";
import { outboundTo } from "../support/outbound.ts";

setLogSink(() => {});

const bytes = (text: string) => new TextEncoder().encode(text);

function messageOf(text: string): ScanMessage {
  const all = bytes(text.replaceAll("\n", "\r\n"));
  const headerSize = text.indexOf("\n\n") + 2 +
    text.slice(0, text.indexOf("\n\n") + 2).split("\n").length - 1;
  return { size: all.length, headerSize, read: (a, b) => all.subarray(a, b) };
}

const message = messageOf("From: <a@b.example>\nSubject: x\n\nBody\n");

/** A server that is given each connection, and what it reads. */
async function withPeer<T>(
  serve: (socket: Socket, data: Uint8Array, count: number) => void,
  fn: (port: number) => Promise<T>,
): Promise<T> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    let count = 0;
    socket.on("data", (data) => serve(socket, data, ++count));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await fn((server.address() as AddressInfo).port);
  } finally {
    for (const s of sockets) s.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const envelope = {
  hostname: "mail.example",
  remoteIp: "192.0.2.1",
  remotePort: 25,
  hello: "a.example",
  mailFrom: "a@b.example",
  recipients: ["b@ours.example", "c@ours.example"],
  id: "1",
};

async function scan(over: Partial<Scanner>, m = message, max = 10_000): Promise<Scanned> {
  const dir = await Deno.makeTempDir();
  try {
    const scanners = new Scanners({
      scanners: new Map([["x", { ...scannerType.zero(), Timeout: 2000, ...over }]]),
      passwords: new Map(),
      outbound: outboundTo(),
      tempDir: dir,
      maxMessageSize: max,
    });
    const done = await scanners.scan(["x"], envelope, m);
    done.remove();
    assert.deepEqual([...Deno.readDirSync(dir)], [], "no file is left");
    return done;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const milterAt = (port: number) => ({ Milter: { Address: `127.0.0.1:${port}` } });

/** A milter's answer to the offer: all steps left out but the end of the message. */
const onlyTheEnd = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200;
const agree = (actions = 0x1ff, steps = onlyTheEnd, version = 6) =>
  packet("O", uint32(version, actions, steps));
const end = packet("a");
const insertion = (name: string, value: string) => packet("h", bytes(`${name}\0${value}\0`));

Deno.test("milters that don't keep to the protocol: the message comes again later", async (t) => {
  const endless = new Uint8Array(0);
  const cases: [string, Uint8Array[]][] = [
    ["no answer to the offer", []],
    ["closes", [endless]],
    ["version 7", [agree(0x1ff, onlyTheEnd, 7)]],
    ["version 1", [agree(0x1ff, onlyTheEnd, 1)]],
    ["actions that were not offered", [agree(0x10000)]],
    ["options cut off", [packet("O", uint32(6))]],
    ["another answer to the offer", [packet("c")]],
    ["packet of 4 GB", [new Uint8Array([255, 255, 255, 255, 99])]],
    ["packet of 2 MB", [new Uint8Array([0, 32, 0, 0, 99])]],
    ["packet without letter", [new Uint8Array([0, 0, 0, 0, 99])]],
    ["unknown answer", [agree(), packet("?")]],
    ["skip where there is no body", [agree(), packet("s")]],
    ["change without leave", [agree(0), insertion("X-A", "b")]],
    ["field name with a line end", [agree(), insertion("X-A\r\nBcc", "b"), end]],
    ["empty field name", [agree(), insertion("", "b"), end]],
    ["field name that is none", [agree(), insertion("X A", "b"), end]],
    ["value of 100 KB", [agree(), insertion("X-A", "b".repeat(100_000)), end]],
    ["change cut off", [agree(), packet("m", new Uint8Array([0])), end]],
    ["recipient with a blank", [agree(), packet("+", bytes("<a b>\0")), end]],
    ["sender with a line end", [agree(), packet("e", bytes("<a>\r\nDATA\0")), end]],
    ["answer that refuses nothing", [agree(), packet("y", bytes("250 2.0.0 fine\0"))]],
    ["body larger than a message", [agree(), packet("b", new Uint8Array(20_000)), end]],
    ["1,001 header fields", [agree(), ...Array(1001).fill(insertion("X-A", "b")), end]],
    ["1,001 recipients", [agree(), ...Array(1001).fill(packet("+", bytes("<a@b>\0"))), end]],
    ["at work for ever", [agree(), ...Array(20_000).fill(packet("p")), end]],
  ];
  for (const [name, answers] of cases) {
    await t.step(name, async () => {
      const done = await withPeer((socket, _data, count) => {
        if (answers[0] === endless) return void socket.destroy();
        if (count === 1 && answers.length > 0) socket.write(answers[0]);
        else if (count === 2) { for (const a of answers.slice(1)) socket.write(a); }
      }, (port) => scan({ ...milterAt(port), Timeout: answers.length === 0 ? 300 : 20_000 }));
      assert.equal(done.action, "tempfail", done.facts[0]?.text);
      assert.equal(done.changed, undefined);
    });
  }
});

Deno.test("a milter's versions and steps: 2 to 6, without answers, and with lists of macros", async () => {
  const seen: string[] = [];
  const steps = onlyTheEnd & ~(0x1 | 0x2 | 0x20) | 0x80 | 0x1000 | 0x2000;
  const macro = [uint32(0), bytes("{client_addr}, j\0"), uint32(5), bytes("\0")];
  const options = packet("O", uint32(6, 0x1, steps), ...macro);
  const done = await withPeer((socket, data, count) => {
    seen.push(new TextDecoder("latin1").decode(data));
    if (count === 1) socket.write(options);
    if (seen.join("").endsWith("\x01E")) socket.write(end);
  }, (port) => scan(milterAt(port)));
  assert.equal(done.action, "accept", done.facts[0].text);
  const all = seen.join("");
  // deno-lint-ignore no-control-regex
  assert.match(all, /DC\{client_addr\}\x00192\.0\.2.1\x00j\x00mail\.example\x00/);
  // deno-lint-ignore no-control-regex
  assert.match(all, /C\[192\.0\.2\.1\]\x004\x00\x19192\.0\.2\.1\x00/);
  assert.match(all, /LSubject\0x\0/);
  for (const version of [2, 3, 4]) {
    const r = await withPeer((socket, data, count) => {
      if (count === 1) return void socket.write(agree(0x1, onlyTheEnd, version));
      if (data.at(-1) === 69) socket.write(end);
    }, (port) => scan(milterAt(port)));
    assert.equal(r.action, "accept", `version ${version}: ${r.facts[0].text}`);
  }
});

Deno.test("values that a milter sends can't break out of their field", () => {
  assert.deepEqual(checkedField("X-A", "one\r\nBcc: x@y\r\n\r\nbody"), {
    name: "X-A",
    value: "one\r\n Bcc: x@y\r\n body",
  });
  assert.deepEqual(checkedField("X-A", "a\0b\x7f").value, "a b ");
  const header = bytes("A: 1\r\nB: 2\r\n 3\r\nno field\r\nA: 4\r\n\r\nbody");
  const text = (h: Uint8Array) => new TextDecoder().decode(h);
  const change = (...c: Parameters<typeof changedHeader>[1]) =>
    text(changedHeader(rawFields(header), c));
  assert.equal(change(), "A: 1\r\nB: 2\r\n 3\r\nno field\r\nA: 4\r\n\r\n");
  assert.equal(
    change({ kind: "change", occurrence: 2, name: "a", value: "x" }, {
      kind: "insert",
      index: 99,
      name: "C",
      value: "y",
    }),
    "A: 1\r\nB: 2\r\n 3\r\nno field\r\na: x\r\nC: y\r\n\r\n",
  );
  assert.equal(change({ kind: "remove", name: "a" }), "B: 2\r\n 3\r\nno field\r\n\r\n");
  assert.equal(text(changedHeader(rawFields(bytes("A: 1")), [])), "A: 1\r\n\r\n");
});

Deno.test("answers with codes: classes, lines, and what is none", () => {
  const of = (s: string) => replyOf(bytes(`${s}\0`));
  assert.deepEqual(of("554 5.7.9 no"), { code: 554, enhanced: "7.9", text: "no" });
  assert.deepEqual(of("451-4.7.1 one\r\n451 4.7.1 two").text, "one two");
  assert.deepEqual(of("550").text, "message refused");
  assert.throws(() => of("354 go on"), /refuses nothing/);
  assert.throws(() => of("nonsense"), /refuses nothing/);
});

Deno.test("clamd: answers that are none", async (t) => {
  assert.equal(verdict("stream: OK").virus, "");
  assert.equal(verdict("stream: Win.Test-1 FOUND").virus, "Win.Test-1");
  assert.equal(verdict("stream: a b\x1b FOUND").virus, "a?b?");
  const cases: [string, (s: Socket) => void][] = [
    ["nothing", () => {}],
    ["closes", (s) => s.end()],
    ["breaks off", (s) => s.resetAndDestroy()],
    ["another line", (s) => s.end("PONG\0")],
    ["an error", (s) => s.end("stream: Can't allocate memory ERROR\0")],
    ["endless", (s) => s.write("x".repeat(100_000))],
  ];
  for (const [name, answer] of cases) {
    await t.step(name, async () => {
      const done = await withPeer((s, _d, count) => {
        if (count === 1) answer(s);
      }, (port) =>
        scan({
          ClamAV: { Address: `127.0.0.1:${port}` },
          Timeout: name === "nothing" ? 300 : 20_000,
        }));
      assert.equal(done.action, "tempfail", done.facts[0].text);
    });
  }
});

Deno.test("rspamd: what its modules want in place of its action", () => {
  const answer = (action: string, milter: unknown) =>
    readAnswer({ action, score: 20, required_score: 15, milter });
  assert.equal(answer("reject", {}).action, "reject");
  assert.equal(answer("reject", { reject: "discard" }).action, "discard");
  const aside = answer("reject", { reject: "quarantine" });
  assert.deepEqual([aside.action, aside.quarantine], [
    readAnswer({ action: "no action", score: 0 }).action,
    "rspamd",
  ]);
  assert.equal(answer("add header", { reject: "discard" }).action, "junk", "no refusal to replace");
  const none = answer("reject", { no_action: true, add_headers: { "X-Seen": "1" } });
  assert.equal(none.action, aside.action);
  assert.equal(none.reply, undefined);
  assert.deepEqual(none.headers.map((h) => h.kind), ["add"]);
  const marked = answer("add header", { spam_header: "X-Our-Spam" });
  assert.equal(marked.action, "junk");
  assert.deepEqual(marked.headers, [{ kind: "add", name: "X-Our-Spam", value: "Yes" }]);
  assert.throws(() => answer("add header", { spam_header: "X: y\r\nEvil" }));
  assert.throws(() => answer("reject", { no_action: "yes" }));
});

Deno.test("rspamd: answers that are none", async (t) => {
  const http = (body: string, status = "200 OK") =>
    `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  const cases: [string, string | undefined][] = [
    ["nothing", undefined],
    ["closes", ""],
    ["no HTTP", "hello\r\n\r\n"],
    ["an error", http('{"error":"no password"}', "403 Forbidden")],
    ["no JSON", http("<html>")],
    ["other JSON", http('{"a":1}')],
    ["a score that is none", http('{"action":"reject","score":"20"}')],
    [
      "a header that is none",
      http(
        '{"action":"no action","score":1,"milter":{"add_headers":{"A\\r\\nB":"c"}}}',
      ),
    ],
    [
      "an address that is none",
      http(
        '{"action":"no action","score":1,"milter":{"change_from":"a b"}}',
      ),
    ],
    ["cut off", http('{"action":"no action","score":1}').slice(0, -5)],
    ["endless", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + "300000\r\n"],
  ];
  for (const [name, answer] of cases) {
    await t.step(name, async () => {
      const done = await withPeer((s, _d, count) => {
        if (count > 1 || answer === undefined) return;
        if (name === "endless") s.write(answer + "x".repeat(3_000_000));
        else s.end(answer);
      }, (port) =>
        scan({
          Rspamd: { URL: `http://127.0.0.1:${port}`, ControllerURL: "", PasswordFile: "" },
          Timeout: answer === undefined ? 300 : 20_000,
        }));
      assert.equal(done.action, "tempfail", done.facts[0].text);
    });
  }
  const read = (o: Record<string, unknown>) => readAnswer({ score: 0, action: "no action", ...o });
  assert.equal(
    read({ score: 6, required_score: 15, thresholds: { "add header": 6 } }).spamScore,
    0.5,
  );
  assert.equal(read({ score: 99 }).spamScore, 1);
  assert.equal(read({ score: -5 }).spamScore, 0);
  assert.equal(
    read({ action: "reject", messages: { smtp_message: "go\r\naway" } }).reply!.text,
    "go  away",
  );
  assert.equal(read({ symbols: { CLAM_VIRUS: {} } }).virus, "CLAM_VIRUS");
});

Deno.test("a header too large for scanners is refused, not passed by them", async () => {
  const lines = "X-A: b\n".repeat(6000);
  const m = messageOf(`${lines}\nBody\n`);
  const done = await withPeer((socket, _d, count) => {
    if (count === 1) socket.write(agree(0x1ff, onlyTheEnd & ~0x20 | 0x80));
  }, (port) => scan(milterAt(port), m));
  assert.equal(done.action, "reject");
  assert.equal(done.reply?.code, 554);
});
