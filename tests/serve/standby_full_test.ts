/**
 * A standby on a disk of its own that gets full while it follows: the node goes on, the copy stays whole, and it follows
 * again when there is room. The disk is a tmpfs, so this needs the right to mount one.
 */
import assert from "node:assert/strict";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { moxIn, startServe } from "./instance.ts";
import {
  caughtUp,
  conf,
  domainsConf,
  load,
  password,
  type Place,
  prepare,
  subjects,
  verified,
} from "./standby_pair.ts";
import { zoneServer } from "./zone.ts";

async function run(...args: string[]): Promise<boolean> {
  const [command, ...rest] = args;
  try {
    return (await new Deno.Command(command, { args: rest, stdout: "null", stderr: "null" })
      .output())
      .success;
  } catch {
    return false;
  }
}

/** Mounts a disk of so many MB over a folder with what is in it. */
async function onDiskOf(mb: number, dir: string): Promise<boolean> {
  const aside = `${dir}.aside`;
  await Deno.rename(dir, aside);
  await Deno.mkdir(dir);
  if (!await run("mount", "-t", "tmpfs", "-o", `size=${mb}m,mode=755`, "tmpfs", dir)) return false;
  return await run("cp", "-a", `${aside}/.`, dir);
}

/** Whether a disk can be mounted here. */
async function canMount(): Promise<boolean> {
  if (!isLinux || !isRoot() || !Deno.env.get("MOX_TEST_LONG")) return false;
  const dir = await Deno.makeTempDir();
  try {
    return await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir) &&
      await run("umount", dir);
  } finally {
    await Deno.remove(dir);
  }
}

/** Takes all room of a disk. */
async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  for (let piece = new Uint8Array(2 ** 20); piece.length > 0;) {
    try {
      if (await file.write(piece) < piece.length) piece = piece.subarray(piece.length >> 1);
    } catch {
      piece = piece.subarray(0, piece.length >> 1);
    }
  }
}

// Not a test that the suite skips: it is one of the long ones (docs/testing.md).
const test = await canMount() ? Deno.test : () => {};
test({
  name:
    "standby: its disk gets full while it follows; the node goes on, and nothing is lost when there is room",
  async fn() {
    using dns = await zoneServer([
      { name: "sender.example", type: "TXT", data: ["v=spf1 ip4:127.0.0.1 -all"] },
      { name: "sender.example", type: "A", data: "127.0.0.1" },
    ]);
    const env = { MOX_DNS_SERVERS: `127.0.0.1:${dns.server.port}` };
    const home = await prepare(false, 9);
    const away = await prepare(true, 9);
    const data = `${away.dir}/data`;
    const start = async (p: Place, command = "serve") => {
      p.server = startServe(p.dir, env, command);
      await p.server.logged(/mox is (?:running|a standby)/);
    };
    const promote = (...flags: string[]) => moxIn(away.dir, [...conf(away), "promote", ...flags]);
    let mounted = false;
    try {
      mounted = await onDiskOf(64, data);
      assert.ok(mounted);
      for (const p of [home, away]) {
        await Deno.writeTextFile(`${p.dir}/config/domains.conf`, domainsConf(home, away));
      }
      await start(home);
      const set = await moxIn(home.dir, [...conf(home), "setaccountpassword", "ann"], {
        stdin: `${password}\n`,
      });
      assert.equal(set.code, 0, set.stderr);
      await start(away, "standby");
      await away.server.logged(/the copy is whole/);
      const before = load(home, "before");
      await before.enough;
      await before.end();
      await caughtUp(away);

      await fill(`${data}/filler`);
      const meanwhile = load(home, "meanwhile");
      await away.server.logged(/not following just now.*(?:space|full|I\/O error)/i);
      // The node does not depend on it: what it takes while the disk is full is enough for a load of its own.
      await meanwhile.enough;
      await meanwhile.end();
      assert.equal(meanwhile.acknowledged.size >= 60, true);
      // Its node does not stop for a copy that can't note that it serves.
      const early = await promote();
      assert.equal(early.code, 1);
      assert.match(early.stderr, /the copy can't take the node's place: /);
      assert.equal(await away.server.end("SIGTERM"), 0, away.server.log());
      // What is there is whole, looked at where there is room.
      const copy = `${away.dir}/copy`;
      await Deno.remove(`${data}.aside`, { recursive: true });
      assert.ok(await run("sh", "-c", `cp -a '${data}' '${copy}' && rm '${copy}/filler'`));
      await verified(away, copy);
      const full = startServe(away.dir, env, "standby");
      assert.equal(await full.ended, 1);
      assert.match(full.log(), /the disk is full: make room before the start/);

      await Deno.remove(`${data}/filler`);
      await start(away, "standby");
      await caughtUp(away);
      const last = load(home, "last");
      await last.enough;
      await last.end();
      await caughtUp(away);
      const done = await promote();
      assert.equal(done.code, 0, done.stderr);
      assert.equal(await home.server.ended, 0);
      assert.equal(await away.server.ended, 0);
      await verified(away);
      await start(away);
      const found = await subjects(away);
      const sent = [before, meanwhile, last].flatMap((l) => [...l.acknowledged.keys()]);
      assert.deepEqual(sent.filter((id) => !found.has(id)), []);
    } finally {
      for (const p of [home, away]) await p.server?.end("SIGKILL");
      if (mounted) await run("umount", data);
      for (const p of [home, away]) await Deno.remove(p.dir, { recursive: true });
    }
  },
});
