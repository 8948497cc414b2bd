/**
 * STARTTLS of the server's own connections, with somebody in the middle: an IMAP server that a user imports from,
 * and an LDAP directory. (SMTP: tests/smtp/client_test.ts.) Whatever he says in plain text, no password goes out in
 * plain text, and what he puts in before the handshake is no answer to what is asked after it.
 */
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { Ldap } from "../../src/identity/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { ImapSource } from "../../src/store/import/imap.ts";
import { fitsHash } from "../../src/store/logins/password.ts";
import { Authorities, Outbound } from "../../src/net/mod.ts";
import { outboundTo } from "../support/outbound.ts";
import { TestCa } from "../support/test_ca.ts";

const ca = new TestCa();
const pair = ca.pair(["mail.example", "localhost"]);
const secret = "the-secret-password";

/** What a peer got, in plain text and after the handshake. */
interface Peer {
  port: number;
  plain: string;
  secure: string;
  connections: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A peer. `plain` gets what comes before the handshake, and answers; true begins TLS.
 */
async function peer(
  greeting: string,
  plain: (said: Uint8Array, write: (b: string | Uint8Array) => void) => boolean,
  secure: (said: Uint8Array, write: (b: string | Uint8Array) => void) => void,
): Promise<Peer> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    p.connections++;
    open.add(socket);
    socket.on("error", () => {});
    socket.write(greeting);
    const onData = (said: Uint8Array) => {
      p.plain += new TextDecoder("latin1").decode(said);
      if (!plain(said, (b) => void socket.write(b))) return;
      socket.off("data", onData);
      const s = new TLSSocket(socket, { isServer: true, key: pair.key, cert: pair.cert });
      s.on("error", () => {});
      s.on("data", (b: Uint8Array) => {
        p.secure += new TextDecoder("latin1").decode(b);
        secure(b, (answer) => void s.write(answer));
      });
    };
    socket.on("data", onData);
  });
  await new Promise<void>((r) => server.listen(0, "127.0.0.1", r));
  const p: Peer = {
    port: (server.address() as AddressInfo).port,
    plain: "",
    secure: "",
    connections: 0,
    async [Symbol.asyncDispose]() {
      for (const s of open) s.destroy();
      await new Promise((r) => server.close(r));
    },
  };
  return p;
}

/** What an import says of it. */
async function imported(port: number): Promise<string> {
  const source = new ImapSource(
    {
      host: "localhost",
      port,
      tls: false,
      user: "ann",
      password: secret,
      outbound: outboundTo([ca.root]),
      retryDelays: [],
    } as never,
    {},
    AbortSignal.timeout(20_000),
    () => false,
  );
  const found: string[] = [];
  try {
    for await (const m of source.messages()) found.push(JSON.stringify(m).slice(0, 200));
  } catch (err) {
    return `${(err as Error).name}: ${(err as Error).message}`;
  }
  return found.join("\n") || "nothing";
}

const tagOf = (said: Uint8Array) => new TextDecoder().decode(said).split(" ")[0];

/** An honest enough server behind the handshake: one that refuses the login. */
function afterwards(said: Uint8Array, write: (b: string) => void): void {
  const text = new TextDecoder().decode(said);
  for (const line of text.split("\r\n")) {
    const [tag, command] = line.split(" ");
    if (command === undefined) continue;
    if (command === "CAPABILITY") write(`* CAPABILITY IMAP4rev1\r\n${tag} OK done\r\n`);
    else if (command === "LOGIN") write(`${tag} NO wrong password here\r\n`);
    else write(`${tag} OK done\r\n`);
  }
}

const imapWith = (o: {
  greeting?: string;
  capabilities?: string;
  answer?: (tag: string) => string;
}) => {
  const answer = o.answer ?? ((tag: string) => `${tag} OK begin\r\n`);
  return peer(o.greeting ?? "* OK hello\r\n", (said, write) => {
    const text = new TextDecoder("latin1").decode(said);
    if (/ CAPABILITY\r\n/i.test(text)) {
      write(`* CAPABILITY ${o.capabilities ?? "IMAP4rev1 STARTTLS"}\r\n${tagOf(said)} OK done\r\n`);
    } else if (/ STARTTLS\r\n/i.test(text)) {
      const said = answer(text.split(" ")[0]);
      write(said);
      return / OK begin/.test(said);
    } else write(`${tagOf(said)} OK fine\r\n`);
    return false;
  }, afterwards);
};

Deno.test("IMAP import with STARTTLS: no password in plain text, whatever the server says", async (t) => {
  const tries: [string, Parameters<typeof imapWith>[0]][] = [
    ["nothing is put in", {}],
    ["logged in already, by the greeting", { greeting: "* PREAUTH welcome\r\n" }],
    ["logged in already, with capabilities", {
      greeting: "* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n",
    }],
    ["not offered", { capabilities: "IMAP4rev1 AUTH=PLAIN" }],
    ["refused", { answer: (tag) => `${tag} NO not today\r\n` }],
    ["unknown", { answer: (tag) => `${tag} BAD what\r\n` }],
    ["ended", { answer: () => "* BYE gone\r\n" }],
    ["login put in as done", { answer: (tag) => `${tag} OK begin\r\n3 OK in\r\n4 OK in\r\n` }],
    ["mailboxes put in", {
      answer: (tag) =>
        `${tag} OK begin\r\n* LIST () "/" injected\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n`,
    }],
  ];
  for (const [name, o] of tries) {
    await t.step(name, async () => {
      await using p = await imapWith(o);
      const said = await imported(p.port);
      assert.ok(p.connections > 0);
      assert.ok(!p.plain.includes(secret), p.plain);
      assert.doesNotMatch(p.plain, /\b(?:LOGIN|AUTHENTICATE)\b/, p.plain);
      assert.doesNotMatch(said, /injected/);
      // It ends in an error always: behind the handshake the login is refused.
      assert.match(said, /Error|Refused/, said);
      if (name === "nothing is put in") assert.match(said, /refuses name and password/);
    });
  }
});

/** BER: an LDAP message with the id of the request and an operation. */
function ldapAnswer(said: Uint8Array, operation: number, code: number, shift = 0): Uint8Array {
  const id = said[4] + shift;
  return Uint8Array.of(
    0x30,
    12,
    2,
    1,
    id,
    operation,
    7,
    0x0a,
    1,
    code,
    4,
    0,
    4,
    0,
  );
}

Deno.test("LDAP with STARTTLS: no bind in plain text, and none that was answered before it", async (t) => {
  const outcome = async (port: number): Promise<string> => {
    const ldap = new Ldap({
      name: "staff",
      conf: {
        URL: `ldap://localhost:${port}`,
        NoTLS: false,
        BindDN: "cn=mox",
        BindPasswordFile: "x",
        BaseDN: "dc=example",
        Filter: "(mail=%s)",
        GroupFilter: "",
        HashAttribute: "",
        NameAttribute: "cn",
        CacheTime: 3_600_000,
        CreateAccounts: false,
      },
      secret,
      outbound: new Outbound({
        authorities: Authorities.of(ca.root),
        lookup: () => Promise.resolve(["127.0.0.1"]),
      }),
      verify: fitsHash,
      log: new Log("test"),
      now: Date.now,
      operationTime: 3000,
    });
    try {
      return `answer ${(await ldap.check("ann@dir.example", "wrong")).name}`;
    } catch (err) {
      return `${(err as Error).name}: ${(err as Error).message}`;
    }
  };
  const extended = 0x78;
  const bind = 0x61;
  const tries: [string, (said: Uint8Array) => Uint8Array[], boolean][] = [
    ["refused", (s) => [ldapAnswer(s, extended, 52)], false],
    ["unknown", (s) => [ldapAnswer(s, extended, 2)], false],
    ["bind put in as done", (s) => [
      ldapAnswer(s, extended, 0),
      ...[1, 2, 3].map((n) => ldapAnswer(s, bind, 0, n)),
    ], true],
  ];
  for (const [name, answers, tls] of tries) {
    await t.step(name, async () => {
      await using p = await peer("", (said, write) => {
        for (const a of answers(said)) write(a);
        return tls;
      }, () => {});
      const said = await outcome(p.port);
      assert.ok(p.connections > 0, said);
      assert.ok(!p.plain.includes(secret), p.plain);
      assert.doesNotMatch(said, /^answer/, said);
    });
  }
});
