/** A damaged database: the account that it belongs to is refused for now, with words; the others go on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Log, setLogSink } from "../../src/log/mod.ts";
import { Queue } from "../../src/queue/mod.ts";
import { DatabaseError } from "../../src/store/database/database.ts";
import { startReceiver } from "./receiver.ts";

const letter = (to: string) =>
  `From: joe@sender.example\nTo: ${to}\nSubject: hello\nMessage-ID: <${to}>\n\nbody\n`;

Deno.test("mail for an account with a damaged database waits at its sender; others get theirs", async () => {
  const lines: string[] = [];
  await using server = await startReceiver();
  const before = setLogSink((line) => lines.push(line));
  try {
    const folder = join(server.dir, "data", "accounts", "bob");
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(join(folder, "index.db"), new Uint8Array(8192).fill(0x5a));
    const send = (name: string) =>
      server.send({
        to: [`${name}@ours.example`],
        text: letter(`${name}@ours.example`),
        sign: "sender.example",
      });
    const refused = await send("bob");
    assert.ok(refused.code >= 400 && refused.code < 500, String(refused.code));
    assert.equal((await send("ann")).code, 250);
    const told = lines.find((l) => l.includes("index.db"));
    assert.match(told ?? lines.join("\n"), /bob\/index\.db: file is not a database; .*verifydata/);
  } finally {
    setLogSink(before);
  }
});

Deno.test("a server does not start on a damaged queue, and says which file, and what to do", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(dir, "queue", "msg"), { recursive: true });
    const path = join(dir, "queue", "index.db");
    await Deno.writeFile(path, new Uint8Array(8192).fill(0x5a));
    await assert.rejects(
      Queue.open(dir, {
        log: new Log("queue"),
        deliverer: { deliver: () => Promise.reject(new Error("not started")) },
        onDsn: () => Promise.resolve(),
      }),
      (err) =>
        err instanceof DatabaseError && err.message.startsWith(path) &&
        /backup/.test(err.message),
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
