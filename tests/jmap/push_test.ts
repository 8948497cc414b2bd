/** Pushing: event streams (RFC 8620 §7.3), websockets (RFC 8887), subscriptions (RFC 8620 §7.2, RFC 8291, RFC 8292). */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { Vapid } from "../../src/jmap/mod.ts";
import { closeFrame, FrameError, FrameReader } from "../../src/jmap/http/frames.ts";
import { userAddressRule } from "../../src/net/mod.ts";
import { encryptPush, readKeys } from "../../src/net/webpush/encrypt.ts";
import { newVapidKey } from "../../src/jmap/push/vapid.ts";
import { Pusher } from "../../src/jmap/push/pusher.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { mail } from "./messages.ts";
import { type Client, type Json, withJmap, type World } from "./world.ts";

/** Events of a stream, one by one. */
async function* events(body: ReadableStream<Uint8Array>) {
  let text = "";
  for await (const s of body.pipeThrough(new TextDecoderStream())) {
    text += s;
    for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
      const fields = Object.fromEntries(
        text.slice(0, at).split("\n").map((
          l,
        ) => [l.slice(0, l.indexOf(":")), l.slice(l.indexOf(":") + 2)]),
      );
      text = text.slice(at + 2);
      if (fields.event) yield { event: fields.event, id: fields.id, data: JSON.parse(fields.data) };
    }
  }
}

function follow(w: World, c: Client, query: string, headers: Record<string, string> = {}) {
  return fetch(`${w.base}eventsource?${query}`, {
    headers: { authorization: c.authorization, ...headers },
  });
}

Deno.test("RFC 8620 §7.3: an event stream tells of new states, and goes on where it was broken off", () =>
  withJmap(async (w) => {
    const { ann } = w;
    const r = await follow(w, ann, "types=*&closeafter=no&ping=0");
    assert.match(r.headers.get("content-type")!, /^text\/event-stream/);
    const stream = events(r.body!);
    const next = stream.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { id } = await ann.import(mail({}));
    const { value } = await next;
    assert.equal(value!.event, "state");
    assert.equal(value!.data["@type"], "StateChange");
    const states = value!.data.changed.ann;
    assert.equal(states.Email, (await ann.call("Email/get", { ids: [] })).state);
    assert.equal(states.Mailbox, (await ann.call("Mailbox/get", { ids: [] })).state);
    assert.equal(states.Thread, (await ann.call("Thread/get", { ids: [] })).state);
    assert.ok(states.EmailDelivery);
    await stream.return(undefined);
    // Keywords change no thread, and are no delivery.
    await ann.call("Email/set", { update: { [id]: { "keywords/$seen": true } } });
    const again = await follow(w, ann, "types=*&closeafter=state&ping=0", {
      "last-event-id": value!.id!,
    });
    const all = [];
    for await (const e of events(again.body!)) all.push(e);
    assert.equal(all.length, 1);
    assert.deepEqual(Object.keys(all[0].data.changed.ann).sort(), ["Email", "Mailbox"]);
    // Of the types that are asked for.
    const some = await follow(w, ann, "types=Identity,VacationResponse&closeafter=state&ping=0");
    const one = events(some.body!).next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await ann.call("Email/set", { update: { [id]: { "keywords/$seen": null } } });
    await ann.call("VacationResponse/set", { update: { singleton: { subject: "x" } } });
    assert.deepEqual(Object.keys((await one).value!.data.changed.ann), ["VacationResponse"]);
    const ping = await follow(w, ann, "types=*&closeafter=no&ping=1");
    const pings = events(ping.body!);
    assert.deepEqual((await pings.next()).value, {
      event: "ping",
      id: undefined,
      data: { interval: 1 },
    });
    await pings.return(undefined);
    for (
      const q of [
        "types=*&closeafter=x&ping=0",
        "types=a%20b&closeafter=no&ping=0",
        "types=*&closeafter=no&ping=x",
      ]
    ) {
      assert.equal((await ann.raw(`eventsource?${q}`)).status, 400, q);
    }
  }));

/** A client of the websocket, by hand. */
class Ws {
  readonly socket: Socket;
  #text = new Uint8Array(0);
  #messages: Json[] = [];
  #waiting: (() => void)[] = [];
  closed: number | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async open(w: World, c: Client, more = ""): Promise<{ head: string; ws: Ws }> {
    const socket = connect(w.ports.http, "127.0.0.1");
    const ws = new Ws(socket);
    const { promise, resolve } = Promise.withResolvers<string>();
    let head = "";
    socket.on("error", () => {});
    socket.on("data", (b: Uint8Array) => {
      if (!head.includes("\r\n\r\n")) {
        head += new TextDecoder("latin1").decode(b);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        const rest = b.slice(b.length - (head.length - end - 4));
        resolve(head.slice(0, end));
        b = rest;
      }
      ws.#take(b);
    });
    socket.on("close", () => {
      ws.closed ??= 1006;
      for (const f of ws.#waiting.splice(0)) f();
    });
    socket.write(
      `GET /jmap/ws HTTP/1.1\r\nHost: 127.0.0.1:${w.ports.http}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
        `Authorization: ${c.authorization}\r\n${more || "Sec-WebSocket-Protocol: jmap\r\n"}\r\n`,
    );
    return { head: await promise, ws };
  }

  #take(b: Uint8Array) {
    const all = new Uint8Array(this.#text.length + b.length);
    all.set(this.#text);
    all.set(b, this.#text.length);
    this.#text = all;
    for (;;) {
      const d = this.#text;
      if (d.length < 2) return;
      let at = 2;
      let length = d[1];
      if (length === 126) {
        length = d[2] << 8 | d[3];
        at = 4;
      } else if (length === 127) {
        length = new DataView(d.buffer, d.byteOffset).getUint32(6);
        at = 10;
      }
      if (d.length < at + length) return;
      const data = d.slice(at, at + length);
      if ((d[0] & 15) === 1) this.#messages.push(JSON.parse(new TextDecoder().decode(data)));
      if ((d[0] & 15) === 8) this.closed = data[0] << 8 | data[1];
      this.#text = d.slice(at + length);
      for (const f of this.#waiting.splice(0)) f();
    }
  }

  async next(): Promise<Json> {
    while (this.#messages.length === 0) {
      if (this.closed !== undefined) throw new Error(`closed ${this.closed}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#messages.shift();
  }

  async end(): Promise<number> {
    while (this.closed === undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.socket.destroy();
    return this.closed;
  }

  frame(opcode: number, data: Uint8Array, fin = true): void {
    const mask = [1, 2, 3, 4];
    const head = data.length < 126
      ? [data.length | 128]
      : [254, data.length >> 8, data.length & 255];
    this.socket.write(
      Uint8Array.from([
        (fin ? 128 : 0) | opcode,
        ...head,
        ...mask,
        ...data.map((x, i) => x ^ mask[i & 3]),
      ]),
    );
  }

  send(value: unknown): void {
    this.frame(
      1,
      new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)),
    );
  }
}

Deno.test("RFC 8887: requests and pushing over a websocket, with their errors", () =>
  withJmap(async (w) => {
    const { ann } = w;
    const session = (await ann.raw("session")).json;
    assert.deepEqual(session.capabilities["urn:ietf:params:jmap:websocket"], {
      url: `${w.base.replace("http", "ws")}ws`,
      supportsPush: true,
    });
    const { head, ws } = await Ws.open(w, ann);
    assert.match(head, /^HTTP\/1\.1 101 /);
    assert.match(head, /^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=$/m);
    assert.match(head, /^Sec-WebSocket-Protocol: jmap$/m);
    const echo = (id: string) => ({
      "@type": "Request",
      id,
      using: ["urn:ietf:params:jmap:core"],
      methodCalls: [["Core/echo", { id }, "0"]],
    });
    for (let i = 0; i < 40; i++) ws.send(echo(`r${i}`));
    for (let i = 0; i < 40; i++) {
      const r = await ws.next();
      assert.equal(r["@type"], "Response");
      assert.equal(r.requestId, `r${i}`);
      assert.deepEqual(r.methodResponses, [["Core/echo", { id: `r${i}` }, "0"]]);
      assert.equal(r.sessionState, session.state);
    }
    // Divided, with a ping between.
    const bytes = new TextEncoder().encode(JSON.stringify(echo("d")));
    ws.frame(1, bytes.slice(0, 20), false);
    ws.frame(9, Uint8Array.of(1));
    ws.frame(0, bytes.slice(20));
    assert.equal((await ws.next()).requestId, "d");
    // Large ones are parsed elsewhere; the order stays.
    const large = new TextEncoder().encode(JSON.stringify(echo("l")) + " ".repeat(700_000));
    for (let at = 0; at < large.length; at += 60_000) {
      ws.frame(at === 0 ? 1 : 0, large.slice(at, at + 60_000), at + 60_000 >= large.length);
    }
    ws.send(echo("behind"));
    assert.equal((await ws.next()).requestId, "l");
    assert.equal((await ws.next()).requestId, "behind");
    ws.send("{");
    let e = await ws.next();
    assert.deepEqual([e["@type"], e.requestId, e.type], [
      "RequestError",
      null,
      "urn:ietf:params:jmap:error:notJSON",
    ]);
    ws.send({ "@type": "Request", id: "x", using: ["nope"], methodCalls: [] });
    e = await ws.next();
    assert.deepEqual([e.requestId, e.type, e.status], [
      "x",
      "urn:ietf:params:jmap:error:unknownCapability",
      400,
    ]);
    ws.send({ "@type": "Nope" });
    assert.equal((await ws.next()).type, "urn:ietf:params:jmap:error:notRequest");
    ws.send({ "@type": "WebSocketPushEnable", dataTypes: ["Email"] });
    ws.send(echo("after"));
    await ws.next();
    const start = performance.now();
    const { id } = await ann.import(mail({}));
    const p = await ws.next();
    assert.equal(p["@type"], "StateChange");
    assert.deepEqual(Object.keys(p.changed.ann), ["Email"]);
    assert.ok(performance.now() - start < 20_000);
    ws.send({ "@type": "WebSocketPushDisable" });
    await ann.call("Email/set", { update: { [id]: { "keywords/$seen": true } } });
    // What was missed comes when it is enabled with the state of before.
    ws.send({ "@type": "WebSocketPushEnable", dataTypes: null, pushState: p.pushState });
    const missed = await ws.next();
    assert.deepEqual(Object.keys(missed.changed.ann).sort(), ["Email", "Mailbox"]);
    ws.frame(8, Uint8Array.of(3, 232));
    assert.equal(await ws.end(), 1000);

    for (const more of ["X: y\r\n", "Sec-WebSocket-Protocol: chat\r\n"]) {
      const refused = await Ws.open(w, ann, more);
      assert.match(refused.head, /^HTTP\/1\.1 400 /);
      refused.ws.socket.destroy();
    }
    const cases: [number, (x: Ws) => void][] = [
      [1003, (x) => x.frame(2, Uint8Array.of(1))],
      [1002, (x) => void x.socket.write(Uint8Array.of(0x81, 1, 65))],
      [1002, (x) => x.frame(3, Uint8Array.of(1))],
      [1002, (x) => x.frame(0, Uint8Array.of(1))],
      [
        1009,
        (x) => void x.socket.write(Uint8Array.of(0x81, 255, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4)),
      ],
    ];
    for (const [code, send] of cases) {
      const { ws: x } = await Ws.open(w, ann);
      send(x);
      assert.equal(await x.end(), code);
    }
  }));

Deno.test("a websocket's pings are answered, and a flood of them ends it", () =>
  withJmap(async (w) => {
    const { ws } = await Ws.open(w, w.ann);
    const ping = Uint8Array.of(0x89, 0x80, 0, 0, 0, 0);
    for (let i = 0; i < 10_000; i++) ws.socket.write(ping);
    assert.equal(await ws.end(), 1008);
    // As many as any client needs are fine.
    const { ws: other } = await Ws.open(w, w.ann);
    for (let i = 0; i < 500; i++) other.frame(9, Uint8Array.of(i & 255));
    other.send({
      "@type": "Request",
      id: "1",
      using: ["urn:ietf:params:jmap:core"],
      methodCalls: [["Core/echo", {}, "0"]],
    });
    assert.equal((await other.next()).requestId, "1");
    other.socket.destroy();
  }));

Deno.test("event streams and websockets end with the password that has opened them", () =>
  withJmap(async (w) => {
    const streams = [
      await follow(w, w.ann, "types=*&closeafter=no&ping=0"),
      await follow(w, w.bob, "types=*&closeafter=no&ping=0"),
    ];
    const sockets = [await Ws.open(w, w.ann), await Ws.open(w, w.bob)];
    await setAccountPassword(w.server.accounts, "ann", "another password");
    assert.equal(await sockets[0].ws.end(), 1008);
    for await (const e of events(streams[0].body!)) assert.fail(`after the end: ${e.event}`);
    // Others stay.
    sockets[1].ws.send({
      "@type": "Request",
      id: "1",
      using: ["urn:ietf:params:jmap:core"],
      methodCalls: [["Core/echo", {}, "0"]],
    });
    assert.equal((await sockets[1].ws.next())["@type"], "Response");
    const bob = events(streams[1].body!);
    const next = bob.next();
    await w.bob.import(mail({}));
    assert.equal((await next).value!.event, "state");
    await bob.return(undefined);
    sockets[1].ws.socket.destroy();
  }));

Deno.test("frames in pieces of any size", () => {
  const frame = Uint8Array.of(0x81, 0x83, 1, 2, 3, 4, 97 ^ 1, 98 ^ 2, 99 ^ 3);
  for (let size = 1; size <= frame.length; size++) {
    const r = new FrameReader(100);
    const out = [];
    for (let at = 0; at < frame.length; at += size) out.push(...r.push(frame.slice(at, at + size)));
    assert.deepEqual(out, [{ kind: "text", data: new TextEncoder().encode("abc") }]);
  }
  assert.throws(
    () => new FrameReader(2).push(frame),
    (e) => e instanceof FrameError && e.code === 1009,
  );
  assert.deepEqual(closeFrame(1000, "x"), Uint8Array.of(0x88, 3, 3, 232, 120));
});

Deno.test("a frame takes room as its bytes come, not as it announces them", () => {
  const r = new FrameReader(10_000_000);
  const size = 9_000_000;
  const head = Uint8Array.of(0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  new DataView(head.buffer).setUint32(6, size);
  assert.deepEqual(r.push(head), []);
  assert.equal(r.held, 0);
  // Byte by byte, and then in large pieces.
  for (let i = 0; i < 1000; i++) r.push(Uint8Array.of(97));
  assert.ok(r.held <= 64 * 1024, `${r.held}`);
  let out = r.push(new Uint8Array(size - 2000).fill(97));
  assert.deepEqual(out, []);
  assert.ok(r.held <= size + 64 * 1024, `${r.held}`);
  out = r.push(new Uint8Array(1000).fill(97));
  assert.equal(out.length, 1);
  assert.equal(out[0].data.length, size);
  assert.ok(out[0].data.every((c) => c === 97));
  assert.equal(r.held, 0);
});

/** What a browser does with what it gets (RFC 8291 §3, from its side). */
async function decrypt(pair: CryptoKeyPair, auth: Uint8Array, body: Uint8Array): Promise<string> {
  const own = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const salt = body.slice(0, 16);
  const sender = body.slice(21, 21 + body[20]);
  const key = await crypto.subtle.importKey(
    "raw",
    sender,
    { name: "ECDH", namedCurve: "P-256" },
    true,
    [],
  );
  const secret = await crypto.subtle.deriveBits(
    { name: "ECDH", public: key },
    pair.privateKey,
    256,
  );
  const derive = async (ikm: BufferSource, s: BufferSource, info: Uint8Array, n: number) => {
    const k = await crypto.subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits"]);
    const params = { name: "HKDF", hash: "SHA-256", salt: s, info: info.slice() };
    return await crypto.subtle.deriveBits(params, k, n * 8);
  };
  const e = (s: string) => new TextEncoder().encode(s);
  const ikm = await derive(
    secret,
    auth.slice(),
    Uint8Array.from([...e("WebPush: info\0"), ...own, ...sender]),
    32,
  );
  const cek = await derive(ikm, salt, e("Content-Encoding: aes128gcm\0"), 16);
  const nonce = await derive(ikm, salt, e("Content-Encoding: nonce\0"), 12);
  const aes = await crypto.subtle.importKey("raw", cek, "AES-GCM", false, ["decrypt"]);
  const plain = new Uint8Array(
    await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, aes, body.slice(21 + body[20])),
  );
  assert.equal(plain[plain.length - 1], 2);
  return new TextDecoder().decode(plain.slice(0, -1));
}

const b64 = (b: Uint8Array) => b.toBase64({ alphabet: "base64url", omitPadding: true });

async function browser() {
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, [
    "deriveBits",
  ]) as CryptoKeyPair;
  const auth = crypto.getRandomValues(new Uint8Array(16));
  const p256dh = b64(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  return { pair, auth, keys: { p256dh, auth: b64(auth) } };
}

Deno.test("RFC 8291: what is encrypted, the client can read; RFC 8292: the token is signed", async () => {
  const { pair, auth, keys } = await browser();
  const read = readKeys(keys.p256dh, keys.auth)!;
  assert.equal(
    await decrypt(pair, auth, await encryptPush(new TextEncoder().encode("h\u00e9llo"), read)),
    "h\u00e9llo",
  );
  for (
    const bad of [["x", keys.auth], [keys.p256dh, "x"], [b64(new Uint8Array(65)), keys.auth], [
      "",
      "",
    ]]
  ) {
    assert.equal(readKeys(bad[0], bad[1]), undefined);
  }
  const vapid = await Vapid.open(await newVapidKey(), "https://mail.mox.example/");
  const header = await vapid.authorization("https://push.example", 1_700_000_000_000);
  const m = /^vapid t=([^.]+)\.([^.]+)\.([^,]+), k=(.+)$/.exec(header)!;
  const json = (s: string) =>
    JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(s, { alphabet: "base64url" })));
  assert.deepEqual(json(m[1]), { typ: "JWT", alg: "ES256" });
  assert.deepEqual(json(m[2]), {
    aud: "https://push.example",
    exp: 1_700_043_200,
    sub: "https://mail.mox.example/",
  });
  const key = await crypto.subtle.importKey(
    "raw",
    Uint8Array.fromBase64(m[4], { alphabet: "base64url" }),
    { name: "ECDSA", namedCurve: "P-256" },
    false,
    ["verify"],
  );
  assert.equal(m[4], vapid.publicKey);
  const signature = Uint8Array.fromBase64(m[3], { alphabet: "base64url" });
  const signed = new TextEncoder().encode(`${m[1]}.${m[2]}`);
  assert.ok(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, signed));
});

Deno.test("RFC 8620 §7.2: a subscription is verified, told of its types, renewed and given up", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const sent: { url: string; headers: Json; body: Uint8Array }[] = [];
    let status = 201;
    const waiting: (() => void)[] = [];
    const outbound = {
      forUsers: userAddressRule({ allowed: [], own: () => [] }),
      request(call: Json) {
        const body = typeof call.body === "string"
          ? new TextEncoder().encode(call.body)
          : call.body;
        sent.push({ url: call.url.href, headers: call.headers, body });
        assert.ok(call.rule("127.0.0.1"));
        for (const f of waiting.splice(0)) f();
        return Promise.resolve({
          status,
          headers: new Headers(),
          body: new Uint8Array(0),
          url: call.url,
        });
      },
    };
    Pusher.outboundForTests = outbound;
    const message = async (n: number) => {
      while (sent.length <= n) await new Promise<void>((resolve) => waiting.push(resolve));
      return sent[n];
    };
    try {
      const { pair, auth, keys } = await browser();
      const plain = async (method: string, args: Json) => {
        const r = await ann.post({ using: ann.using, methodCalls: [[method, args, "0"]] });
        return r.json.methodResponses[0];
      };
      const bad = await plain("PushSubscription/set", {
        create: {
          http: { deviceClientId: "d", url: "http://push.example/x" },
          none: { deviceClientId: "d" },
          keys: {
            deviceClientId: "d",
            url: "https://push.example/x",
            keys: { p256dh: "x", auth: "y" },
          },
          past: {
            deviceClientId: "d",
            url: "https://push.example/x",
            expires: "2000-01-01T00:00:00Z",
          },
          types: { deviceClientId: "d", url: "https://push.example/x", types: [1] },
          unknown: { deviceClientId: "d", url: "https://push.example/x", nope: 1 },
        },
      });
      const wrong = Object.fromEntries(
        Object.entries(bad[1].notCreated).map(([k, e]: [string, Json]) => [k, e.properties]),
      );
      assert.deepEqual(wrong, {
        http: ["url"],
        none: ["url"],
        keys: ["keys"],
        past: ["expires"],
        types: ["types"],
        unknown: ["nope"],
      });
      const made = await plain("PushSubscription/set", {
        create: {
          s: { deviceClientId: "d", url: "https://push.example/x", keys, types: ["Email"] },
        },
      });
      const { id, expires } = made[1].created.s;
      assert.equal("accountId" in made[1], false);
      assert.ok(Date.parse(expires) > Date.now());
      const first = await message(0);
      assert.equal(first.url, "https://push.example/x");
      assert.equal(first.headers["content-encoding"], "aes128gcm");
      assert.match(first.headers.authorization, /^vapid t=/);
      const verification = JSON.parse(await decrypt(pair, auth, first.body));
      assert.equal(verification["@type"], "PushVerification");
      assert.equal(verification.pushSubscriptionId, id);
      // Nothing is told before it is verified.
      await ann.import(mail({}));
      const no = await plain("PushSubscription/set", {
        update: { [id]: { verificationCode: "no" } },
      });
      assert.deepEqual(no[1].notUpdated[id].properties, ["verificationCode"]);
      const yes = await plain("PushSubscription/set", {
        update: { [id]: { verificationCode: verification.verificationCode } },
      });
      assert.deepEqual(yes[1].updated, { [id]: null });
      await ann.import(mail({}));
      const change = JSON.parse(await decrypt(pair, auth, (await message(1)).body));
      assert.deepEqual(change, {
        "@type": "StateChange",
        changed: { ann: { Email: (await ann.call("Email/get", { ids: [] })).state } },
      });
      const got = await plain("PushSubscription/get", {});
      assert.deepEqual(got[1].list, [{
        id,
        deviceClientId: "d",
        verificationCode: verification.verificationCode,
        expires,
        types: ["Email"],
      }]);
      assert.equal(
        (await plain("PushSubscription/get", { properties: ["url"] }))[1].type,
        "forbidden",
      );
      const far = await plain("PushSubscription/set", {
        update: { [id]: { expires: "2099-01-01T00:00:00Z" } },
      });
      assert.ok(Date.parse(far[1].updated[id].expires) < Date.parse("2099-01-01T00:00:00Z"));
      const others = await bob.post({
        using: bob.using,
        methodCalls: [["PushSubscription/get", {}, "0"]],
      });
      assert.deepEqual(others.json.methodResponses[0][1].list, []);
      // It goes on after a restart; one that is gone is forgotten.
      await w.restart();
      status = 410;
      await new Promise((resolve) => setTimeout(resolve, 100));
      await ann.import(mail({}));
      await message(2);
      for (let i = 0; i < 100; i++) {
        if ((await plain("PushSubscription/get", {}))[1].list.length === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.fail("subscription is still there");
    } finally {
      Pusher.outboundForTests = undefined;
    }
  }));
