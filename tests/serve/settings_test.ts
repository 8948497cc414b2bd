/** Settings of mox.conf that change how protocols are spoken, and the look for newer versions. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { isLinux } from "../../src/platform/os.ts";
import { programVersion } from "../../src/platform/version.ts";
import { accountRules } from "../../src/serve/rules.ts";
import { lookForUpdate } from "../../src/serve/updates.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { Want } from "../../src/store/types.ts";
import { freePorts, startServe, writeSmallConfig } from "./instance.ts";

setLevel("store", "error");

/** Sends each line when there was an answer; all that came. */
async function dialogue(port: number, lines: string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("utf8");
  let all = "";
  const next = () => new Promise<void>((resolve) => socket.once("data", () => resolve()));
  socket.on("data", (s: string) => all += s);
  for (const line of lines) {
    await next();
    socket.write(line);
  }
  await next();
  socket.destroy();
  return all;
}

Deno.test({
  name: "Pedantic: true refuses harmless violations in SMTP and IMAP, which are taken without it",
  ignore: !isLinux,
  async fn() {
    for (const pedantic of [false, true]) {
      const dir = await Deno.makeTempDir({ prefix: "mox-settings-" });
      const [smtp, imap] = await freePorts(2);
      await writeSmallConfig(dir, { ports: { smtp, imap }, user: `${Deno.uid() || 54321}` });
      await Deno.chmod(dir, 0o755);
      const path = `${dir}/config/mox.conf`;
      await Deno.writeTextFile(
        path,
        (await Deno.readTextFile(path)).replace("LogLevel", `Pedantic: ${pedantic}\nLogLevel`),
      );
      const server = startServe(dir);
      try {
        await server.logged(/mox is running/);
        const mail = await dialogue(smtp, ["EHLO x.example\r\n", "MAIL FROM: <a@b.example>\r\n"]);
        assert.match(mail, pedantic ? /^501 5\.1\.7/m : /^250 2\.1\.0/m);
        const noop = await dialogue(imap, ["a NOOP\n"]);
        assert.match(noop, pedantic ? /^a BAD \[CLIENTBUG\] lines must end in CRLF/m : /^a OK/m);
      } finally {
        await server.end("SIGTERM");
        await Deno.remove(dir, { recursive: true });
      }
    }
  },
});

Deno.test("CheckUpdates: the postmaster is told of a newer version, once", async () => {
  const dir = await Deno.makeTempDir({ prefix: "mox-settings-" });
  await writeSmallConfig(dir, { ports: { smtp: 25, imap: 143 } });
  const path = `${dir}/config/mox.conf`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, `CheckUpdates: true\n${text}`);
  const warned = await Config.load(path);
  assert.match(warned.warnings[0].message, /CheckUpdatesDomain names no domain/);
  await Deno.writeTextFile(
    path,
    `CheckUpdates: true\nCheckUpdatesDomain: versions.example\n${text}`,
  );
  const config = await Config.load(path);
  assert.deepEqual(config.warnings, []);
  const log = new Log("store");
  await Deno.mkdir(config.dataPath("tmp"), { recursive: true });
  const accounts = new Accounts(config.dataPath("accounts"), log, (n) => accountRules(config, n));
  const look = (...txt: string[]) =>
    lookForUpdate({
      config,
      accounts,
      tempDir: config.dataPath("tmp"),
      resolver: scriptedResolver({ "_updates.versions.example": { TXT: txt } }),
    });
  const subjects = async () => {
    const ann = await accounts.open("ann");
    const found: string[] = [];
    const box = ann.mailboxByName("Postmaster");
    if (box) {
      ann.fetch(box.id, ann.uids(box.id), Want.Summary, (r) => void found.push(r.summary.subject));
    }
    ann.close();
    return found;
  };
  try {
    assert.equal(await look(`v=UPDATES0; l=${programVersion}`), undefined);
    assert.deepEqual(await subjects(), []);
    assert.equal(await look("other", "v=UPDATES0; l=99.1.0"), "99.1.0");
    assert.equal(await look("v=UPDATES0; l=99.1.0"), undefined);
    assert.equal(await look("v=UPDATES0; l=99.0.9"), undefined);
    assert.equal(await look("v=UPDATES0; l=99.2.0"), "99.2.0");
    assert.deepEqual(await subjects(), [
      "Version 99.1.0 of the mail server is there",
      "Version 99.2.0 of the mail server is there",
    ]);
    await assert.rejects(look("nothing of use"), /names no version/);
  } finally {
    await accounts.closeAll();
    await Deno.remove(dir, { recursive: true });
  }
});
