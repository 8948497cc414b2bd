/** All operations of the store in random order, compared with a model; see model.ts. */
import { fc } from "../support/fast_check.ts";
import { kinds, numbersPerStep, runSteps } from "./model_steps.ts";
import { seedOf } from "../support/seed.ts";

/** STORE_MODEL_RUNS makes it longer, FC_SEED repeats a run. */
const numRuns = Number(Deno.env.get("STORE_MODEL_RUNS") ?? 12);
const seed = seedOf("FC_SEED");

Deno.test(`an account is what the model says, after any operations (FC_SEED=${seed})`, async () => {
  const step = fc.record({
    kind: fc.nat(kinds.length - 1),
    n: fc.array(fc.nat(1023), { minLength: numbersPerStep, maxLength: numbersPerStep }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), runSteps),
    // The message names the step and what differs; FC_SHRINK finds fewer steps, in minutes.
    { seed, numRuns, endOnFailure: !Deno.env.has("FC_SHRINK") },
  );
});
