/** Exports of an account at a time. */
import assert from "node:assert/strict";
import { beginExport } from "../../src/web/export/at_a_time.ts";
import { HttpError } from "../../src/web/http/mod.ts";

Deno.test("four exports of an account run at a time, whatever others do; one that ends makes room for one", () => {
  const ends = [1, 2, 3, 4].map(() => beginExport("ann"));
  const refused = (e: unknown) => e instanceof HttpError && e.status === 429;
  assert.throws(() => beginExport("ann"), refused);
  const other = beginExport("bob");
  // Told twice, as when an answer breaks off while it ends.
  ends[0]();
  ends[0]();
  const fifth = beginExport("ann");
  assert.throws(() => beginExport("ann"), refused);
  for (const end of [...ends.slice(1), fifth, other]) end();
  for (const end of [1, 2, 3, 4].map(() => beginExport("ann"))) end();
});
