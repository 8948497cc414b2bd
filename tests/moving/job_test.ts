/** Bringing the mail of many accounts in the background: rounds, stops, failures. */
import assert from "node:assert/strict";
import { AdminError } from "../../src/admin/errors.ts";
import { MoveJob, type MovePlan } from "../../src/admin/moving/job.ts";
import type { MovedMail } from "../../src/admin/moving/mail.ts";

const moved = (account: string, imported: number, error = ""): MovedMail => ({
  account,
  imported,
  duplicates: 0,
  followed: 0,
  warnings: [],
  warningCount: 0,
  error,
});

/** A round that ends when it is let, or aborted. */
function heldRound(): { run: MovePlan["run"]; begun: Promise<void>; let(): void } {
  const begun = Promise.withResolvers<void>(), held = Promise.withResolvers<void>();
  return {
    begun: begun.promise,
    let: () => held.resolve(),
    async run({ begun: tell, progress, done, signal }) {
      tell!("ann");
      progress!("ann", 3);
      begun.resolve();
      signal!.addEventListener("abort", () => held.resolve());
      await held.promise;
      signal!.throwIfAborted();
      done(moved("ann", 7));
      done(moved("bob", 0, "refused"));
      return [];
    },
  };
}

Deno.test("a move tells how each account stands, and what failed; another one waits for its end", async () => {
  const job = new MoveJob();
  assert.equal(job.state, undefined);
  await job.stop();
  const round = heldRound();
  const plan = { what: "by IMAP", accounts: ["ann", "bob", "ann"], again: 0, run: round.run };
  job.start(plan);
  await round.begun;
  const state = job.state!;
  const told = () => state.accounts.map((a) => [a.account, a.state, a.imported, a.error]);
  assert.deepEqual(told(), [["ann", "running", 3, ""], ["bob", "waiting", 0, ""]]);
  assert.equal(state.ended, 0);
  assert.throws(() => job.start(plan), AdminError);
  round.let();
  while (state.ended === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(told(), [["ann", "done", 7, ""], ["bob", "failed", 0, "refused"]]);
  assert.deepEqual([state.phase, state.rounds], ["failed", 1]);
});

Deno.test("a move is stopped within a round, and between two", async () => {
  const job = new MoveJob();
  const round = heldRound();
  job.start({ what: "", accounts: ["ann"], again: 0, run: round.run });
  await round.begun;
  await job.stop();
  assert.deepEqual([job.state!.phase, job.state!.accounts[0].state], ["stopped", "waiting"]);
  let rounds = 0;
  job.start({
    what: "",
    accounts: ["ann"],
    again: 3_600_000,
    run: ({ done }) => {
      rounds++;
      done(moved("ann", 5));
      return Promise.resolve([]);
    },
  });
  while (job.state!.phase !== "waiting") await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(job.state!.next > Date.now());
  await job.stop();
  assert.deepEqual([job.state!.phase, job.state!.next, rounds], ["stopped", 0, 1]);
});

Deno.test("messages of all rounds and Maildirs are counted; a round that throws is told", async () => {
  const job = new MoveJob();
  job.start({
    what: "",
    accounts: ["ann"],
    again: 1,
    run: ({ done }) => {
      if (job.state!.rounds === 2) throw new Error("the disk is full");
      done(moved("ann", 5));
      done(moved("ann", 1));
      return Promise.resolve([]);
    },
  });
  while (job.state!.ended === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual([job.state!.phase, job.state!.error, job.state!.accounts[0].imported], [
    "failed",
    "the disk is full",
    12,
  ]);
});
