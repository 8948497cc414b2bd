/**
 * Where the random input of a test begins: the same in each run, so that what passes passes again. A number in the
 * variable is another seed, "random" one of the time: so the long forms of these tests go through many.
 */
export function seedOf(variable: "FC_SEED" | "FUZZ_SEED" | "MODEL_SEED" | "MOX_SEED"): number {
  const value = Deno.env.get(variable);
  if (value === undefined) return 20_261;
  return value === "random" ? 1 + Date.now() % 1_000_000 : Number(value);
}
