/** The heap of the C library gives back what nobody uses. */
import assert from "node:assert/strict";
import { closeHeap, openHeap, trimHeap, trimmedAfterGrowth } from "../../src/platform/heap.ts";

Deno.test("without the library nothing is asked for", () => {
  closeHeap();
  assert.equal(trimHeap(), false);
});

/** glibc's name; musl, which gives back by itself and has nothing to be asked for, isn't loaded by it. */
function isGlibc(): boolean {
  try {
    Deno.dlopen("libc.so.6", {
      malloc_trim: { parameters: ["usize"], result: "i32" },
    }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "free pages of the heap go back to the system",
  ignore: Deno.build.os !== "linux",
  fn() {
    openHeap();
    try {
      // A second call changes nothing.
      openHeap();
      assert.equal(trimHeap(), isGlibc());
    } finally {
      closeHeap();
    }
    assert.equal(trimHeap(), false);
  },
});

Deno.test("a process that has grown is trimmed for some calls, and now and then while it stays large", () => {
  const mib = 1024 * 1024;
  const trims = trimmedAfterGrowth(2, 10);
  const at = (mb: number) => trims(mb * mib);
  // Calls 1 to 3: small changes.
  assert.deepEqual([200, 210, 231].map(at), [false, false, false]);
  // A flood, and what it leaves behind once it is over.
  assert.deepEqual([400, 390, 390].map(at), [true, true, false]);
  // Grown again, beyond what is known: calls 7 to 9.
  assert.deepEqual([430, 250, 250].map(at), [true, true, false]);
  // Call 10.
  assert.equal(at(250), true);
  assert.equal(at(250), false);
  // It follows the memory down.
  assert.deepEqual([205, 238].map(at), [false, true]);
});
