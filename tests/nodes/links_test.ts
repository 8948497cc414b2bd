/** Links between nodes over TLS on loopback: whose key counts, what is asked and answered, and a standby that has taken over. */
import assert from "node:assert/strict";
import { Log, setLevel } from "../../src/log/mod.ts";
import {
  CallError,
  type CallHandler,
  callNode,
  callPlace,
  serveCalls,
} from "../../src/nodes/calls.ts";
import { type NodeKey, openNodeKey } from "../../src/nodes/key.ts";
import {
  connectNode,
  connectPlace,
  currentAddress,
  type LinkPeer,
  type LinkPlace,
  NodeAway,
  serveNodeLinks,
} from "../../src/nodes/link.ts";

setLevel("node", "error");
setLevel("smtpserver", "error");
const log = new Log("node");

interface Keys {
  one: NodeKey;
  two: NodeKey;
  spare: NodeKey;
}

/** A node "two" at an address that answers questions of "one"; its key and handlers can be others. */
async function serving(
  keys: Keys,
  handlers: Record<string, CallHandler>,
  fn: (place: LinkPlace) => Promise<void>,
  { key = keys.two, peer = { node: "one", standby: false } as LinkPeer } = {},
): Promise<void> {
  const table = new Map(Object.entries(handlers));
  const server = await serveNodeLinks({
    address: "127.0.0.1",
    port: 0,
    key,
    log,
    peerWith: (hash) => hash === keys.one.hash ? peer : undefined,
    serve: { call: (conn, p) => serveCalls(conn, p, table) },
  });
  try {
    await fn({ Address: "127.0.0.1", Port: server.port, Key: key.hash });
  } finally {
    await server.shutdown(0);
  }
}

async function withKeys(fn: (keys: Keys) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const [one, two, spare] = await Promise.all(["1", "2", "3"].map((n) => openNodeKey(dir, n)));
    await fn({ one, two, spare });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a question is answered with a value or a refusal, and the peer is the one whose key it is", async () => {
  await withKeys(async (keys) => {
    const handlers: Record<string, CallHandler> = {
      echo: (args, peer) => Promise.resolve({ args, peer }),
      nothing: () => Promise.resolve(undefined),
      refuse: () => Promise.reject(new CallError("not today")),
    };
    await serving(keys, handlers, async (place) => {
      const ask = (call: string, args = {}) => callNode(keys.one, "two", place, call, args);
      assert.deepEqual(await ask("echo", { text: "Grüße\r\n", list: [1, null] }), {
        args: { text: "Grüße\r\n", list: [1, null] },
        peer: { node: "one", standby: true },
      });
      assert.equal(await ask("nothing"), null);
      await assert.rejects(
        ask("refuse"),
        (e) => e instanceof CallError && e.message === "not today",
      );
      await assert.rejects(
        ask("other"),
        (e) => e instanceof CallError && /not known/.test(e.message),
      );
      assert.deepEqual(await callPlace(keys.one, "two", place, "nothing", {}), null);

      // One connection takes questions one after the other, also after a line that is none.
      const conn = await connectNode(keys.one, "two", place, "call");
      const answers: string[] = [];
      for (const line of ["{", "null", "7", '{"call":"nothing"}']) {
        conn.write(`${line}\r\n`);
        await conn.flush();
        answers.push(new TextDecoder().decode(await conn.readLine(1000)));
      }
      conn.destroy();
      assert.ok("error" in JSON.parse(answers[0]));
      assert.deepEqual(answers.slice(1), [
        '{"error":"the question is not known"}',
        '{"error":"the question is not known"}',
        '{"ok":null}',
      ]);
    }, { peer: { node: "one", standby: true } });
  });
});

Deno.test("a node that gives no answer is away: in time, when it ends, and when its handler fails", async () => {
  await withKeys(async (keys) => {
    const never = Promise.withResolvers<void>();
    const handlers: Record<string, CallHandler> = {
      wait: () => never.promise,
      fail: () => Promise.reject(new TypeError("a bug")),
    };
    await serving(keys, handlers, async (place) => {
      const away = (e: unknown) =>
        e instanceof NodeAway && e.message.startsWith("node two can't be");
      await assert.rejects(callNode(keys.one, "two", place, "wait", {}, 50), away);
      await assert.rejects(callNode(keys.one, "two", place, "fail", {}), away);
      never.resolve();
    });
    const gone = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = gone.addr as Deno.NetAddr;
    gone.close();
    const place = { Address: "127.0.0.1", Port: port, Key: keys.two.hash };
    await assert.rejects(callNode(keys.one, "two", place, "x", {}), NodeAway);
  });
});

Deno.test("only the expected keys count, on both sides", async () => {
  await withKeys(async (keys) => {
    let asked = 0;
    const handlers = { count: () => Promise.resolve(++asked) };
    await serving(keys, handlers, async (place) => {
      const other = { ...place, Key: keys.spare.hash };
      await assert.rejects(callPlace(keys.one, "two", other, "count", {}), NodeAway);
      await assert.rejects(callPlace(keys.one, "two", other, "count", {}, ["x"]), NodeAway);
      await assert.rejects(callPlace(keys.spare, "two", place, "count", {}), NodeAway);
      assert.equal(asked, 0);
      const both = ["x", place.Key];
      assert.equal(await callPlace(keys.one, "two", other, "count", {}, both), 1);
      // What is not served here: the connection ends.
      const conn = await connectPlace(keys.one, "two", place, "lmtp");
      await assert.rejects(conn.readLine(100));
      conn.destroy();
      assert.equal(await callPlace(keys.one, "two", place, "count", {}), 2);
    });
  });
});

Deno.test("a node whose standby has taken over is found there, and from then on first", async () => {
  await withKeys(async (keys) => {
    // Names of nodes are remembered by the process: each test takes its own.
    const name = "moved-node";
    const here = (text: string) => ({ where: () => Promise.resolve(text) });
    await serving(keys, here("home"), async (home) => {
      await serving(keys, here("standby"), async (standby) => {
        const ask = (place: LinkPlace & { Standby?: LinkPlace }) =>
          callNode(keys.one, name, place, "where", {});
        const place = {
          ...home,
          Standby: { ...standby, Address: "localhost", Key: keys.spare.hash },
        };
        assert.equal(await ask(place), "home");
        assert.equal(currentAddress(name, place), "127.0.0.1");
        const dead = { ...place, Port: 1 };
        assert.equal(await ask(dead), "standby", "with the node's own key");
        assert.equal(currentAddress(name, place), "localhost");
        assert.equal(
          currentAddress(name, home),
          "127.0.0.1",
          "a node without a standby is at home",
        );
        assert.equal(await ask(place), "standby", "where it answered last is asked first");
        const back = { ...place, Standby: { ...place.Standby, Port: 1 } };
        assert.equal(await ask(back), "home");
        assert.equal(currentAddress(name, place), "127.0.0.1");
        // Neither: the error is that of the place that was asked first.
        const neither = { ...dead, Standby: { ...place.Standby, Port: 1 } };
        await assert.rejects(
          ask(neither),
          (e) => e instanceof NodeAway && e.message.includes(name),
        );
        assert.equal(currentAddress(name, place), "127.0.0.1", "a failure moves nothing");
      });
    });
  });
});
