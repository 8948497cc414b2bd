/**
 * The heap of the C library, which holds the memory of the runtime and SQLite. Memory freed in the middle stays
 * with the process until the library is asked to return whole pages.
 *
 * @module
 */
import { openOptional } from "./libc.ts";

const symbols = {
  // musl returns memory by itself and lacks this function.
  malloc_trim: { parameters: ["usize"], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

let library: Deno.DynamicLibrary<typeof symbols> | undefined;

/**
 * Opens the library, while foreign functions are still allowed. If that fails, memory stays with the process.
 */
export function openHeap(): void {
  library ??= openOptional(symbols);
}

/** Closes the library: for tests. */
export function closeHeap(): void {
  library?.close();
  library = undefined;
}

/** Returns free pages of the heap to the system; false if that is impossible. */
export function trimHeap(): boolean {
  const trim = library?.symbols.malloc_trim;
  if (!trim) return false;
  trim(0n);
  return true;
}
