/** `backup -watch`: the copy has what was acknowledged a second before SIGKILL ends both, and a server runs on it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import nodemailer from "nodemailer";
import { programArgs } from "../support/program.ts";
import { mox, startLocalserve } from "../support/localserve.ts";
import { messages, messageText } from "./load.ts";

Deno.test("backup -watch: over two kills of both, the copy lacks at most the last second, and verifies", async () => {
  let s = await startLocalserve();
  const { dir, offset } = s;
  const to = await Deno.makeTempDir();
  /** When each message was acknowledged. */
  const acknowledged = new Map<string, number>();
  try {
    let killed = 0;
    for (let round = 0; round < 2; round++) {
      const watch = new Deno.Command(Deno.execPath(), {
        args: programArgs(["backup", "-dir", dir, "-watch", to]),
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const complete = Promise.withResolvers<void>();
      const errors = watch.stderr.text();
      const reading = (async () => {
        for await (const line of watch.stdout.pipeThrough(new TextDecoderStream())) {
          if (line.includes("kept up to date")) complete.resolve();
        }
        complete.reject(new Error(`backup ended: ${await errors}`));
      })();
      complete.promise.catch(() => {});
      await complete.promise;
      const transport = nodemailer.createTransport({
        host: "127.0.0.1",
        port: s.smtp,
        ignoreTLS: true,
        pool: true,
        maxConnections: 3,
        maxMessages: Infinity,
      });
      const end = Date.now() + 2500;
      const load = async (c: number) => {
        for (let i = 0; Date.now() < end; i++) {
          const id = `r${round}c${c}-${i}`;
          await transport.sendMail({
            envelope: { from: "a@example.org", to: "mox@localhost" },
            raw: messageText(id, 5),
          });
          acknowledged.set(id, Date.now());
        }
      };
      await Promise.all([load(0), load(1), load(2)]);
      transport.close();
      killed = Date.now();
      await s.signal("SIGKILL");
      watch.kill("SIGKILL");
      await watch.status;
      await reading;
      // Looked at in a copy, as the next round goes on with this one.
      const look = await Deno.makeTempDir();
      await new Deno.Command("cp", { args: ["-a", `${to}/.`, look] }).output();
      const v = await mox(["verifydata", look]);
      // Files come before the rows that name them; what a kill leaves of that, a start removes.
      const findings = v.stdout.split("\n").filter((l) => l.startsWith("warning:"));
      const others = findings.filter((l) => !l.endsWith(": no row names this file"));
      assert.deepEqual(others, [], v.stdout);
      await Deno.remove(look, { recursive: true });
      s = await startLocalserve({ dir, offset });
    }
    await s.stop();
    await Deno.remove(join(dir, "data"), { recursive: true });
    await Deno.rename(to, join(dir, "data"));
    s = await startLocalserve({ dir, offset });
    const found = await messages(s);
    const must = [...acknowledged].filter(([, time]) => time < killed - 1000).map(([id]) => id);
    assert.ok(must.length > 50);
    assert.deepEqual(must.filter((id) => !found.has(id)), []);
    const last = Math.max(...[...acknowledged].filter(([id]) => found.has(id)).map(([, t]) => t));
    console.log(
      `watch: ${acknowledged.size} acknowledged, ${found.size} in the copy, the last of them ${
        killed - last
      } ms before the end`,
    );
  } finally {
    await s.close();
    await Deno.remove(to, { recursive: true }).catch(() => {});
  }
});
