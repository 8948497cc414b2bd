/**
 * Over the wire: each file call of an SMTP delivery and of an IMAP APPEND fails once. What was answered with
 * 250 or OK is there, once and whole; what was refused is not; the connection gets an answer; no file stays
 * behind, and the server goes on.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setLogSink } from "../../src/log/mod.ts";
import { filesAhead } from "../../src/smtp/server/mod.ts";
import { startServer } from "../imap/server.ts";
import { type Receiver, startReceiver } from "../serve/receiver.ts";
import { type Call, type Fault, possible, withFault } from "./disk.ts";

// A message's file is made when it comes, so that its call is one of those that fail.
filesAhead.enabled = false;
// What goes wrong on purpose fills no log.
setLogSink(() => {});

const kinds: readonly Fault[] = ["EIO", "ENOSPC", "EMFILE", "short", "torn", "delay"];
const body = "a line that is long enough to be torn in the middle\n".repeat(40);
const letter = (id: string) =>
  `From: joe@sender.example\nTo: ann@ours.example\nSubject: ${id}\nMessage-ID: <${id}@sender.example>\n` +
  `\n${body}end of ${id}\n`;

/** Files below a folder. */
function filesBelow(dir: string): string[] {
  const found: string[] = [];
  const walk = (d: string) => {
    for (const e of Deno.readDirSync(d)) {
      if (e.isDirectory) walk(join(d, e.name));
      else found.push(join(d, e.name).slice(dir.length + 1));
    }
  };
  walk(dir);
  return found;
}

/** After a failed fsync of a database nobody knows; what was asked of it is open. */
const undecided = (c: Call) => c.name === "syncData" && c.path.endsWith("-wal");

Deno.test("SMTP: every call of a delivery fails once", async () => {
  let server: Receiver = await startReceiver();
  let number = 0;
  let runs = 0;
  const one = async (at: number, fault: Fault): Promise<Call[]> => {
    const id = `m${number++}`;
    const data = join(server.dir, "data");
    let code = 0;
    const r = await withFault(data, at, fault, async () => {
      code = (await server.send({ text: letter(id), sign: "sender.example" })).code;
    });
    const where = `${fault} at ${at}: ${r.hit?.name} ${r.hit?.path.slice(data.length)} -> ${code}`;
    try {
      if (r.error !== undefined) throw r.error;
      const mailboxes = await server.account("ann", (a) => a.mailboxes().map((m) => m.name));
      const all = (await Promise.all(mailboxes.map((m) => server.messages("ann", m)))).flat();
      const found = all.filter((t) => t.includes(`\r\nSubject: ${id}\r\n`));
      if (code === 250) {
        assert.equal(found.length, 1, "acknowledged");
        assert.ok(found[0].includes(`\r\n\r\n${body}end of ${id}\n`.replace(/\r?\n/g, "\r\n")));
      } else {
        assert.ok(
          code >= 400 && code < 500,
          `an error of the disk is a temporary one, not ${code}`,
        );
        if (!(r.hit && undecided(r.hit))) assert.deepEqual(found, [], "refused");
      }
      if (fault === "delay" || fault === "short") assert.equal(code, 250);
      if ((fault === "ENOSPC" || fault === "torn") && r.hit && possible("ENOSPC", r.hit.name)) {
        assert.ok(code === 250 || code === 452, "a full disk is told as such");
      }
      // The server may still be putting the files of the connection away.
      const temporary = () => filesBelow(join(data, "tmp"));
      for (let i = 0; i < 50 && temporary().length > 0; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      if (!r.hit?.name.startsWith("Deno.remove")) assert.deepEqual(temporary(), []);
      await server.account("ann", (a) => {
        const rows = a.db.all("SELECT id FROM emails").map(([i]) => `0/${i}`).sort();
        const files = filesBelow(a.files.dir).sort();
        if (!r.hit?.name.startsWith("Deno.remove")) assert.deepEqual(files, rows);
      });
      if (r.hit && (undecided(r.hit) || r.hit.name.startsWith("Deno.remove"))) {
        // As the answer to such a fault is a restart.
        await server[Symbol.asyncDispose]();
        server = await startReceiver();
      }
    } catch (err) {
      throw new Error(`${where}: ${(err as Error).message}`, { cause: err });
    }
    return r.calls;
  };
  try {
    await one(0, "EIO");
    const calls = await one(0, "EIO");
    assert.ok(calls.length > 10);
    const failures: string[] = [];
    for (const [i, call] of calls.entries()) {
      for (const fault of kinds) {
        if (!possible(fault, call.name)) continue;
        runs++;
        await one(i + 1, fault).catch((err) => failures.push(err.message));
      }
    }
    console.log(`SMTP delivery: ${calls.length} points, ${runs} runs`);
    assert.deepEqual(failures, []);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

Deno.test("IMAP: every call of an APPEND fails once", async () => {
  let server = await startServer();
  let client = await server.client();
  let number = 0;
  let runs = 0;
  const again = async () => {
    await server.stop();
    server = await startServer();
    client = await server.client();
  };
  const one = async (at: number, fault: Fault): Promise<Call[]> => {
    const id = `m${number++}`;
    const text = letter(id).replaceAll("\n", "\r\n");
    let answer = "";
    const r = await withFault(server.dir, at, fault, async () => {
      answer = await client.done(`APPEND inbox {${text.length}+}\r\n${text}`);
    });
    const where = `${fault} at ${at}: ${r.hit?.name} ${
      r.hit?.path.slice(server.dir.length)
    } -> ${answer}`;
    try {
      if (r.error !== undefined) throw r.error;
      const box = server.account.mailboxByName("Inbox")!;
      const found: string[] = [];
      for (const uid of server.account.uids(box.id)) {
        const reader = server.account.openMessage(
          server.account.messageByUid(box.id, uid)!.emailId,
        );
        const t = new TextDecoder().decode(reader.read(0, reader.size));
        reader.close();
        if (t.includes(`\r\nSubject: ${id}\r\n`)) found.push(t);
      }
      if (answer.startsWith("OK")) assert.deepEqual(found, [text]);
      else {
        assert.match(answer, /^NO /);
        if (fault === "ENOSPC" && r.hit && possible(fault, r.hit.name) && !undecided(r.hit)) {
          assert.match(answer, /^NO \[UNAVAILABLE\] .*disk is full/);
        }
        if (!(r.hit && undecided(r.hit))) assert.deepEqual(found, []);
      }
      if (fault === "delay" || fault === "short") assert.match(answer, /^OK/);
      const removal = r.hit?.name.startsWith("Deno.remove");
      const rows = server.account.db.all("SELECT id FROM emails").map(([i]) => `0/${i}`).sort();
      if (!removal) {
        assert.deepEqual(filesBelow(server.account.files.dir).sort(), rows);
        // Apart from the data folder nothing is in the temporary folder.
        assert.deepEqual([...Deno.readDirSync(server.dir)].filter((e) => e.isFile), []);
      }
      if (r.hit && (undecided(r.hit) || removal)) await again();
      else assert.match(await client.done("NOOP"), /^OK/);
    } catch (err) {
      await again();
      throw new Error(`${where}: ${(err as Error).message}`, { cause: err });
    }
    return r.calls;
  };
  try {
    await one(0, "EIO");
    const calls = await one(0, "EIO");
    const failures: string[] = [];
    for (const [i, call] of calls.entries()) {
      for (const fault of kinds) {
        if (!possible(fault, call.name)) continue;
        runs++;
        await one(i + 1, fault).catch((err) => failures.push(err.message));
      }
    }
    console.log(`IMAP APPEND: ${calls.length} points, ${runs} runs`);
    assert.deepEqual(failures, []);
  } finally {
    await server.stop();
  }
});
