/** Whether a node may serve, where its standby can't be asked, answers, or is somebody else. */
import assert from "node:assert/strict";
import { Config } from "../../src/config/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { callNode, serveCalls } from "../../src/nodes/calls.ts";
import { type NodeKey, openNodeKey } from "../../src/nodes/key.ts";
import { currentAddress, NodeAway, serveNodeLinks } from "../../src/nodes/link.ts";
import { nextTerm, readRole, type Role, writeRole } from "../../src/nodes/role.ts";
import { Succession } from "../../src/serve/nodes/succession.ts";
import { standbyKeyFile } from "../../src/store/backup/copy.ts";
import { isLinux } from "../../src/platform/os.ts";
import { freePorts } from "./instance.ts";

setLevel("node", "error");

async function withNode(
  fn: (w: {
    config: Config;
    /** What becomes of a start with this role; the standby answers with the other, or is away. */
    start: (own: Role, other?: Role, key?: "own" | "node" | "none") => Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    for (const d of ["data", "away", "stranger", "config"]) await Deno.mkdir(`${dir}/${d}`);
    const key = await openNodeKey(`${dir}/data`);
    const keys = {
      node: key,
      own: await openNodeKey(`${dir}/away`, standbyKeyFile),
      none: await openNodeKey(`${dir}/stranger`),
    };
    const [port, away] = await freePorts(2);
    await Deno.writeTextFile(
      `${dir}/config/mox.conf`,
      `DataDir: ../data
LogLevel: error
Hostname: mail.mox.example
Node: one
Listeners:
	public:
		IPs:
			- 127.0.0.1
Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
    );
    await Deno.writeTextFile(
      `${dir}/config/domains.conf`,
      `Domains:
	mox.example: nil
Nodes:
	one:
		Address: 127.0.0.1
		Port: ${port}
		Key: ${key.hash}
		Standby:
			Address: 127.0.0.1
			Port: ${away}
			Key: ${keys.own.hash}
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
`,
    );
    const config = await Config.load(`${dir}/config/mox.conf`);
    const log = new Log("node");
    await fn({
      config,
      async start(own, other, as = "own") {
        await writeRole(config.dataDir, own);
        const server = other && await serveNodeLinks({
          address: "127.0.0.1",
          port: away,
          key: keys[as],
          log,
          peerWith: () => ({ node: "one", standby: false }),
          serve: {
            call: (conn, peer) =>
              serveCalls(conn, peer, new Map([["role", () => Promise.resolve(other)]])),
          },
        });
        try {
          await Succession.open({ config, key, log, stop: () => {}, patience: 0 });
          return "serves";
        } catch (err) {
          return (err as Error).message;
        } finally {
          await server?.shutdown(0);
        }
      },
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const role = (role: Role["role"], term: number, armed = false): Role => ({
  role,
  term,
  armed,
  upToDate: 0,
});

Deno.test("a node serves unless its standby has, or may have, taken its place", () =>
  withNode(async ({ config, start }) => {
    assert.equal(await start(role("serving", 0)), "serves");
    assert.match(await start(role("serving", 0, true)), /can't be asked.*promote -force/);
    assert.equal(await start(role("serving", 0, true), role("standby", 0)), "serves");
    assert.equal(await start(role("serving", 2, true), role("serving", 1)), "serves");
    assert.equal(await start(role("serving", 2, true), role("fenced", 2)), "serves");
    assert.match(await start(role("serving", 0, true), role("serving", 1)), /has taken its place/);
    assert.deepEqual(await readRole(config.dataDir), role("fenced", 1));
    assert.match(await start(role("fenced", 1)), /has taken its place \(term 1\)/);
    assert.match(await start(role("standby", 1)), /is the copy of a standby/);
    // By its node's key, as after a promotion; a stranger's word counts for nothing.
    assert.match(
      await start(role("serving", 0, true), role("serving", 1), "node"),
      /has taken its place/,
    );
    assert.match(
      await start(role("serving", 0, true), role("standby", 0), "none"),
      /can't be asked/,
    );
    assert.equal(await start(role("serving", 0), role("serving", 1), "none"), "serves");
    const odd = { ...role("serving", 0), term: -1 };
    assert.match(await start(role("serving", 0, true), odd), /can't be asked/);
    await Deno.writeTextFile(config.dataPath("node-role.json"), "{");
    await assert.rejects(() => readRole(config.dataDir), /node-role\.json is damaged/);
  }));

Deno.test("terms of the two places differ, and grow", () => {
  assert.deepEqual([0, 1, 2, 3].map((t) => nextTerm(t, "standby")), [1, 3, 3, 5]);
  assert.deepEqual([0, 1, 2, 3].map((t) => nextTerm(t, "home")), [2, 2, 4, 4]);
});

Deno.test({
  name: "a node is found at its standby's place after that has taken it, and at its own again",
  // All of 127.0.0.0/8 is on this machine.
  ignore: !isLinux,
  fn: foundWhereItIs,
});

async function foundWhereItIs(): Promise<void> {
  const dir = await Deno.makeTempDir();
  for (const d of ["node", "other", "standby"]) await Deno.mkdir(`${dir}/${d}`);
  const [key, other, own] = await Promise.all([
    openNodeKey(`${dir}/node`),
    openNodeKey(`${dir}/other`),
    openNodeKey(`${dir}/standby`, standbyKeyFile),
  ]);
  const [home, away] = await freePorts(2);
  const place = {
    Address: "127.0.0.1",
    Port: home,
    Key: key.hash,
    Standby: { Address: "127.0.0.2", Port: away, Key: own.hash },
  };
  const serve = (address: string, port: number, as: NodeKey) =>
    serveNodeLinks({
      address,
      port,
      key: as,
      log: new Log("node"),
      peerWith: (hash) => hash === other.hash ? { node: "two", standby: false } : undefined,
      serve: {
        call: (conn, peer) =>
          serveCalls(conn, peer, new Map([["who", () => Promise.resolve(address)]])),
      },
    });
  const who = () => callNode(other, "moving", place, "who", {});
  await assert.rejects(who, NodeAway);
  // As a standby it answers by its own key, which is not the node's.
  let server = await serve("127.0.0.2", away, own);
  await assert.rejects(who, NodeAway);
  await server.shutdown(0);
  assert.equal(currentAddress("moving", place), "127.0.0.1");
  server = await serve("127.0.0.2", away, key);
  assert.equal(await who(), "127.0.0.2");
  assert.equal(currentAddress("moving", place), "127.0.0.2");
  await server.shutdown(0);
  server = await serve("127.0.0.1", home, key);
  assert.equal(await who(), "127.0.0.1");
  assert.equal(currentAddress("moving", place), "127.0.0.1");
  await server.shutdown(0);
  await Deno.remove(dir, { recursive: true });
}
