/** The POP3 server over a real socket, as transcripts, and with a client of Python's library. */
import assert from "node:assert/strict";
import { lacks } from "../support/programs.ts";
import { type Localserve, startLocalserve } from "../support/localserve.ts";
import { DotStuffer } from "../../src/pop3/dot_stuffing.ts";
import { fc } from "../support/fast_check.ts";

class Client {
  readonly #conn: Deno.Conn;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.#reader = conn.readable.getReader();
  }

  static async connect(port: number): Promise<Client> {
    const c = new Client(await Deno.connect({ port }));
    assert.match(await c.line(), /^\+OK .* ready$/);
    return c;
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`connection ended behind ${JSON.stringify(this.#text)}`);
      this.#text += new TextDecoder().decode(value);
    }
  }

  async write(text: string): Promise<void> {
    await this.#conn.write(new TextEncoder().encode(text));
  }

  /** A command and its answer of one line. */
  async ask(command: string): Promise<string> {
    await this.write(`${command}\r\n`);
    return await this.line();
  }

  /** The lines behind a positive answer, dots taken off. */
  async lines(): Promise<string[]> {
    const list: string[] = [];
    for (let l = await this.line(); l !== "."; l = await this.line()) {
      list.push(l.startsWith(".") ? l.slice(1) : l);
    }
    return list;
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}

async function deliver(s: Localserve, ...bodies: string[]): Promise<void> {
  const conn = await Deno.connect({ port: s.smtp });
  let text = "EHLO x\r\n";
  for (const body of bodies) {
    const data = body.replaceAll(/^\./gm, "..");
    text += `MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n${data}\r\n.\r\n`;
  }
  const writing = conn.write(new TextEncoder().encode(`${text}QUIT\r\n`));
  let answers = "";
  for await (const b of conn.readable) answers += new TextDecoder().decode(b);
  await writing;
  assert.equal(answers.match(/message accepted/g)?.length ?? 0, bodies.length, answers);
}

const pop3Port = (s: Localserve) => 1110 + s.offset;

Deno.test("POP3: a session lists, retrieves, deletes at QUIT and nowhere else", async () => {
  const s = await startLocalserve();
  try {
    await deliver(s, "Subject: one\r\n\r\nfirst\r\n.dot\r\n\r\nlast", "Subject: two\r\n\r\nsecond");
    const c = await Client.connect(pop3Port(s));
    assert.match(await c.ask("CAPA"), /^\+OK/);
    const capabilities = await c.lines();
    for (
      const name of ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "USER", "STLS"]
    ) {
      assert.ok(capabilities.includes(name), name);
    }
    assert.match(capabilities.find((l) => l.startsWith("SASL "))!, / SCRAM-SHA-256 .* PLAIN/);
    assert.match(await c.ask("STAT"), /^-ERR log in first/);
    assert.match(await c.ask("PASS x"), /^-ERR USER first/);
    assert.match(await c.ask("USER mox@localhost"), /^\+OK/);
    assert.match(await c.ask("PASS wrong"), /^-ERR \[AUTH\]/);
    assert.match(await c.ask("USER mox@localhost"), /^\+OK/);
    assert.match(await c.ask("PASS moxmoxmox"), /^\+OK 2 messages/);
    assert.match(await c.ask("USER mox@localhost"), /^-ERR already logged in/);

    const [, count, size] = /^\+OK (\d+) (\d+)$/.exec(await c.ask("STAT"))!;
    assert.equal(count, "2");
    assert.match(await c.ask("LIST"), /^\+OK/);
    const sizes = (await c.lines()).map((l) => l.split(" ").map(Number));
    assert.deepEqual(sizes.map(([n]) => n), [1, 2]);
    assert.equal(sizes[0][1] + sizes[1][1], Number(size));
    assert.equal(await c.ask("LIST 2"), `+OK 2 ${sizes[1][1]}`);
    assert.match(await c.ask("UIDL"), /^\+OK/);
    const ids = (await c.lines()).map((l) => l.split(" ")[1]);
    assert.equal(new Set(ids).size, 2);
    for (const id of ids) assert.match(id, /^[\x21-\x7e]{1,70}$/);

    assert.equal(await c.ask("RETR 1"), `+OK ${sizes[0][1]} octets`);
    const message = await c.lines();
    assert.equal(`${message.join("\r\n")}\r\n`.length, sizes[0][1]);
    assert.deepEqual(message.slice(message.indexOf("")), ["", "first", ".dot", "", "last"]);
    // Blanks too many.
    assert.match(await c.ask("TOP  1  1 "), /^\+OK/);
    const head = await c.lines();
    assert.deepEqual(head.slice(head.indexOf("Subject: one")), ["Subject: one", "", "first"]);
    assert.match(await c.ask("TOP 1 0"), /^\+OK/);
    assert.equal((await c.lines()).at(-1), "");

    for (
      const bad of [
        "RETR 0",
        "RETR 3",
        "RETR x",
        "RETR",
        "RETR 1 2",
        "TOP 1",
        "LIST -1",
        "XYZ",
        "DELE 99999999999",
      ]
    ) {
      assert.match(await c.ask(bad), /^-ERR/, bad);
    }
    const other = await Client.connect(pop3Port(s));
    await other.ask("USER mox@localhost");
    assert.match(
      await other.ask("PASS moxmoxmox"),
      /^-ERR \[IN-USE\]/,
      "one session has the maildrop",
    );
    await other.close();

    assert.match(await c.ask("DELE 1"), /^\+OK/);
    assert.match(await c.ask("RETR 1"), /^-ERR message 1 is deleted/);
    assert.match(await c.ask("STAT"), new RegExp(`^\\+OK 1 ${sizes[1][1]}$`));
    assert.match(await c.ask("RSET"), /^\+OK 2 messages/);
    assert.match(await c.ask("DELE 2"), /^\+OK/);
    await c.close();

    // Without QUIT nothing is gone (RFC 1939 section 3).
    const again = await login(s);
    assert.match(await again.ask("STAT"), /^\+OK 2 /);
    // Pipelined (RFC 2449 section 6.6).
    await again.write("DELE 1\r\nNOOP\r\nUIDL\r\nQUIT\r\n");
    assert.match(await again.line(), /^\+OK message 1 deleted/);
    assert.match(await again.line(), /^\+OK/);
    assert.match(await again.line(), /^\+OK/);
    assert.deepEqual(await again.lines(), [`2 ${ids[1]}`]);
    assert.match(await again.line(), /^\+OK bye/);
    await again.close();
    const last = await login(s);
    assert.match(await last.ask("STAT"), new RegExp(`^\\+OK 1 ${sizes[1][1]}$`));
    await last.close();
  } finally {
    await s.close();
  }
});

/** A session that has logged in; the session before may still be ending. */
async function login(s: Localserve): Promise<Client> {
  for (;;) {
    const c = await Client.connect(pop3Port(s));
    await c.ask("USER mox@localhost");
    const answer = await c.ask("PASS moxmoxmox");
    if (answer.startsWith("+OK")) return c;
    assert.match(answer, /\[IN-USE\]/);
    await c.close();
  }
}

const script = `
import poplib, ssl, sys
port, tls_port = int(sys.argv[1]), int(sys.argv[2])
context = ssl._create_unverified_context()
p = poplib.POP3("127.0.0.1", port)
print(sorted(p.capa())[:3])
p.stls(context)
p.user("mox@localhost"); p.pass_("moxmoxmox")
print(p.stat()[0])
print([l for l in p.retr(1)[1] if l.startswith(b"Subject")])
print(len(p.uidl()[1]), p.top(1, 0)[1][-1])
p.dele(1)
p.quit()
q = poplib.POP3_SSL("127.0.0.1", tls_port, context=context)
q.utf8(); q.user("mox@localhost"); q.pass_("moxmoxmox")
print(q.stat()[0])
q.quit()
`;

Deno.test({
  name: "POP3: Python's poplib works by STLS and over TLS",
  ignore: lacks("python3"),
  fn: usePoplib,
});

async function usePoplib(): Promise<void> {
  const s = await startLocalserve();
  try {
    await deliver(s, "Subject: for python\r\n\r\nhello");
    const { success, stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", script, String(pop3Port(s)), String(1995 + s.offset)],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.deepEqual(new TextDecoder().decode(stdout).trim().split("\n"), [
      "['AUTH-RESP-CODE', 'EXPIRE', 'PIPELINING']",
      "1",
      "[b'Subject: for python']",
      "1 b''",
      "0",
    ]);
  } finally {
    await s.close();
  }
}

Deno.test("dots are doubled and lines counted, in whatever pieces", () => {
  const stuffed = (text: string, lines: number, cuts: number[] = []) => {
    const d = new DotStuffer(lines);
    const all = new TextEncoder().encode(text);
    const at = [...cuts.map((n) => n % (all.length + 1)).sort((a, b) => a - b), all.length];
    let [out, from] = ["", 0];
    for (const to of at) {
      out += new TextDecoder().decode(d.push(all.slice(from, to)));
      from = to;
    }
    return out + d.end();
  };
  assert.equal(stuffed("a: b\r\n\r\n.x\r\ny", Infinity), "a: b\r\n\r\n..x\r\ny\r\n.\r\n");
  assert.equal(stuffed("a: b\r\n\r\n.x\r\ny", 1), "a: b\r\n\r\n..x\r\n.\r\n");
  assert.equal(stuffed("a: b\r\n\r\nx", 0), "a: b\r\n\r\n.\r\n");
  assert.equal(stuffed("", Infinity), ".\r\n");
  assert.equal(stuffed("no body", 3), "no body\r\n.\r\n");
  fc.assert(
    fc.property(
      fc.stringMatching(/^[.a\r\n]{0,40}$/),
      fc.nat(5),
      fc.array(fc.nat(50)),
      (t, n, cuts) => {
        assert.equal(stuffed(t, n, cuts), stuffed(t, n));
        assert.ok(stuffed(t, Infinity).endsWith("\r\n.\r\n") || stuffed(t, Infinity) === ".\r\n");
      },
    ),
  );
});
