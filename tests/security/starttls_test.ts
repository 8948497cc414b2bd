/**
 * STARTTLS as somebody in the middle sees it, on every listener that has it: what he puts in before the handshake
 * is never run nor answered after it, and nothing that was said in plain text counts afterwards (RFC 3207 §4.2,
 * RFC 9051 §6.2.1, RFC 2595 §4, RFC 5804 §2.2).
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { type Localserve, startLocalserve } from "../support/localserve.ts";

/** Waits for the end of a connection. */
const never = /(?!)/;

/** One protocol's words. */
interface Words {
  name: string;
  port: (s: Localserve) => number;
  /** The end of the greeting. */
  greeting: RegExp;
  /** What is said before STARTTLS may be. */
  hello?: string;
  starttls: string;
  begun: RegExp;
  /** What the server says by itself after the handshake. */
  afterTls?: RegExp;
  /** A command whose answer shows that it ran. */
  injected: string;
  ran: RegExp;
  /** Asked after the handshake, to see what was answered before it. */
  probe: string;
  probed: RegExp;
  /** STARTTLS again, with TLS. */
  again: RegExp;
}

const smtp = (name: string, port: (s: Localserve) => number): Words => ({
  name,
  port,
  greeting: /^220 .*\r\n/m,
  hello: "EHLO plain.example\r\n",
  starttls: "STARTTLS\r\n",
  begun: /^220 [^\n]*\n$/m,
  injected: "HELP injected\r\n",
  ran: /^214|^50[0-9]/m,
  probe: "NOOP\r\n",
  probed: /^250 [^\n]*\n/m,
  again: /^503 /m,
});

const protocols: Words[] = [
  smtp("SMTP", (s) => s.smtp),
  smtp("submission", (s) => s.submission),
  {
    name: "IMAP",
    port: (s) => s.imap,
    greeting: /^\* OK .*\r\n/m,
    starttls: "a STARTTLS\r\n",
    begun: /^a OK [^\n]*\n$/m,
    injected: "inj CAPABILITY\r\n",
    ran: /^inj /m,
    probe: "p NOOP\r\n",
    probed: /^p OK[^\n]*\n/m,
    again: /^a BAD /m,
  },
  {
    name: "POP3",
    port: (s) => s.pop3,
    greeting: /^\+OK .*\r\n/m,
    starttls: "STLS\r\n",
    begun: /^\+OK [^\n]*\n$/m,
    injected: "CAPA\r\n",
    ran: /^USER\r|^UIDL\r/m,
    probe: "NOOPE\r\n",
    probed: /^-ERR[^\n]*\n/m,
    again: /^-ERR /m,
  },
  {
    name: "ManageSieve",
    port: (s) => s.managesieve,
    greeting: /^OK .*\r\n/m,
    starttls: "STARTTLS\r\n",
    begun: /^OK [^\n]*\n$/m,
    afterTls: /^OK [^\n]*\n/m,
    injected: 'NOOP "injected"\r\n',
    ran: /injected/,
    probe: 'NOOP "probe"\r\n',
    probed: /probe[^\n]*\n/,
    again: /^NO /m,
  },
];

/** A client that reads what comes, before and after it begins TLS. */
class Client implements Disposable {
  #socket: Socket;
  #got = "";
  #wake = () => {};
  ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  static dial(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const s = connect(port, "127.0.0.1", () => resolve(new Client(s)));
      s.once("error", reject);
    });
  }

  #listen(): void {
    this.#socket.on("data", (b) => {
      this.#got += b.toString("latin1");
      this.#wake();
    });
    for (const e of ["end", "close", "error"]) {
      this.#socket.on(e, () => {
        this.ended = true;
        this.#wake();
      });
    }
  }

  send(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** All that came up to the end of a match, or to the end of the connection. */
  async until(expected: RegExp): Promise<string> {
    while (!expected.test(this.#got) && !this.ended) {
      await new Promise<void>((r) => this.#wake = r);
    }
    const got = this.#got;
    this.#got = "";
    return got;
  }

  /** False if the handshake fails. */
  async tls(): Promise<boolean> {
    const plain = this.#socket;
    plain.removeAllListeners("data");
    const s = tlsConnect({ socket: plain, rejectUnauthorized: false, servername: "localhost" });
    const ok = await new Promise<boolean>((resolve) => {
      s.once("secureConnect", () => resolve(true));
      s.once("error", () => resolve(false));
      s.once("close", () => resolve(false));
    });
    this.#socket = s;
    this.#got = "";
    this.ended = false;
    this.#listen();
    return ok;
  }

  [Symbol.dispose](): void {
    this.#socket.on("error", () => {});
    this.#socket.destroy();
  }
}

async function greeted(w: Words, s: Localserve): Promise<Client> {
  const c = await Client.dial(w.port(s));
  await c.until(w.greeting);
  if (w.hello !== undefined) {
    c.send(w.hello);
    await c.until(/^250 [^\n]*\n/m);
  }
  return c;
}

/** After the handshake: the probe is answered, and nothing else was. */
async function onlyProbe(w: Words, c: Client, what: string): Promise<void> {
  let got = w.afterTls === undefined ? "" : await c.until(w.afterTls);
  c.send(w.probe);
  got += await c.until(w.probed);
  assert.match(got, w.probed, `${what}: ${got}`);
  assert.doesNotMatch(got.replace(w.probed, ""), w.ran, `${what}: ${got}`);
}

async function cases(w: Words, s: Localserve): Promise<void> {
  {
    using c = await greeted(w, s);
    c.send(w.starttls);
    assert.match(await c.until(w.begun), w.begun);
    assert.ok(await c.tls(), "an honest client");
    await onlyProbe(w, c, "an honest client");
    c.send(w.starttls);
    assert.match(await c.until(w.again), w.again, "TLS in TLS");
  }
  // Whole commands, half of one, and thousands of them, sent along with it.
  for (const more of [w.injected, "NO", w.injected.repeat(3000), `${w.starttls}${w.injected}`]) {
    const what = `along with ${more.length} bytes`;
    using c = await greeted(w, s);
    c.send(w.starttls + more);
    const answer = await c.until(/\r\n/);
    assert.doesNotMatch(answer, w.ran.source.includes("50") ? /^214/m : w.ran, what);
    // Either it was refused, and the connection ends, or what came along is dropped.
    if (!w.begun.test(answer)) {
      await c.until(never);
      assert.ok(c.ended, what);
      continue;
    }
    if (await c.tls()) await onlyProbe(w, c, what);
  }
  // In plain text after the answer.
  {
    using c = await greeted(w, s);
    c.send(w.starttls);
    await c.until(w.begun);
    c.send(w.injected);
    const got = await c.until(never);
    assert.ok(c.ended, "plain text in place of a handshake");
    assert.doesNotMatch(got, w.ran);
    assert.doesNotMatch(got, w.probed);
  }
}

/** What was said in plain text is forgotten. */
async function forgotten(s: Localserve): Promise<void> {
  const begin = async (name: string, ...before: [string, RegExp][]) => {
    const w = protocols.find((p) => p.name === name)!;
    const c = await greeted(w, s);
    for (const [line, answer] of before) {
      c.send(line);
      await c.until(answer);
    }
    c.send(w.starttls);
    assert.match(await c.until(w.begun), w.begun);
    assert.ok(await c.tls());
    if (w.afterTls !== undefined) await c.until(w.afterTls);
    return c;
  };
  for (const name of ["SMTP", "submission"]) {
    using c = await begin(name);
    c.send("MAIL FROM:<a@remote.example>\r\n");
    assert.match(await c.until(/^\d{3} .*\r\n/m), /^503 /m, `${name}: EHLO of before`);
  }
  {
    using c = await begin("POP3", ["USER mox@localhost\r\n", /\r\n/]);
    c.send("PASS moxmoxmox\r\n");
    assert.match(await c.until(/\r\n/), /^-ERR/, "POP3: USER of before");
  }
}

/** After a login there is nothing to begin. */
async function afterLogin(s: Localserve): Promise<void> {
  const plain = btoa("\0mox@localhost\0moxmoxmox");
  const logins: Record<string, [string, RegExp]> = {
    submission: [`AUTH PLAIN ${plain}\r\n`, /^235 .*\r\n/m],
    IMAP: ["l LOGIN mox@localhost moxmoxmox\r\n", /^l OK .*\r\n/m],
    POP3: [`AUTH PLAIN ${plain}\r\n`, /^\+OK .*\r\n/m],
    ManageSieve: [`AUTHENTICATE "PLAIN" "${plain}"\r\n`, /^OK.*\r\n/m],
  };
  for (const w of protocols) {
    const login = logins[w.name];
    if (login === undefined) continue;
    using c = await greeted(w, s);
    c.send(login[0]);
    assert.match(await c.until(/^(?:\S+ )?(?:OK|235|\+OK|NO|-ERR|5\d\d).*\r\n/m), login[1], w.name);
    c.send(w.starttls);
    assert.match(await c.until(w.again), w.again, w.name);
  }
}

Deno.test("STARTTLS: what comes before the handshake counts for nothing after it", async (t) => {
  const s = await startLocalserve();
  try {
    for (const w of protocols) await t.step(w.name, () => cases(w, s));
    await t.step("what was said before it is forgotten", () => forgotten(s));
    await t.step("not after a login", () => afterLogin(s));
  } finally {
    await s.close();
  }
});
