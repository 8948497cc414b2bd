/** Random bytes to all listeners for a moment; `deno task fuzz` does it for long. */
import assert from "node:assert/strict";
import { mox, startLocalserve } from "../support/localserve.ts";
import { fuzzSockets } from "./sockets.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FUZZ_SEED");

Deno.test(`no listener minds any bytes, seed ${seed}`, async () => {
  const server = await startLocalserve();
  try {
    let left = 200;
    await fuzzSockets(server, seed, () => left-- > 0);
    // What it has taken meanwhile is in order.
    assert.equal(await server.stop(), 0);
    const v = await mox(["verifydata", `${server.dir}/data`]);
    assert.match(v.stdout, /all is well/);
  } finally {
    await server.close();
  }
});
