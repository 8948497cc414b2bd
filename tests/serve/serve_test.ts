/** `mox serve`, as a process: whom it runs as, what it refuses, how it ends. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { Config } from "../../src/config/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { becomeUser } from "../../src/serve/become_user.ts";
import { freePorts, startServe, writeSmallConfig } from "./instance.ts";

async function inFolder(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "mox-serve-" });
  await Deno.chmod(dir, 0o755);
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Reads from a connection up to a line that matches. */
async function until(conn: Deno.Conn, expected: RegExp): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(4096);
  while (!expected.test(text)) {
    const n = await conn.read(buffer);
    if (n === null) throw new Error(`connection ended after ${JSON.stringify(text)}`);
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

Deno.test({
  name: "started as root it becomes its user for good, with its files its own",
  ignore: !isLinux || !isRoot(),
  fn: () =>
    inFolder(async (dir) => {
      const [smtp, imap] = await freePorts(2);
      await writeSmallConfig(dir, { ports: { smtp, imap } });
      const server = startServe(dir);
      await server.logged(/mox is running/);
      const main = await Deno.readTextFile(`/proc/${server.pid}/status`);
      assert.match(main, /^NoNewPrivs:\t1$/m);
      assert.match(main, /^CapBnd:\t0+$/m);
      for await (const task of Deno.readDir(`/proc/${server.pid}/task`)) {
        let status: string;
        try {
          status = await Deno.readTextFile(`/proc/${server.pid}/task/${task.name}/status`);
        } catch {
          // A thread that had nothing more to do has ended meanwhile.
          continue;
        }
        assert.match(status, /^Uid:\t54321\t54321\t54321\t54321$/m);
        assert.match(status, /^Gid:\t54321\t54321\t54321\t54321$/m);
        assert.match(status, /^Groups:\t54321 ?$/m);
        assert.match(status, /^CapEff:\t0+$/m);
        assert.match(status, /^CapPrm:\t0+$/m);
      }
      for (const name of ["config", "config/mox.conf", "config/domains.conf", "data", "data/ctl"]) {
        const info = await Deno.stat(`${dir}/${name}`);
        assert.deepEqual([info.uid, info.gid], [54321, 54321], name);
        assert.equal(info.mode! & 0o077, 0, name);
      }
      const conn = await Deno.connect({ port: smtp });
      await until(conn, /^220 mail\.mox\.example /);
      const client = await Deno.connect({ port: imap });
      await until(client, /^\* OK /);
      const code = server.end("SIGTERM");
      await until(conn, /421 /);
      await until(client, /\* BYE /);
      assert.equal(await code, 0);
      conn.close();
      client.close();
    }),
});

Deno.test("a change of domains.conf is in force soon, a broken one is not, and nobody is cut off", () =>
  inFolder(async (dir) => {
    const [smtp, imap] = await freePorts(2);
    const user = isRoot() ? "54321" : String(Deno.uid() ?? "mox");
    await writeSmallConfig(dir, { ports: { smtp, imap }, user });
    const server = startServe(dir);
    await server.logged(/mox is running/);
    const conn = await Deno.connect({ port: smtp });
    const say = async (line: string, expected: RegExp) => {
      await conn.write(new TextEncoder().encode(`${line}\r\n`));
      return await until(conn, expected);
    };
    await until(conn, /^220 /);
    await say("EHLO client.example", /^250 /m);
    await say("MAIL FROM:<>", /^250 /m);
    await say("RCPT TO:<new@mox.example>", /^550 /m);
    const path = `${dir}/config/domains.conf`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, `${text}\t\t\tnew@mox.example: nil\n`);
    await server.logged(/domains\.conf reloaded/);
    await say("RCPT TO:<new@mox.example>", /^250 /m);
    await Deno.writeTextFile(path, `${text}\t\tDestinatoins: 1\n`);
    await server.logged(/domains\.conf changed but can't be used.*:\d+: .*Destinatoins/);
    await say("RCPT TO:<new@mox.example>", /^250 /m);
    conn.close();
    assert.equal(await server.end("SIGTERM"), 0);
  }));

Deno.test({
  name: "a data folder of another user is refused, with what to do",
  ignore: !isLinux || !isRoot(),
  fn: () =>
    inFolder(async (dir) => {
      await writeSmallConfig(dir, { ports: { smtp: 1, imap: 2 } });
      await Deno.mkdir(`${dir}/data`);
      const config = await Config.load(`${dir}/config/mox.conf`);
      await becomeUser(config, undefined, new Log("serve"));
      await Deno.chown(`${dir}/data`, 54399, 54399);
      await assert.rejects(
        becomeUser(config, undefined, new Log("serve")),
        /belongs to uid 54399, but the server runs as uid 0: start it as that user/,
      );
    }),
});

Deno.test("what keeps a server from starting is told with what to do", async (t) => {
  await inFolder(async (dir) => {
    const [smtp, imap] = await freePorts(2);
    const fails = async (expected: RegExp) => {
      const server = startServe(dir);
      assert.equal(await server.ended, 1, server.log());
      assert.match(server.log(), expected);
    };
    await t.step("no configuration", () => fails(/mox\.conf: there is no such file/));
    await t.step("a port in use, before any data is touched", async () => {
      await writeSmallConfig(dir, { ports: { smtp, imap } });
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(imap, "127.0.0.1", resolve));
      await fails(
        new RegExp(`listening on 127.0.0.1:${imap} for IMAP: another program already listens`),
      );
      await new Promise((resolve) => other.close(resolve));
      await assert.rejects(Deno.stat(`${dir}/data`), Deno.errors.NotFound);
    });
    await t.step("an address of another machine", async () => {
      await writeSmallConfig(dir, { ports: { smtp, imap }, ip: "192.0.2.1" });
      await fails(/192\.0\.2\.1:\d+ for SMTP: this machine has no such address/);
    });
    await t.step({
      name: "a user that does not exist",
      ignore: !isLinux || !isRoot(),
      fn: async () => {
        await writeSmallConfig(dir, { ports: { smtp, imap }, user: "no-such-user" });
        await fails(/there is no user "no-such-user": make it with "useradd/);
      },
    });
    await t.step("mistakes in the configuration, with their lines", async () => {
      await Deno.writeTextFile(`${dir}/config/mox.conf`, "Hostnam: x\n");
      await fails(/mox\.conf:1: unknown key "Hostnam": did you mean Hostname\?/);
    });
  });
});
