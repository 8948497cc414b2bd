/** Commands that print and check: configuration, systemd unit, quickstart's refusals. */
import assert from "node:assert/strict";
import { systemdUnit } from "../../src/admin/systemd_unit.ts";
import { isLater } from "../../src/dns/mod.ts";
import { configExamples } from "../../src/config/mod.ts";
import { moxIn, writeSmallConfig } from "../serve/instance.ts";

/** A test of what Windows doesn't have. */
const unixTest = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore: Deno.build.os === "windows", fn });

async function inFolder(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("config test, describe and example", () =>
  inFolder(async (dir) => {
    const none = await moxIn(dir, ["config", "test"]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /config[\\/]mox\.conf: there is no such file/);
    await writeSmallConfig(dir, { ports: { smtp: 25, imap: 143 } });
    assert.equal((await moxIn(dir, ["config", "test"])).code, 0);
    // Wherever it is run from.
    const env = { MOXCONF: `${dir}/config/mox.conf` };
    assert.equal((await moxIn("/tmp", ["config", "test"], { env })).code, 0);
    const flag = await moxIn("/tmp", ["-config", `${dir}/config/mox.conf`, "config", "test"]);
    assert.equal(flag.code, 0, flag.stderr);
    await Deno.writeTextFile(
      `${dir}/config/domains.conf`,
      "Domains:\n\tx.example: nil\nAcounts:\n",
    );
    const broken = await moxIn(dir, ["config", "test"]);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /domains\.conf:3: unknown key "Acounts": did you mean Accounts\?/);
    assert.match((await moxIn(dir, ["config", "describe-static"])).stdout, /^Listeners:$/m);
    assert.match((await moxIn(dir, ["config", "describe-domains"])).stdout, /^Accounts:$/m);
    const list = (await moxIn(dir, ["config", "example"])).stdout;
    for (const e of configExamples) assert.match(list, new RegExp(`^${e.name}: `, "m"));
    const one = await moxIn(dir, ["config", "example", configExamples[0].name]);
    assert.equal(one.stdout, configExamples[0].text);
    assert.equal((await moxIn(dir, ["config", "example", "nosuch"])).code, 2);
  }));

async function systemdAnalyze(args: string[]): Promise<string | undefined> {
  try {
    const command = new Deno.Command("systemd-analyze", { args });
    const { code, stdout, stderr } = await command.output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.equal(code, 0, text);
    return text;
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  }
}

Deno.test("the systemd unit is in order, and exposes little", () =>
  inFolder(async (dir) => {
    for (const home of ["/home/mox", "/srv/mail server/50%"]) {
      const unit = systemdUnit({
        dir: home,
        program: ["/usr/bin/env", "-config", `${home}/config/mox.conf`],
        environment: { NAME: "value" },
        user: "root",
        writable: [`${home}/config`, `${home}/data`],
      });
      const path = `${dir}/mox.service`;
      await Deno.writeTextFile(path, unit);
      if (await systemdAnalyze(["verify", path]) === undefined) return;
    }
    const unit = (await Deno.readTextFile(`${dir}/mox.service`)).replace("User=root", "User=mail");
    await Deno.writeTextFile(`${dir}/mox.service`, unit);
    const text = await systemdAnalyze(["security", "--offline=true", `${dir}/mox.service`]);
    const level = /Overall exposure level for mox\.service: ([\d.]+)/.exec(text!);
    assert.ok(level && Number(level[1]) <= 2.5, text);
  }));

unixTest("printservice names program, configuration and folders", () =>
  inFolder(async (dir) => {
    await writeSmallConfig(dir, { ports: { smtp: 25, imap: 143 } });
    const { stdout, stderr } = await moxIn(dir, ["config", "printservice"]);
    assert.match(
      stdout,
      new RegExp(`^ExecStart=.* -config ${dir}/config/mox.conf serve$`, "m"),
      stderr,
    );
    assert.match(stdout, new RegExp(`^\\w+Paths=.*${dir}/config ${dir}/data$`, "m"));
    assert.match(stdout, /^User=54321$/m);
  }));

Deno.test("quickstart refuses what it can't do, and leaves nothing behind", () =>
  inFolder(async (dir) => {
    const cases: [string[], RegExp, number][] = [
      [
        ["-skipdns", "-hostname", "mail.mox.example", "nobody"],
        /is not an address: it has no @/,
        1,
      ],
      [
        ["-skipdns", "-hostname", "localhost", "a@mox.example"],
        /has no domain: give the full one/,
        1,
      ],
      [["-skipdns", "-hostname", "-.example", "a@mox.example"], /is not a domain/, 1],
      [
        ["-skipdns", "-hostname", "m.mox.example", "-ip", "1.2.3", "a@mox.example"],
        /is not an IP address/,
        1,
      ],
      [["-skipdns", "-ports", "x", "a@mox.example"], /-ports is a number/, 2],
      [["-skipdns"], /too few arguments/, 2],
    ];
    for (const [args, expected, code] of cases) {
      const r = await moxIn(dir, ["quickstart", ...args]);
      assert.equal(r.code, code, r.stderr);
      assert.match(r.stderr, expected);
      assert.deepEqual([...Deno.readDirSync(dir)], [], args.join(" "));
    }
  }));

Deno.test("quickstart on a public address: ACME, host keys and DANE records", () =>
  inFolder(async (dir) => {
    const args = [
      "-skipdns",
      "-hostname",
      "mail.b\u00fccher.example",
      "-ip",
      "192.0.2.10,2001:db8::10",
    ];
    const r = await moxIn(dir, ["quickstart", ...args, "you@b\u00fccher.example", "12345"]);
    assert.equal(r.code, 0, r.stderr);
    assert.equal((await moxIn(dir, ["config", "test"])).code, 0);
    const conf = await Deno.readTextFile(`${dir}/config/mox.conf`);
    assert.match(conf, /DirectoryURL: https:\/\/acme-v02\.api\.letsencrypt\.org\/directory/);
    assert.match(conf, /^\t\tMTASTSHTTPS:$/m);
    assert.match(
      r.stdout,
      /^_25\._tcp\.mail\.xn--bcher-kva\.example\.\s+TLSA\s+3 1 1 [0-9a-f]{64}$/m,
    );
    assert.match(r.stdout, /^mail\.xn--bcher-kva\.example\.\s+AAAA\s+2001:db8::10$/m);
    assert.match(r.stdout, /CAA\s+0 issue "letsencrypt\.org"/);
    assert.match(r.stdout, /^_imaps\._tcp\.\S+\s+SRV\s+0 1 993 mail\.xn--bcher-kva\.example\.$/m);
    assert.match(
      await Deno.readTextFile(`${dir}/config/domains.conf`),
      /^\tb\u00fccher\.example:$/m,
    );
  }));

Deno.test("cid as in log lines; versions are compared by their numbers", async () => {
  const r = await moxIn("/tmp", ["cid", "1a20b03498a1"]);
  assert.match(r.stdout, /^cid=1a20b03498a1\nat or after the start around 2026-/);
  assert.equal((await moxIn("/tmp", ["cid", "zz"])).code, 2);
  assert.ok(isLater("0.10.0", "0.9.9"));
  assert.ok(isLater("1.0", "0.9"));
  assert.ok(!isLater("0.1.0", "0.1"));
  assert.ok(!isLater("0.1.0-rc1", "0.1.0"));
});
