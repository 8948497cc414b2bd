/** Connections between nodes that are used again: by one client after the other, and when the other side has died. */
import assert from "node:assert/strict";
import { Log, setLevel } from "../../src/log/mod.ts";
import { type Connection, ConnectionError, type SocketConnection } from "../../src/net/mod.ts";
import { type NodeKey, openNodeKey } from "../../src/nodes/key.ts";
import { NodeAway, type NodePlace, serveNodeLinks } from "../../src/nodes/link.ts";
import {
  MailLinks,
  NodeRefusal,
  type PassedClient,
  PassedTransaction,
} from "../../src/nodes/pass_on.ts";
import { servePassedMail } from "../../src/serve/nodes/passed_mail.ts";
import { SmtpError } from "../../src/smtp/server/mod.ts";

setLevel("node", "error");
const log = new Log("node");

const text = "Subject: x\r\n\r\nHi.\r\n";
const clientAt = (remoteIp: string, tls?: PassedClient["tls"]): PassedClient => ({
  ...{ remoteIp, remotePort: 7, localIp: "192.0.2.25", localPort: 25 },
  ...{ hello: `host-${remoteIp}`, tls },
});
const envelope = {
  ...{ mailFrom: "sue@sender.example", recipients: [], size: text.length, body: "7bit" as const },
  ...{ smtpUtf8: false, requireTls: false, ret: undefined, envelopeId: undefined },
};
const recipient = (address: string) => ({ address, notify: [], originalRecipient: undefined });

interface World {
  key: NodeKey;
  links: MailLinks;
  place: NodePlace;
  /** Connections that came. */
  made: () => number;
  file: string;
  /** Sends one message, and gives the answers. */
  send: (ip: string, to?: readonly string[]) => Promise<string[]>;
  /** From now on the peer's key is a node's, or not. */
  known: (is: boolean) => void;
}

async function withPeer(
  serve: (conn: SocketConnection, n: number, dir: string) => Promise<void>,
  fn: (w: World) => Promise<void>,
  times: { idle?: number; kept?: number } = { idle: 600_000, kept: 600_000 },
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const keys = await Promise.all(["one", "two"].map((n) => openNodeKey(dir, n)));
  let made = 0;
  let isKnown = true;
  const server = await serveNodeLinks({
    address: "127.0.0.1",
    port: 0,
    key: keys[1],
    log,
    peerInterval: 20,
    peerWith: (hash) =>
      isKnown && hash === keys[0].hash ? { node: "one", standby: false } : undefined,
    serve: { lmtp: (conn) => serve(conn, ++made, dir) },
  });
  const links = new MailLinks(keys[0], times);
  const place = { Address: "127.0.0.1", Port: server.port, Key: keys[1].hash };
  const file = `${dir}/message`;
  await Deno.writeTextFile(file, text);
  try {
    await fn({
      ...{ key: keys[0], links, place, made: () => made, file },
      known: (is) => isKnown = is,
      async send(ip, to = ["bob@mox.example"]) {
        const t = await PassedTransaction.begin(links, "two", place, clientAt(ip), envelope);
        for (const r of to) await t.recipient(recipient(r));
        const answers = await t.message(file, text.length);
        t.close();
        return answers.map((a) => `${a.code}`);
      },
    });
  } finally {
    links.close();
    await server.shutdown(0);
    await Deno.remove(dir, { recursive: true });
  }
}

const idleBecomes = async (links: MailLinks, n: number) => {
  while (links.idle !== n) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** What a peer does at a command of one of its connections, in place of the answer. */
type Odd = (conn: Connection, command: string) => string | undefined;

/** A node that answers by a script, and notes the messages that it has read. */
function scripted(taken: string[], odd: Odd): (conn: SocketConnection) => Promise<void> {
  return async (conn) => {
    let client = "";
    let recipients = 0;
    const greet = () => conn.write("220 two ESMTP\r\n");
    greet();
    for (;;) {
      await conn.flush();
      const line = new TextDecoder().decode(await conn.readLine(1000));
      const verb = line.split(" ")[0];
      if (verb === "BDAT") {
        for (let left = Number(line.split(" ")[1]); left > 0;) {
          left -= (await conn.readSome(left)).length;
        }
        taken.push(client);
      }
      const said = odd(conn, line);
      if (said !== undefined) {
        if (said === "end") return conn.destroy();
        if (said !== "silence") conn.write(`${said}\r\n`);
      } else if (verb === "XCLIENT") {
        client = /ADDR=(\S+)/.exec(line)![1];
        greet();
      } else if (verb === "BDAT") {
        for (; recipients > 0; recipients--) conn.write("250 2.0.0 taken\r\n");
      } else if (verb === "QUIT") {
        conn.write("221 2.0.0 bye\r\n");
        await conn.flush();
        await conn.waitInput();
        if (conn.buffered === 0) return;
        greet();
      } else {
        if (verb === "RCPT") recipients++;
        conn.write("250 2.1.0 alright\r\n");
      }
    }
  };
}

Deno.test("one connection for one message after the other, each with its own client", async () => {
  const seen: string[] = [];
  const cids = new Set<number>();
  const serve = (conn: SocketConnection, _n: number, tmpDir: string) =>
    servePassedMail(conn, {
      hostname: "two.example",
      log,
      lmtp: true,
      tmpDir,
      backend: {
        checkRecipient(session) {
          cids.add(session.cid);
          const { remoteIp, remotePort, localIp, localPort, hello, tls } = session;
          seen.push(
            [remoteIp, remotePort, localIp, localPort, hello.name, tls?.version ?? "none"].join(),
          );
          return Promise.resolve();
        },
        deliver: (_session, transaction) =>
          Promise.resolve({
            outcomes: transaction.recipients.map(({ address }) =>
              address.localpart === "full" ? new SmtpError(452, "2.2", "full") : undefined
            ),
          }),
      },
    });
  await withPeer(serve, async ({ links, place, made, file, send }) => {
    const tls = { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" };
    const t = await PassedTransaction.begin(
      links,
      "two",
      place,
      clientAt("192.0.2.1", tls),
      envelope,
    );
    await t.recipient(recipient("bob@mox.example"));
    assert.equal((await t.message(file, text.length))[0].code, 250);
    t.close();
    t.close();
    await idleBecomes(links, 1);
    assert.deepEqual(await send("192.0.2.2", ["ann@mox.example", "full@mox.example"]), [
      "250",
      "452",
    ]);
    await idleBecomes(links, 1);
    // What is begun and not sent is forgotten with its session.
    const left = await PassedTransaction.begin(
      links,
      "two",
      place,
      clientAt("192.0.2.3"),
      envelope,
    );
    await left.recipient(recipient("eve@mox.example"));
    left.close();
    await idleBecomes(links, 1);
    assert.deepEqual(await send("192.0.2.4"), ["250"]);
    assert.equal(made(), 1);
    const ends = (n: number) => `192.0.2.${n},7,192.0.2.25,25,host-192.0.2.${n}`;
    assert.deepEqual(seen, [
      `${ends(1)},TLSv1.3`,
      `${ends(2)},none`,
      `${ends(2)},none`,
      `${ends(3)},none`,
      `${ends(4)},none`,
    ]);
    assert.equal(cids.size, 4);
  });
});

Deno.test("a server that stops does not wait for connections that are kept", async () => {
  const tmpDir = await Deno.makeTempDir();
  const [own, theirs] = await Promise.all(["one", "two"].map((n) => openNodeKey(tmpDir, n)));
  const server = await serveNodeLinks({
    ...{ address: "127.0.0.1", port: 0, key: theirs, log },
    peerWith: () => ({ node: "one", standby: false }),
    serve: {
      lmtp: (conn) =>
        servePassedMail(conn, {
          ...{ hostname: "two.example", log, lmtp: true, tmpDir },
          backend: {
            checkRecipient: () => Promise.resolve(),
            deliver: () => Promise.resolve({ outcomes: [undefined] }),
          },
        }),
    },
  });
  const links = new MailLinks(own);
  const place = { Address: "127.0.0.1", Port: server.port, Key: theirs.hash };
  const t = await PassedTransaction.begin(links, "two", place, clientAt("192.0.2.1"), envelope);
  t.close();
  await idleBecomes(links, 1);
  // Its patience is longer than that of this test's runner.
  await server.shutdown(3_600_000);
  await idleBecomes(links, 0);
  await Deno.remove(tmpDir, { recursive: true });
});

Deno.test("a peer that has ended a kept connection gets the message on a new one, once", async () => {
  for (const verb of ["XCLIENT", "LHLO", "MAIL"]) {
    const taken: string[] = [];
    let deadly = false;
    const serve = scripted(taken, (_conn, line) => {
      if (!deadly || !line.startsWith(verb)) return undefined;
      deadly = false;
      return "end";
    });
    await withPeer(serve, async ({ links, send, made }) => {
      assert.deepEqual(await send("192.0.2.1"), ["250"]);
      await idleBecomes(links, 1);
      deadly = true;
      assert.deepEqual(await send("192.0.2.2"), ["250"], verb);
      assert.equal(made(), 2);
      assert.deepEqual(taken, ["192.0.2.1", "192.0.2.2"]);
    });
  }
});

Deno.test("an address of SMTPUTF8 goes on as it is, otherwise its domain with A-labels", async () => {
  const lines: string[] = [];
  const serve = scripted([], (_conn, line) => {
    if (line.startsWith("RCPT")) lines.push(line);
    return undefined;
  });
  await withPeer(serve, async ({ links, place, file }) => {
    for (const smtpUtf8 of [true, false]) {
      const e = { ...envelope, smtpUtf8 };
      const t = await PassedTransaction.begin(links, "two", place, clientAt("192.0.2.1"), e);
      await t.recipient(recipient("bob@bücher.example"));
      await t.message(file, text.length);
      t.close();
    }
    assert.deepEqual(lines, [
      "RCPT TO:<bob@bücher.example>",
      "RCPT TO:<bob@xn--bcher-kva.example>",
    ]);
  });
});

Deno.test("a new connection that fails is the end: the node is away", async () => {
  const serve = scripted([], (_conn, line) => line.startsWith("MAIL") ? "end" : undefined);
  await withPeer(serve, async ({ send, made }) => {
    await assert.rejects(send("192.0.2.1"), NodeAway);
    assert.equal(made(), 1);
  });
});

Deno.test("a peer that dies between message and answer: 451, and the message is not sent again", async () => {
  const taken: string[] = [];
  let deadly = false;
  const serve = scripted(
    taken,
    (_conn, line) => deadly && line.startsWith("BDAT") ? "end" : undefined,
  );
  await withPeer(serve, async ({ links, send, made }) => {
    assert.deepEqual(await send("192.0.2.1"), ["250"]);
    await idleBecomes(links, 1);
    deadly = true;
    assert.deepEqual(await send("192.0.2.2", ["a@mox.example", "b@mox.example"]), ["451", "451"]);
    assert.equal(made(), 1);
    assert.equal(links.idle, 0);
    deadly = false;
    assert.deepEqual(await send("192.0.2.3"), ["250"]);
    assert.deepEqual(taken, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
  });
});

Deno.test("a peer that answers one of two recipients before it dies: the other one is 451", async () => {
  const serve = scripted([], (conn, line) => {
    if (!line.startsWith("BDAT")) return undefined;
    conn.write("250 2.0.0 taken\r\n");
    void conn.close();
    return "silence";
  });
  await withPeer(serve, async ({ links, send }) => {
    assert.deepEqual(await send("192.0.2.2", ["a@mox.example", "b@mox.example"]), ["250", "451"]);
    assert.equal(links.idle, 0);
  });
});

Deno.test("after a recipient without an answer nothing is sent, as the answer would count for another", async () => {
  const taken: string[] = [];
  const serve = scripted(taken, (_conn, line) => line.includes("<b@") ? "end" : undefined);
  await withPeer(serve, async ({ links, place, file }) => {
    const t = await PassedTransaction.begin(links, "two", place, clientAt("192.0.2.1"), envelope);
    await t.recipient(recipient("a@mox.example"));
    await assert.rejects(t.recipient(recipient("b@mox.example")), NodeAway);
    assert.deepEqual((await t.message(file, text.length)).map((a) => a.code), [451]);
    t.close();
    assert.deepEqual(taken, []);
    assert.equal(links.idle, 0);
  });
});

Deno.test("a kept connection on which nothing is answered counts as dead", async () => {
  const taken: string[] = [];
  let silent = false;
  const serve = async (conn: SocketConnection, n: number) => {
    const mute = new Proxy(conn, {
      get(target, name) {
        if (name === "write" && silent) return () => {};
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await scripted(taken, () => undefined)(n === 1 ? mute : conn);
  };
  await withPeer(serve, async ({ links, send, made }) => {
    assert.deepEqual(await send("192.0.2.1"), ["250"]);
    await idleBecomes(links, 1);
    silent = true;
    assert.deepEqual(await send("192.0.2.2"), ["250"]);
    assert.equal(made(), 2);
    assert.deepEqual(taken, ["192.0.2.1", "192.0.2.2"]);
  }, { idle: 600_000, kept: 50 });
});

Deno.test("after a refusal of the sender the connection is kept, after 421 it is not", async () => {
  for (const [answer, kept] of [["550 5.1.8 no", 1], ["421 4.3.2 going", 0]] as const) {
    const serve = scripted([], (_conn, line) => line.startsWith("RCPT") ? answer : undefined);
    await withPeer(serve, async ({ links, place }) => {
      const t = await PassedTransaction.begin(links, "two", place, clientAt("192.0.2.1"), envelope);
      await assert.rejects(t.recipient(recipient("a@mox.example")), NodeRefusal);
      t.close();
      await idleBecomes(links, kept);
    });
  }
});

Deno.test("at most 16 are kept, for as long as they may wait", async () => {
  const serve = scripted([], () => undefined);
  await withPeer(serve, async ({ links, place, made }) => {
    const all = await Promise.all(
      Array.from(
        { length: 20 },
        () => PassedTransaction.begin(links, "two", place, clientAt("192.0.2.1"), envelope),
      ),
    );
    assert.equal(made(), 20);
    for (const t of all) t.close();
    await idleBecomes(links, 16);
    links.close();
    assert.equal(links.idle, 0);
  });
  const ended = Promise.withResolvers<void>();
  const waiting = async (conn: SocketConnection) => await serve(conn).finally(ended.resolve);
  await withPeer(waiting, async ({ links, send }) => {
    assert.deepEqual(await send("192.0.2.1"), ["250"]);
    await ended.promise;
    assert.equal(links.idle, 0);
  }, { idle: 100 });
});

Deno.test("a node with another address or key in domains.conf gets a new connection", async () => {
  const serve = scripted([], () => undefined);
  await withPeer(serve, async ({ links, place, send, made }) => {
    await send("192.0.2.1");
    await idleBecomes(links, 1);
    assert.equal(links.take("two", { ...place, Key: "another" }), undefined);
    assert.equal(links.take("two", { ...place, Address: "127.0.0.2" }), undefined);
    assert.equal(links.take("three", place), undefined);
    await send("192.0.2.1");
    assert.equal(made(), 1);
  });
});

Deno.test("who is no node any more is no longer listened to", async () => {
  const ended: string[] = [];
  const serve = async (conn: SocketConnection) => {
    try {
      await scripted([], () => undefined)(conn);
    } catch (err) {
      if (err instanceof ConnectionError) ended.push(err.reason);
      throw err;
    }
  };
  await withPeer(serve, async ({ links, place, known, send }) => {
    const t = await PassedTransaction.begin(links, "two", place, clientAt("192.0.2.1"), envelope);
    known(false);
    // The look comes by itself, also to a connection in the midst of a transaction.
    while (ended.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await assert.rejects(t.recipient(recipient("a@mox.example")), NodeAway);
    await assert.rejects(send("192.0.2.1"), NodeAway);
    known(true);
    assert.deepEqual(await send("192.0.2.1"), ["250"]);
    assert.equal(links.idle <= 1, true);
  });
});
