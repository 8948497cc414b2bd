/**
 * A message for an alias while the disk fails: each file call once, and from each one on (a disk that is full, no
 * descriptors left). What was answered with 250 reaches every member, from the queue where a mailbox couldn't take
 * it; after any other answer the sender tries again, and then all have it.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setLogSink } from "../../src/log/mod.ts";
import { filesAhead } from "../../src/smtp/server/mod.ts";
import { type Receiver, startReceiver } from "../serve/receiver.ts";
import { aliasDomains } from "../serve/alias_domains.ts";
import { type Call, type Fault, possible, withFault } from "./disk.ts";

filesAhead.enabled = false;
setLogSink(() => {});

const members = ["m0", "m1", "m2"];
const domains = aliasDomains(members);

const send = (r: Receiver, id: string) =>
  r.send({
    to: "all@ours.example",
    text: `From: joe@sender.example\nTo: all@ours.example\nSubject: ${id}\n` +
      `Message-ID: <${id}@sender.example>\n\nfor all\n`,
    sign: "sender.example",
  });

/** After a failed fsync of a database, or a file that could not be removed, only a restart helps. */
const needsRestart = (c: Call) =>
  (c.name === "syncData" && c.path.endsWith("-wal")) || c.name.startsWith("Deno.remove");

/** How often each member has the message, and how often it waits in the queue for one. */
async function copies(r: Receiver, id: string): Promise<number[]> {
  const found: number[] = [];
  for (const m of members) {
    const all = await r.messages(m, "Inbox");
    found.push(all.filter((t) => t.includes(`\r\nSubject: ${id}\r\n`)).length);
  }
  return found;
}

Deno.test("alias: whichever file call fails, once or from then on, who got 250 can be sure that all get it", async () => {
  let server = await startReceiver({ domains });
  let number = 0;
  let runs = 0;
  const answers = new Map<string, number>();
  /** @param cold no account is open, as at the first message after a quiet time */
  const one = async (
    at: number,
    fault: Fault,
    lasting: boolean,
    cold: boolean,
  ): Promise<Call[]> => {
    const id = `m${number++}`;
    if (cold) {
      await server[Symbol.asyncDispose]();
      server = await startReceiver({ domains });
    }
    let code = 0;
    const r = await withFault(join(server.dir, "data"), at, fault, async () => {
      code = (await send(server, id)).code;
    }, { lasting });
    runs++;
    const where = `${fault}${lasting ? " from" : " at"} ${at}: ${r.hit?.name} -> ${code}`;
    try {
      if (r.error !== undefined) throw r.error;
      const kind = code === 250 ? "taken" : "refused";
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
      assert.ok(
        code === 250 || (code >= 400 && code < 500),
        "a passing trouble is a temporary one",
      );
      // What earlier messages left there is gone by now.
      const waiting = () => new Set(server.server.queue.list().map((q) => q.address.split("@")[0]));
      const later = waiting();
      const before = await copies(server, id);
      if (code === 250) {
        for (const [i, m] of members.entries()) {
          // The queue may have been at work between the two looks.
          assert.ok(before[i] + Number(later.has(m)) >= 1, `${m} has it or waits for it`);
        }
      } else {
        // As the sender does.
        assert.equal((await send(server, id)).code, 250);
      }
      await server.server.queue.schedule({}, 0);
      await server.server.queue.idle();
      const after = await copies(server, id);
      const still = waiting();
      // A database whose fsync failed takes nothing more before a restart.
      if (!r.failed.some(needsRestart)) assert.equal(still.size, 0);
      for (const [i, m] of members.entries()) {
        const sum = after[i] + Number(still.has(m));
        // Only where the sender was refused, or an fsync failed after which nobody knows, it may be there twice.
        const twice = code !== 250 || r.failed.some(needsRestart);
        assert.ok(sum === 1 || (twice && sum === 2), `${m} has it ${sum} times`);
      }
    } catch (err) {
      throw new Error(`${where}: ${(err as Error).message}`, { cause: err });
    } finally {
      if (r.failed.some(needsRestart)) {
        await server[Symbol.asyncDispose]();
        server = await startReceiver({ domains });
      }
    }
    return r.calls;
  };
  try {
    const failures: string[] = [];
    const plant = async (at: number, fault: Fault, lasting: boolean, cold: boolean) => {
      await one(at, fault, lasting, cold).catch((err) => failures.push(err.message));
    };
    await one(0, "EIO", false, false);
    const warm = await one(0, "EIO", false, false);
    for (const [i, call] of warm.entries()) {
      await plant(i + 1, "EIO", false, false);
      // A fault that stays is one for all that follows: some points stand for all.
      if (i % 6 === 3 && possible("ENOSPC", call.name)) await plant(i + 1, "ENOSPC", true, false);
      if (possible("EMFILE", call.name)) await plant(i + 1, "EMFILE", true, false);
    }
    // Mailboxes that are made at that moment, for the second member.
    const cold = await one(0, "EIO", false, true);
    const second = cold.flatMap((c, i) => c.path.includes(join("accounts", "m1")) ? [i] : []);
    assert.ok(warm.length > 30 && second.length > 10);
    const among = (pattern: RegExp) => second.filter((i) => pattern.test(cold[i].name));
    const opened = among(/^Deno\.open$/);
    for (const i of [opened[0], opened.at(-1)!]) await plant(i + 1, "EMFILE", true, true);
    const written = among(/sync|mkdir|link/);
    for (const i of [written[0], written.at(-1)!]) await plant(i + 1, "ENOSPC", true, true);
    console.log(
      `alias: ${warm.length} points, ${runs} runs, ${answers.get("taken")} taken, ${
        answers.get("refused")
      } refused`,
    );
    assert.deepEqual(failures, []);
    assert.ok(answers.get("taken")! > 10 && answers.get("refused")! > 10);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
