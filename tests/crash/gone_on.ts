/** The end of tests in which scripts send messages on and the server is killed: what was answered went on exactly once. */
import assert from "node:assert/strict";
import { type Localserve, mox } from "../support/localserve.ts";
import { subjects } from "./load.ts";

/**
 * Lets go of what the queue holds for an account, and waits until all of it has left.
 * @param answered ids of the messages that were answered
 */
export async function assertGoneOnOnce(
  s: Localserve,
  what: string,
  account: string,
  answered: ReadonlySet<string>,
): Promise<void> {
  const release = await mox(["queue", "unhold", "-dir", s.dir, "-account", account]);
  assert.equal(release.code, 0, release.stderr);
  for (;;) {
    const queue = await mox(["queue", "list", "-dir", s.dir]);
    assert.equal(queue.code, 0, queue.stderr);
    if (/nothing is queued/.test(queue.stdout)) break;
  }
  const onward = await subjects(s);
  const twice = [...onward].filter(([, n]) => n > 1);
  const lost = [...answered].filter((id) => !onward.has(id));
  console.log(
    `${what}: answered ${answered.size}, went on ${onward.size}, ${twice.length} twice, ${lost.length} lost`,
  );
  assert.deepEqual(lost, []);
  assert.deepEqual(twice, []);
}
