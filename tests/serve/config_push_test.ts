/** domains.conf of three nodes that push it at the same time, or apart from each other. */
import assert from "node:assert/strict";
import { Config } from "../../src/config/mod.ts";
import { addDomain, beginDkimRotation, continueDkimRotations } from "../../src/admin/mod.ts";
import { makeDkimKey } from "../../src/admin/dkim_keys.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import type { TcpServer } from "../../src/net/mod.ts";
import { CallError, callNode, serveCalls } from "../../src/nodes/calls.ts";
import { type NodeKey, openNodeKey } from "../../src/nodes/key.ts";
import { serveNodeLinks } from "../../src/nodes/link.ts";
import { ConfigSync, PushConflict } from "../../src/serve/nodes/config_sync.ts";
import { signedVersion } from "../../src/serve/nodes/config_version.ts";
import { peerWith } from "../../src/serve/nodes/seat.ts";
import { outboundTo } from "../support/outbound.ts";

setLevel("node", "error");
const log = new Log("node");

interface TestNode {
  name: string;
  dir: string;
  key: NodeKey;
  server: TcpServer;
  config: Config;
  sync: ConfigSync;
  /** Nodes that don't reach this one. */
  cut: Set<string>;
  read: () => Promise<string>;
  /** Sets the name of an account's user. */
  edit: (account: string, fullName: string) => Promise<void>;
  data: (file: string) => Promise<string>;
}

const moxConf = (name: string) =>
  `DataDir: ../data
LogLevel: error
Hostname: mail.mox.example
Node: ${name}
Listeners:
	public:
		IPs:
			- 127.0.0.1
Postmaster:
	Account: ann
	Mailbox: Postmaster
`;

const account = (name: string) =>
  `	${name}:
		Domain: mox.example
		FullName: ${name}
		Destinations:
			${name}@mox.example: nil
`;

async function makeNode(name: string): Promise<TestNode> {
  const dir = await Deno.makeTempDir();
  for (const d of ["data", "config"]) await Deno.mkdir(`${dir}/${d}`);
  const key = await openNodeKey(`${dir}/data`);
  await Deno.writeTextFile(`${dir}/config/mox.conf`, moxConf(name));
  const path = `${dir}/config/domains.conf`;
  const n = { name, dir, key, cut: new Set<string>() } as TestNode;
  n.server = await serveNodeLinks({
    ...{ address: "127.0.0.1", port: 0, key, log },
    peerWith: (hash) => peerWith(n.config, hash),
    serve: {
      call: async (conn, peer) => {
        if (n.cut.has(peer.node)) return conn.destroy();
        await serveCalls(conn, peer, n.sync.calls);
      },
    },
  });
  n.read = () => Deno.readTextFile(path);
  n.data = (file) => Deno.readTextFile(`${dir}/data/${file}`);
  n.edit = async (account, fullName) => {
    await n.config.writeDynamic((d) => d.Accounts.get(account)!.FullName = fullName);
  };
  return n;
}

async function withNodes(fn: (nodes: [TestNode, TestNode, TestNode]) => Promise<void>) {
  const nodes = await Promise.all(["one", "two", "three"].map(makeNode));
  try {
    const list = nodes.map((n) =>
      `	${n.name}:\n		Address: 127.0.0.1\n		Port: ${n.server.port}\n		Key: ${n.key.hash}\n`
    ).join("");
    const text = `Domains:\n	mox.example: nil\nNodes:\n${list}Accounts:\n` +
      ["ann", "bob", "carl"].map(account).join("");
    for (const n of nodes) {
      await Deno.writeTextFile(`${n.dir}/config/domains.conf`, text);
      n.config = await Config.load(`${n.dir}/config/mox.conf`);
      n.sync = new ConfigSync(n.config, n.key, log);
    }
    const [one, two, three] = nodes;
    assert.deepEqual((await one.sync.push()).map((s) => s.version), [1, 1]);
    await fn([one, two, three]);
  } finally {
    for (const n of nodes) {
      await n.server.shutdown(0);
      await Deno.remove(n.dir, { recursive: true });
    }
  }
}

const names = async (n: TestNode) =>
  [...(await n.read()).matchAll(/FullName: (.*)/g)].map((m) => m[1]).join(" ");

Deno.test("pushes at the same time, of changes in different places: all nodes have both", async () => {
  const pairs = [[0, 1], [1, 2], [2, 0]];
  for (const [a, b] of pairs) {
    await withNodes(async (nodes) => {
      await nodes[a].edit("ann", "Ann");
      await nodes[b].edit("carl", "Carl");
      await Promise.all([nodes[a].sync.push(), nodes[b].sync.push()]);
      // One that was edited while the other push came has both by its own, and the rest fetch it.
      for (const n of nodes) await n.sync.pull();
      for (const n of nodes) assert.equal(await names(n), "Ann bob Carl", `${a} ${b} ${n.name}`);
      for (const n of nodes) {
        const states = await n.sync.states();
        assert.ok(states.every((s) => !s.edited && !s.apart && s.version === states[0].version));
      }
    });
  }
});

Deno.test("all three push again and again: no change is lost", async () => {
  await withNodes(async (nodes) => {
    const all = await Promise.allSettled(nodes.map(async (n, i) => {
      for (let round = 1; round <= 4; round++) {
        await n.edit(["ann", "bob", "carl"][i], `r${round}`);
        // Who has been overtaken five times in a row tries again.
        for (;;) {
          try {
            await n.sync.push();
            break;
          } catch (err) {
            if (!(err instanceof PushConflict)) throw err;
            assert.match(err.message, /again and again/);
          }
        }
      }
    }));
    assert.deepEqual(all.map((r) => r.status === "rejected" ? r.reason : ""), ["", "", ""]);
    await nodes[0].sync.push();
    for (const n of nodes) assert.equal(await names(n), "r4 r4 r4", n.name);
  });
});

Deno.test("pushes at the same time, of changes in one line: one counts, and the other one is told", async () => {
  await withNodes(async (nodes) => {
    const [one, two, three] = nodes;
    await two.edit("bob", "Robert");
    await three.edit("bob", "Bobby");
    const results = await Promise.allSettled([two.sync.push(), three.sync.push()]);
    const lost = results.findIndex((r) => r.status === "rejected");
    assert.equal(results.filter((r) => r.status === "rejected").length, 1);
    const { reason } = results[lost] as PromiseRejectedResult;
    assert.ok(reason instanceof PushConflict, String(reason));
    const [winner, loser] = lost === 0 ? [three, two] : [two, three];
    assert.match(
      reason.message,
      new RegExp(`version 2 of ${winner.name} can't be brought together`),
    );
    assert.match(reason.message, /domains\.conf\.of-.*then "mox node push -force"$/);
    // What the loser has written is where it was, and the other's beside it.
    const [won, kept] = winner === two ? ["Robert", "Bobby"] : ["Bobby", "Robert"];
    assert.equal(await names(one), `ann ${won} carl`);
    assert.equal(await names(winner), `ann ${won} carl`);
    assert.equal(await names(loser), `ann ${kept} carl`);
    const from = /domains\.conf\.of-\w+/.exec(reason.message)![0];
    assert.equal(await loser.data(from), await winner.read());
    // By itself nothing is replaced.
    await loser.sync.pull();
    assert.equal(await names(loser), `ann ${kept} carl`);
    await assert.rejects(loser.sync.push(), PushConflict);
    const forced = await loser.sync.push(true);
    assert.deepEqual(forced.map((s) => s.error), [undefined, undefined]);
    for (const n of nodes) assert.equal(await names(n), `ann ${kept} carl`);
    assert.match(await winner.data("domains.conf.previous"), new RegExp(`FullName: ${won}\n`));
  });
});

Deno.test("nodes that pushed while they were apart: nobody's change is replaced, and all of them say so", async () => {
  await withNodes(async (nodes) => {
    const [one, two, three] = nodes;
    for (const [n, others] of [[one, "two three"], [two, "one"], [three, "one"]] as const) {
      n.cut = new Set(others.split(" "));
    }
    await one.edit("ann", "Ann");
    await two.edit("carl", "Carl");
    assert.deepEqual((await one.sync.push()).map((s) => s.error !== undefined), [true, true]);
    assert.deepEqual(
      (await two.sync.push()).map((s) => [s.node, s.error === undefined]),
      [["one", false], ["three", true]],
    );
    for (const n of nodes) n.cut.clear();
    for (const n of nodes) await n.sync.pull();
    assert.equal(await names(one), "Ann bob carl");
    assert.equal(await names(two), "ann bob Carl");
    assert.equal(await names(three), "ann bob Carl");
    assert.deepEqual((await one.sync.states()).map((s) => s.apart), [undefined, true, true]);
    assert.deepEqual((await three.sync.states()).map((s) => s.apart), [undefined, true, undefined]);
    // Also one that is ahead is not taken.
    await one.edit("bob", "Bob");
    await assert.rejects(one.sync.push(), /from different versions/);
    await one.edit("carl", "Carl");
    await one.sync.push(true);
    for (const n of nodes) assert.equal(await names(n), "Ann Bob Carl", n.name);
    for (const n of nodes) assert.ok((await n.sync.states()).every((s) => !s.apart && !s.edited));
  });
});

Deno.test("a node that was killed within its push goes on with the next one", async () => {
  await withNodes(async (nodes) => {
    const [one, two, three] = nodes;
    const files = ["domains.version", "domains.base"];
    const before = await Promise.all(files.map(two.data));
    await two.edit("ann", "Ann");
    await two.sync.push();
    // The first of Nodes has it, this one did not note it any more.
    for (const [i, f] of files.entries()) {
      await Deno.writeTextFile(`${two.dir}/data/${f}`, before[i]);
    }
    await two.edit("bob", "Bob");
    await two.sync.push();
    for (const n of [one, two, three]) assert.equal(await names(n), "Ann Bob carl", n.name);
  });
});

Deno.test("a version with another history than the signed one isn't taken, nor one without the changes here", async () => {
  await withNodes(async ([one, two]) => {
    const place = { Address: "127.0.0.1", Port: two.server.port, Key: two.key.hash };
    const text = (await one.read()).replace("FullName: ann", "FullName: Eve");
    const say = (version: unknown) =>
      callNode(one.key, "two", place, "config push", { version, text });
    const { hash } = JSON.parse(await one.data("domains.version"));
    const honest = signedVersion(one.key, "one", 2, text, [hash]);
    const other = "0".repeat(64);
    await assert.rejects(say({ ...honest, history: [hash, other] }), /not signed by a node/);
    await assert.rejects(say({ ...honest, history: "x" }), /a version .* is expected/);
    await assert.rejects(say({ ...honest, history: ["../x"] }), /a version .* is expected/);
    const apart = signedVersion(one.key, "one", 2, text, [other]);
    await assert.rejects(
      say(apart),
      (e) =>
        e instanceof CallError && /version 1, pushed by one, is here, with changes/.test(e.message),
    );
    await assert.rejects(say({ ...apart, history: [hash] }), /not signed by a node/);
    assert.equal(await names(two), "ann bob carl");
    await say(honest);
    assert.equal(await names(two), "Eve bob carl");
    // From a program that notes no history the number alone counts.
    const { history: _, historySignature: _s, ...older } = signedVersion(
      one.key,
      "one",
      3,
      text,
      [],
    );
    await say(older);
    assert.equal(JSON.parse(await two.data("domains.version")).version, 3);
  });
});

const keysOf = async (n: TestNode) => {
  const keys: Record<string, string> = {};
  for await (const f of Deno.readDir(`${n.dir}/config/dkim`)) {
    keys[f.name] = await Deno.readTextFile(`${n.dir}/config/dkim/${f.name}`);
  }
  return keys;
};

Deno.test("keys that domains.conf names go to the other nodes with it, by a push and when one was away", async () => {
  await withNodes(async ([one, two, three]) => {
    one.cut.add("three");
    three.cut.add("one");
    await addDomain(one.config, "new.example", { account: "ann" });
    const states = await one.sync.push();
    assert.deepEqual(states.map((s) => s.error === undefined), [true, false]);
    const keys = await keysOf(one);
    assert.equal(Object.keys(keys).length, 2);
    assert.deepEqual(await keysOf(two), keys);
    assert.equal(await two.read(), await one.read());
    // It fetches them from the node that has taken them, while the one that made them doesn't reach it.
    await three.sync.pull();
    assert.deepEqual(await keysOf(three), keys);
    assert.equal(await three.read(), await one.read());
    const [file] = Object.keys(keys);
    assert.equal((await Deno.stat(`${three.dir}/config/dkim/${file}`)).mode! & 0o777, 0o600);
  });
});

Deno.test("a node gives other nodes the files only that domains.conf names, and writes none that it has", async () => {
  await withNodes(async ([one, two]) => {
    await addDomain(one.config, "new.example", { account: "ann" });
    const mine = Object.keys(await keysOf(one))[0];
    await Deno.mkdir(`${two.dir}/config/dkim`);
    const own = await makeDkimKey("ed25519");
    await Deno.writeTextFile(`${two.dir}/config/dkim/${mine}`, own);
    await one.sync.push();
    assert.equal((await keysOf(two))[mine], own);
    assert.equal(Object.keys(await keysOf(two)).length, 2);
    const place = one.config.dynamic.Nodes.get("two")!;
    const fetch = (files: unknown) => callNode(one.key, "two", place, "config files", { files });
    const given = await fetch([`dkim/${mine}`]) as Record<string, string>;
    assert.equal(atob(given[`dkim/${mine}`]), own);
    for (const bad of ["mox.conf", "../data/node.pem", `dkim/../dkim/${mine}`, "", 1, null]) {
      await assert.rejects(fetch([bad]), (err) => err instanceof CallError, `${bad}`);
    }
    await assert.rejects(fetch("dkim"), /names of at most/);
    await assert.rejects(fetch(new Array(201).fill(`dkim/${mine}`)), /names of at most/);
    // Files outside of the folder of the configuration are each node's own.
    const outside = `${one.dir}/outside.pem`;
    await Deno.writeTextFile(outside, own);
    await one.config.writeDynamic((d) => {
      d.Domains.get("new.example")!.DKIM.Selectors.values().next().value!.PrivateKeyFile =
        "../outside.pem";
    });
    const [state] = await one.sync.push();
    assert.match(state.error!, /outside\.pem: there is no such file/);
    await assert.rejects(Deno.stat(`${two.dir}/outside.pem`));
  });
});

Deno.test("of all nodes the domain's one begins to change its DKIM keys when they are old", async () => {
  await withNodes(async ([one, two]) => {
    await addDomain(one.config, "new.example", { account: "ann" });
    await one.config.writeDynamic((d) => {
      const domain = d.Domains.get("new.example")!;
      domain.Node = "two";
      domain.DKIM.RotateAfter = 720 * 3600_000;
    });
    await one.sync.push();
    const later = Date.now() + 721 * 3600_000;
    const goOn = (n: TestNode) =>
      continueDkimRotations(
        { config: n.config, outbound: outboundTo(), log },
        scriptedResolver({}),
        later,
      );
    assert.deepEqual(await goOn(one), []);
    const begun = (await goOn(two)).map((n) => n.text);
    assert.match(begun[0], /new DKIM keys are made/);
    assert.equal(Object.keys(await keysOf(two)).length, 4);
    // Begun by hand anywhere.
    await two.sync.push();
    await assert.doesNotReject(beginDkimRotation(one.config, "new.example"));
  });
});
