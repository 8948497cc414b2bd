/** What the program writes is for its user alone, whatever the shell's mask for new files is. */
import assert from "node:assert/strict";
import { join } from "node:path";
import nodemailer from "nodemailer";
import { mox, portsAt } from "../support/localserve.ts";
import { returnOffset, takeOffset } from "../support/ports.ts";
import { programArgs } from "../support/program.ts";

function* below(dir: string): Generator<string> {
  for (const e of Deno.readDirSync(dir)) {
    const path = join(dir, e.name);
    yield path;
    if (e.isDirectory) yield* below(path);
  }
}

Deno.test({
  name:
    "localserve started with umask 0: databases, messages, keys and folders give no rights to others",
  ignore: Deno.build.os === "windows",
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "mox-modes-" });
    const data = join(dir, "mail");
    const offset = takeOffset();
    const args = programArgs(["localserve", "-dir", data, "-ports", String(offset)]);
    const server = new Deno.Command("/bin/sh", {
      args: ["-c", 'umask 0; exec "$0" "$@"', Deno.execPath(), ...args],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    try {
      const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
      for (let said = ""; !said.includes("running");) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`it ended: ${said}`);
        said += value;
      }
      const transport = nodemailer.createTransport({
        host: "127.0.0.1",
        port: portsAt(offset).smtp,
        ignoreTLS: true,
      });
      await transport.sendMail({ from: "a@b.example", to: "c@d.example", text: "x" });
      // Temporary ones may be gone by now: the server runs.
      const files = [...below(data)].flatMap((path) => {
        try {
          return [{ path, info: Deno.lstatSync(path) }];
        } catch (err) {
          if (err instanceof Deno.errors.NotFound) return [];
          throw err;
        }
      });
      const paths = files.map((f) => f.path);
      assert.ok(paths.some((f) => f.endsWith("index.db")), paths.join(" "));
      assert.ok(paths.some((f) => f.includes("/msg/")), paths.join(" "));
      const open = files.filter(({ info: { mode, isFile, isDirectory } }) =>
        (mode! & 0o077) !== 0 && (isFile || isDirectory)
      );
      assert.deepEqual(open, []);
      const stopped = await mox(["stop", "-dir", data]);
      assert.equal(stopped.code, 0, stopped.stderr);
      await reader.cancel();
    } catch (err) {
      server.kill("SIGKILL");
      throw err;
    } finally {
      await server.status;
      returnOffset(offset);
      await Deno.remove(dir, { recursive: true });
    }
  },
});
