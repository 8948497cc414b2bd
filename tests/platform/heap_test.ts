/** The heap of the C library gives back what nobody uses. */
import assert from "node:assert/strict";
import { closeHeap, openHeap, trimHeap } from "../../src/platform/heap.ts";

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
