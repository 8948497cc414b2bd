/** `backup -objects`: after SIGKILL of server and command, `restore` brings what was stored, and a server runs on it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import nodemailer from "nodemailer";
import S3rver from "s3rver";
import { mox, startLocalserve } from "../support/localserve.ts";
import { programArgs } from "../support/program.ts";
import { messages, messageText } from "./load.ts";

Deno.test("backup -objects: what was stored before a kill is restored, and a server runs on it", async () => {
  let s = await startLocalserve();
  const { dir, offset } = s;
  const away = await Deno.makeTempDir();
  const s3 = new S3rver({
    port: 0,
    address: "127.0.0.1",
    silent: true,
    directory: join(away, "s3"),
    configureBuckets: [{ name: "mail", configs: [] }],
  });
  const { port } = await s3.run();
  try {
    const conf = join(away, "objects.conf");
    const fields = `Endpoint: http://127.0.0.1:${port}
Bucket: mail
AccessKey: S3RVER
SecretKey: S3RVER
KeyFile: backup.key
Seconds: 1
`;
    await Deno.writeTextFile(conf, fields);
    const missing = await mox(["restore", "-objects", conf, join(away, "data")]);
    assert.match(missing.stderr, /backup\.key: No such file/);
    await Deno.writeTextFile(join(away, "backup.key"), "c2hvcnQ=\n");
    const short = await mox(["restore", "-objects", conf, join(away, "data")]);
    assert.match(short.stderr, /backup\.key: 32 bytes in base64 are expected/);
    await Deno.writeTextFile(
      join(away, "backup.key"),
      `${new Uint8Array(32).fill(3).toBase64()}\n`,
    );
    const none = await mox(["restore", "-objects", conf, join(away, "data")]);
    assert.match(none.stderr, /the bucket has no backup/);
    const transport = nodemailer.createTransport({
      host: "127.0.0.1",
      port: s.smtp,
      ignoreTLS: true,
    });
    const sent: string[] = [];
    const send = async (id: string) => {
      await transport.sendMail({
        envelope: { from: "a@example.org", to: "mox@localhost" },
        raw: messageText(id, 5),
      });
      sent.push(id);
    };
    for (let i = 0; i < 5; i++) await send(`before-${i}`);
    const storing = new Deno.Command(Deno.execPath(), {
      args: programArgs(["backup", "-dir", dir, "-objects", conf]),
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const errors = storing.stderr.text();
    const reader = storing.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader.read();
    assert.match(first.value ?? await errors, /everything is stored/);
    for (let i = 0; i < 5; i++) await send(`after-${i}`);
    // Stored when an object is there that is of a later time.
    const acknowledged = Date.now();
    for (;;) {
      const listed = await mox(["restore", "-objects", conf, "-list"]);
      const last = / to (\S+),/.exec(listed.stdout)?.[1] ?? "";
      if (Date.parse(last) >= acknowledged) break;
      await send(`meanwhile-${sent.length}`);
    }
    const stored = sent.filter((id) => !id.startsWith("meanwhile"));
    await s.signal("SIGKILL");
    storing.kill("SIGKILL");
    await storing.status;
    await reader.cancel();
    await errors;
    transport.close();
    const to = join(away, "data");
    const done = await mox(["restore", "-objects", conf, to]);
    assert.equal(done.code, 0, done.stderr);
    const again = await mox(["restore", "-objects", conf, to]);
    assert.match(again.stderr, /is not empty/);
    const v = await mox(["verifydata", to]);
    const findings = v.stdout.split("\n").filter((l) => l.startsWith("warning:"));
    assert.deepEqual(findings.filter((l) => !l.endsWith(": no row names this file")), [], v.stdout);
    await Deno.remove(join(dir, "data"), { recursive: true });
    await Deno.rename(to, join(dir, "data"));
    s = await startLocalserve({ dir, offset });
    const found = await messages(s);
    assert.deepEqual(stored.filter((id) => !found.has(id)), []);
  } finally {
    await s.close();
    await s3.close();
    await Deno.remove(away, { recursive: true });
  }
});
