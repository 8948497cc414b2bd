/** What others read in generated messages, beside what we do: every disagreement is of a known kind. */
import assert from "node:assert/strict";
import { findProgram } from "../support/programs.ts";
import { compareMessages } from "./compare.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FUZZ_SEED");

Deno.test(`messages are read as Python, mailparser and postal-mime read them, but for what is known (FUZZ_SEED=${seed})`, async () => {
  const r = await compareMessages(150, seed, findProgram("python3"));
  assert.deepEqual(r.unknown, []);
});
