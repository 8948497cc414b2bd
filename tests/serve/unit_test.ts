/**
 * The server as the shipped systemd unit starts it: a read-only system, a /tmp of its own, no homes. Made by mounts in
 * a namespace, as systemd itself can't run in a test; root's commands run outside of it, as in a shell.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { bundleProgram } from "../../scripts/build/bundle.ts";
import { runtimeFlags } from "../../src/commands/runtime_flags.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { freePorts, writeSmallConfig } from "./instance.ts";

const uid = 54321;

/** Whether mounts of one's own can be had. */
function namespaces(): boolean {
  if (!isLinux || !isRoot()) return false;
  const script = "mount --make-rprivate / && mount -o remount,ro,bind / && mount -t tmpfs t /tmp";
  try {
    return new Deno.Command("unshare", { args: ["-m", "sh", "-c", script] }).outputSync().success;
  } catch {
    return false;
  }
}

/** ProtectSystem=strict with ReadWritePaths, ProtectHome, PrivateTmp; then the user. */
const asUnit = (dir: string) =>
  `set -e
mount --make-rprivate /
for d in config data; do mount --bind ${dir}/$d ${dir}/$d; done
mount -o remount,ro,bind /
for d in config data; do mount -o remount,rw,bind ${dir}/$d; done
for d in /home /root /tmp; do mount -t tmpfs -o mode=1777 tmpfs $d; done
exec setpriv --reuid ${uid} --regid ${uid} --clear-groups --no-new-privs "$@"`;

Deno.test({
  name:
    "under the unit's mounts root's backup, export and import work with folders that the server doesn't see",
  ignore: !namespaces(),
  async fn(t) {
    const dir = await Deno.makeTempDir({ dir: "/var/lib", prefix: "mox-unit-" });
    const hidden = await Deno.makeTempDir({ dir: "/tmp", prefix: "mox-hidden-" });
    await Deno.chmod(dir, 0o755);
    const { main } = await bundleProgram(join(dir, "app"));
    // Where npm brought the runtime it may lie in a home folder, which the unit hides.
    const deno = join(dir, "app", "deno");
    await Deno.copyFile(Deno.execPath(), deno);
    await Deno.chmod(deno, 0o755);
    const closed = ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--cached-only"];
    const program = ["run", ...closed, ...runtimeFlags, main, "-config", `${dir}/config/mox.conf`];
    const env = { DENO_DIR: join(dir, "cache") };
    const mox = async (args: string[], as?: number) => {
      const whole = [deno, ...program, ...args];
      const id = String(as);
      const command = as === undefined
        ? whole
        : ["setpriv", "--reuid", id, "--regid", id, "--clear-groups", ...whole];
      const { code, stdout, stderr } = await new Deno.Command(command[0], {
        args: command.slice(1),
        env,
      }).output();
      const text = (b: Uint8Array) => new TextDecoder().decode(b);
      return { code, text: text(stdout) + text(stderr) };
    };
    const [smtp, imap] = await freePorts(2);
    await writeSmallConfig(dir, { ports: { smtp, imap }, user: String(uid) });
    await Deno.mkdir(join(dir, "data"));
    for (const d of ["config", "config/mox.conf", "config/domains.conf", "data"]) {
      await Deno.chown(join(dir, d), uid, uid);
    }
    const server = new Deno.Command("unshare", {
      args: ["-m", "sh", "-c", asUnit(dir), "sh", deno, ...program, "serve"],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let ended = false;
    const status = server.status.then(() => {
      ended = true;
    });
    let log = "";
    const reading = (async () => {
      for await (const s of server.stderr.pipeThrough(new TextDecoderStream())) log += s;
    })();
    try {
      for (const end = Date.now() + 60_000; !log.includes("mox is running");) {
        assert.ok(Date.now() < end && !ended, log);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await t.step("import of a mailbox file", async () => {
        const file = join(hidden, "Old.mbox");
        await Deno.writeTextFile(file, "From a@b Tue Mar  3 10:20:30 2026\nSubject: one\n\nx\n\n");
        const r = await mox(["import", "mbox", "ann", "Old", file]);
        assert.equal(r.code, 0, r.text);
        assert.match(r.text, /1 messages imported/);
      });
      await t.step("export to a temporary folder", async () => {
        const out = join(hidden, "out");
        const r = await mox(["export", "maildir", "ann", out]);
        assert.equal(r.code, 0, r.text);
        const found: string[] = [];
        const walk = (d: string) => {
          for (const e of Deno.readDirSync(d)) {
            if (e.isDirectory) walk(join(d, e.name));
            else found.push(Deno.readTextFileSync(join(d, e.name)));
          }
        };
        walk(out);
        assert.ok(found.some((text) => text.includes("Subject: one")), found.join("\n"));
        // What is there is not overwritten.
        const again = await mox(["export", "maildir", "ann", out]);
        assert.notEqual(again.code, 0);
        assert.match(again.text, /is there already/);
      });
      await t.step(
        "backup to a folder of root's, which verifies; the server can tell of it",
        async () => {
          const copy = join(hidden, "backup");
          const r = await mox(["backup", copy]);
          assert.equal(r.code, 0, r.text);
          assert.match((await mox(["verifydata", copy])).text, /all is well/);
          const note = await Deno.stat(join(dir, "data", "lastbackup.json"));
          assert.equal(note.uid, uid);
          // Nothing of root's is left among the data.
          for (const e of Deno.readDirSync(join(dir, "data"))) {
            const info = await Deno.lstat(join(dir, "data", e.name)).catch((err) => {
              // The server runs: a file that it writes beside another has its name meanwhile.
              if (!(err instanceof Deno.errors.NotFound)) throw err;
            });
            if (info) assert.equal(info.uid, uid, e.name);
          }
          assert.deepEqual(
            [...Deno.readDirSync(join(dir, "data", "tmp"))].filter((e) => /handed/.test(e.name)),
            [],
          );
        },
      );
      await t.step("another user than root hears what to do", async () => {
        await Deno.chmod(hidden, 0o777);
        const r = await mox(["backup", join(hidden, "theirs")], uid);
        assert.equal(r.code, 1);
        assert.match(r.text, /can't use .*: run the command as root, which hands files over/);
        assert.deepEqual(
          [...Deno.readDirSync(hidden)].map((e) => e.name).sort(),
          ["Old.mbox", "backup", "backup-config", "out"],
        );
      });
    } finally {
      if (!ended) server.kill("SIGTERM");
      await status;
      await reading;
      for (const d of [dir, hidden]) await Deno.remove(d, { recursive: true });
    }
  },
});
