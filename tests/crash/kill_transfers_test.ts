/** SIGKILL while much is brought in, taken out, copied, or mailboxes are changed. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { programArgs } from "../support/program.ts";
import { type Localserve, mox, startLocalserve } from "../support/localserve.ts";
import { check, lines, messages, messageText } from "./load.ts";

/** Starts a subcommand that is not waited for. */
function begin(args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: programArgs(args),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

interface Session {
  run(command: string): Promise<string[] | undefined>;
  close(): void;
}

/** An IMAP connection that runs one command after the other; undefined when it breaks. */
async function session(s: Localserve): Promise<Session> {
  const socket = connect(s.imap, "127.0.0.1");
  socket.on("error", () => {});
  const next = lines(socket);
  const run = async (command: string): Promise<string[] | undefined> => {
    socket.write(`t ${command}\r\n`);
    const all: string[] = [];
    for (;;) {
      const line = await next();
      if (line === undefined) return undefined;
      all.push(line);
      if (line.startsWith("t ")) return all;
    }
  };
  assert.match((await run("login mox@localhost moxmoxmox"))!.at(-1)!, /^t OK/);
  return { run, close: () => socket.destroy() };
}

/** Messages of a mailbox; 0 while there is none. */
async function count(s: Localserve, mailbox: string): Promise<number> {
  const c = await session(s);
  const answer = (await c.run(`status ${mailbox} (messages)`) ?? []).join("\n");
  c.close();
  return Number(/MESSAGES (\d+)/.exec(answer)?.[1] ?? 0);
}

Deno.test("SIGKILL during an import: all of it is there or nothing, and it can be done again", async () => {
  const total = 700;
  let s = await startLocalserve();
  const { dir, offset } = s;
  try {
    const mbox = Array.from(
      { length: total },
      (_, i) =>
        `From a@x Mon Jan  1 00:00:00 2024\n${messageText(`i${i}`, 30).replaceAll("\r", "")}\n`,
    );
    await Deno.writeTextFile(join(dir, "in.mbox"), mbox.join(""));
    const args = ["-dir", dir, "-skipduplicates", "mox", "Imported", join(dir, "in.mbox")];
    const running = begin(["import", "mbox", ...args]);
    let ended = false;
    running.status.then(() => ended = true);
    // What is read waits; this is the middle of putting it in place.
    while (await count(s, "Imported") === 0) assert.ok(!ended, "the import ended with nothing");
    await s.signal("SIGKILL");
    await running.status;
    s = await startLocalserve({ dir, offset });
    // What the kill left unfinished is taken back when the account is opened again.
    let before = await count(s, "Imported");
    while (before !== 0 && before !== total) before = await count(s, "Imported");
    assert.deepEqual(
      [...Deno.readDirSync(join(dir, "data", "tmp"))].filter((e) =>
        e.isFile && e.name.startsWith("import-")
      ),
      [],
    );
    const again = await mox(["import", "mbox", ...args]);
    assert.equal(again.code, 0, again.stderr);
    // `messages` wants each once.
    assert.equal((await messages(s, "Imported")).size, total);
    console.log(`import: ${before} of ${total} were there after the kill`);
    assert.equal(await s.stop(), 0);
    assert.deepEqual(await check(dir, offset), []);
  } finally {
    await s.close();
  }
});

/** Files of imports on their way. */
const waiting = (dir: string) =>
  [...Deno.readDirSync(join(dir, "data", "tmp"))].map((e) => e.name)
    .filter((name) => name.startsWith("import-"));

for (const killed of ["client", "server"]) {
  Deno.test(`SIGKILL of the ${killed} while an import is read: nothing was ever there`, async () => {
    let s = await startLocalserve();
    const { dir, offset } = s;
    try {
      // Takes many times as long as the wait for the first batch.
      const mbox = Array.from(
        { length: 30_000 },
        (_, i) => `From a@x Mon Jan  1 00:00:00 2024\nSubject: ${i}\n\nx\n\n`,
      );
      await Deno.writeTextFile(join(dir, "in.mbox"), mbox.join(""));
      const running = begin([
        "import",
        "mbox",
        "-dir",
        dir,
        "mox",
        "Imported",
        join(dir, "in.mbox"),
      ]);
      let ended = false;
      running.status.then(() => ended = true);
      while (!waiting(dir).some((name) => name.endsWith("-list"))) {
        assert.ok(!ended, "the import ended before anything waited");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const list = async () => {
        const c = await session(s);
        const lines = await c.run('list "" *');
        c.close();
        return lines!.filter((l) => l.includes("Imported"));
      };
      assert.deepEqual(await list(), []);
      if (killed === "client") running.kill("SIGKILL");
      else {
        await s.signal("SIGKILL");
        s = await startLocalserve({ dir, offset });
      }
      await running.status;
      assert.deepEqual(await list(), []);
      while (waiting(dir).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(await list(), []);
      assert.equal(await s.stop(), 0);
      assert.deepEqual(await check(dir, offset), []);
    } finally {
      await s.close();
    }
  });
}

Deno.test("SIGKILL while mailboxes are made, renamed and removed: each is done wholly or not at all", async () => {
  let s = await startLocalserve();
  const { dir, offset } = s;
  /** Names that a mailbox may have; none is one that is gone. */
  const known = new Map<string, (string | undefined)[]>();
  try {
    for (let round = 0; round < 3; round++) {
      const enough = Promise.withResolvers<void>();
      let steps = 0;
      const load = async ({ run }: Session, c: number) => {
        for (let i = 0;; i++) {
          const name = `r${round}c${c}-${i}`;
          const step = async (command: string, then: string | undefined) => {
            known.set(name, [...known.get(name) ?? [undefined], then]);
            const r = await run(command);
            if (r === undefined) return false;
            assert.match(r.at(-1)!, /^t OK/, command);
            known.set(name, [then]);
            if (++steps === 40 + 15 * round) enough.resolve();
            return true;
          };
          const text = messageText(name, 3);
          if (!await step(`create ${name}`, name)) return;
          if (!await step(`append ${name} {${text.length}+}\r\n${text}`, name)) return;
          if (!await step(`rename ${name} ${name}-other/below`, `${name}-other/below`)) return;
          if (i % 2 === 0 && !await step(`delete ${name}-other/below`, undefined)) return;
        }
      };
      // All are logged in before the first begins: the kill comes after so many steps.
      const sessions = await Promise.all([0, 1, 2].map(() => session(s)));
      const loads = sessions.map(load);
      await Promise.race([enough.promise, Promise.all(loads)]);
      await s.signal("SIGKILL");
      await Promise.all(loads);
      s = await startLocalserve({ dir, offset });
    }
    const c = await session(s);
    const list = (await c.run('list "" *'))!.map((l) =>
      /^\* LIST .* "?([^" ]+)"?$/.exec(l)?.[1] ?? ""
    );
    c.close();
    for (const [name, may] of known) {
      const here = list.filter((l) => l === name || l === `${name}-other/below`);
      assert.ok(here.length <= 1, `${name}: ${here}`);
      assert.ok(may.includes(here[0]), `${name} is ${here[0]}, may be ${may}`);
    }
    console.log(`mailboxes: ${known.size} of which ${list.length} are there`);
    assert.equal(await s.stop(), 0);
    assert.deepEqual(await check(dir, offset), []);
  } finally {
    await s.close();
  }
});

Deno.test("SIGKILL during export and backup: the data is as it was, and a copy by half says so", async () => {
  let s = await startLocalserve();
  const { dir, offset } = s;
  const out = await Deno.makeTempDir();
  try {
    const c = await session(s);
    for (let i = 0; i < 60; i++) {
      const text = messageText(`m${i}`, 300);
      assert.match((await c.run(`append inbox {${text.length}+}\r\n${text}`))!.at(-1)!, /^t OK/);
    }
    c.close();
    const exported = join(out, "exported");
    const runs: [string[], string][] = [
      [["export", "maildir", "-dir", dir, "mox", exported], exported],
      [["backup", "-dir", dir, join(out, "backup")], join(out, "backup")],
    ];
    for (const [args, target] of runs) {
      const running = begin(args);
      let ended = false;
      running.status.then(() => ended = true);
      // As soon as it has begun to write.
      while (!ended && !await Deno.stat(target).then(() => true, () => false)) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await s.signal("SIGKILL");
      await running.status;
      s = await startLocalserve({ dir, offset });
      assert.equal((await messages(s)).size, 60);
    }
    await Deno.mkdir(join(out, "backup", "accounts"), { recursive: true });
    const half = await mox(["verifydata", join(out, "backup")]);
    const marker = await Deno.stat(join(out, "backup", "incomplete-backup")).then(
      () => true,
      () => false,
    );
    if (marker) assert.match(half.stdout, /was broken off/);
    else assert.match(half.stdout, /all is well/);
    const whole = await mox(["backup", "-dir", dir, join(out, "again")]);
    assert.equal(whole.code, 0, whole.stderr);
    assert.match((await mox(["verifydata", join(out, "again")])).stdout, /all is well/);
    const r = await mox(["export", "maildir", "-dir", dir, "mox", join(out, "whole")]);
    assert.equal(r.code, 0, r.stderr);
    assert.equal(await s.stop(), 0);
    assert.deepEqual(await check(dir, offset), []);
  } finally {
    await s.close();
    await Deno.remove(out, { recursive: true });
  }
});
