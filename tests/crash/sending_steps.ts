/** SIGKILL at a step of sending, as a watcher of the data folder sees it. @module */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Localserve, mox } from "../support/localserve.ts";

/** What is waited for before the kill: a part of a path, below the data folder. */
export const steps = {
  noted: /^scheduled\.db-wal$/,
  copied: /^accounts\/mox\/msg\//,
  filed: /^queue\/msg\//,
  queued: /^queue\/index\.db-wal$/,
  answered: undefined,
};

/** Milliseconds for what the next start has to do. */
export const patience = 60_000;

/** How often the queue has a message. */
export async function queued(dir: string, subject: string): Promise<number> {
  const list = await mox(["queue", "list", "-dir", dir, "-json"]);
  assert.equal(list.code, 0, list.stderr);
  return list.stdout.split(JSON.stringify(subject)).length - 1;
}

/** Sends, and kills the server when it has come to a step; what sending gave, which must not throw. */
export async function sendAndKill<T>(
  s: Localserve,
  step: keyof typeof steps,
  send: () => Promise<T>,
): Promise<T> {
  const data = join(s.dir, "data");
  const wanted = steps[step];
  const watcher = Deno.watchFs(data);
  const seen = (async () => {
    for await (const e of watcher) {
      if (e.paths.some((p) => wanted?.test(p.slice(data.length + 1)))) return;
    }
  })();
  const answer = send();
  await (wanted === undefined ? answer : Promise.race([seen, answer]));
  await s.signal("SIGKILL");
  watcher.close();
  return await answer;
}
