/** Which localparts ask localserve for a fault. */
import assert from "node:assert/strict";
import { misbehaviourOf } from "../../src/mail/misbehaviour.ts";

Deno.test("the end of a localpart asks for a fault; the end of a longer number does not", () => {
  const error = (code: number) => ({ kind: "error", code });
  for (
    const [localpart, asked] of [
      ["temperror", error(451)],
      ["ann.TempError", error(451)],
      ["permerror", error(550)],
      ["timeout", { kind: "timeout" }],
      ["rcpttotimeout", { kind: "timeout" }],
      ["452", error(452)],
      ["550", error(550)],
      ["400", error(400)],
      ["599", error(599)],
      ["rcptto451", error(451)],
      ["ann+421", error(421)],
      ["ann", undefined],
      ["", undefined],
      ["45", undefined],
      ["399", undefined],
      ["600", undefined],
      ["550x", undefined],
      ["temperror1", undefined],
      // Addresses that tests make from the time or a counter.
      ["1764576123550", undefined],
      ["ann+1764576123452", undefined],
      ["user1400", undefined],
    ] as const
  ) assert.deepEqual(misbehaviourOf(localpart), asked, localpart);
});
