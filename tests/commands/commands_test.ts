/** The subcommands, each as a process of its own. */
import assert from "node:assert/strict";
import { commands } from "../../src/commands/mod.ts";
import { help } from "../../src/commands/help.ts";
import { imapClient } from "../support/imap_client.ts";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";

Deno.test("help lists each command, and tells about each", () => {
  const all = help(commands, "")!;
  for (const c of commands) {
    assert.ok(all.includes(`  ${c.name} `) && all.includes(c.summary), c.name);
    const own = help(commands, c.name)!;
    assert.ok(own.includes(`usage: mox ${c.usage}`) && own.length > c.usage.length + 40, c.name);
  }
  assert.equal(help(commands, "nosuch"), undefined);
});

Deno.test("version, unknown commands and wrong flags", async () => {
  const v = await mox(["version"]);
  assert.equal(v.code, 0);
  assert.match(v.stdout, /^mox \S+\n/);
  assert.match(v.stdout, /deno \d/i);
  assert.equal((await mox(["nosuch"])).code, 2);
  const group = await mox(["queue"]);
  assert.equal(group.code, 2);
  assert.match(group.stderr, /^ {2}queue hold +Put queued messages on hold$/m);
  const wrong = await mox(["stop", "-nosuch"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /unknown flag -nosuch\nusage: mox stop/);
});

Deno.test("localserve -initonly makes the folder, and finds it the next time", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const made = await mox(["localserve", "-initonly", "-dir", `${dir}/new`]);
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^made /);
    assert.ok((await Deno.stat(`${dir}/new/mox.conf`)).isFile);
    assert.match((await mox(["localserve", "-initonly", "-dir", `${dir}/new`])).stdout, /^found /);
    const stop = await mox(["stop", "-dir", `${dir}/new`]);
    assert.equal(stop.code, 1, "no server is running");
    assert.notEqual(stop.stderr, "");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Logs in, returns the number of messages in Inbox, or "refused". */
async function inbox(s: Localserve, pass: string): Promise<number | "refused"> {
  const c = imapClient(s, { user: "mox@localhost", pass });
  c.on("error", () => {});
  try {
    await c.connect();
  } catch (err) {
    assert.ok((err as { authenticationFailed?: boolean }).authenticationFailed, String(err));
    return "refused";
  }
  const status = await c.status("INBOX", { messages: true });
  await c.logout();
  return status ? status.messages! : -1;
}

Deno.test("commands that talk to a running server", async (t) => {
  const s = await startLocalserve();
  const dir = ["-dir", s.dir];
  try {
    await t.step("a second server on the same folder is refused, and says why", async () => {
      const r = await mox(["localserve", ...dir, "-ports", String(s.offset + 30)]);
      assert.equal(r.code, 1);
      assert.match(r.stderr, /running|in use/);
    });
    await t.step("loglevels shows and sets", async () => {
      assert.match((await mox(["loglevels", ...dir])).stdout, /\(default\): info/);
      assert.equal((await mox(["loglevels", ...dir, "debug", "store"])).code, 0);
      assert.match((await mox(["loglevels", ...dir])).stdout, /^store: debug$/m);
      assert.equal((await mox(["loglevels", ...dir, "loudest"])).code, 2);
      assert.match((await mox(["loglevels", ...dir, "default", "store"])).stdout, /default/);
    });
    await t.step("sendmail -t queues, and it arrives once", async () => {
      const text = "From: <mox@localhost>\nTo: <other@localhost>\nSubject: from cron\n\nhi\n";
      const r = await mox(["sendmail", ...dir, "-t"], text);
      assert.equal(r.code, 0, r.stderr);
      assert.match(r.stderr, /queued as/);
      const deadline = Date.now() + 5000;
      while (await inbox(s, "moxmoxmox") !== 1) assert.ok(Date.now() < deadline, "not delivered");
    });
    await t.step("setaccountpassword from standard input", async () => {
      const r = await mox(["setaccountpassword", ...dir, "mox"], "a new password\n");
      assert.equal(r.code, 0, r.stderr);
      assert.equal(await inbox(s, "moxmoxmox"), "refused");
      assert.equal(await inbox(s, "a new password"), 1);
      assert.equal((await mox(["setaccountpassword", ...dir, "mox"], "short\n")).code, 1);
      assert.equal((await mox(["setaccountpassword", ...dir, "nobody"], "long enough\n")).code, 1);
    });
    await t.step("stop ends it with status 0", async () => assert.equal(await s.stop(), 0));
  } finally {
    await s.close();
  }
});

Deno.test({
  name: "SIGTERM stops gracefully, status 0",
  ignore: Deno.build.os === "windows",
  async fn() {
    const s = await startLocalserve();
    try {
      assert.equal(await s.signal("SIGTERM"), 0);
    } finally {
      await s.close();
    }
  },
});
