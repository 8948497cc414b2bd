/** Messages and commands over IMAP, beside Dovecot: every disagreement is of a known kind. */
import assert from "node:assert/strict";
import { noDovecot } from "../support/dovecot.ts";
import { compareImap } from "./imap.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FUZZ_SEED");

Deno.test({
  name:
    `structures and commands are as Dovecot has them, but for what is known (FUZZ_SEED=${seed})`,
  ignore: noDovecot,
  async fn() {
    assert.deepEqual((await compareImap(25, 0, seed)).unknown, []);
    assert.deepEqual((await compareImap(0, 150, seed)).unknown, []);
  },
});
