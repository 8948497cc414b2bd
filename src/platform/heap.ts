/**
 * The heap of the C library, in which the runtime and SQLite have their memory. What is freed in the middle of it
 * stays with the process until the library is asked to give whole pages back.
 *
 * @module
 */
import { openOptional } from "./libc.ts";

const symbols = {
  // musl gives back by itself, and has no such function.
  malloc_trim: { parameters: ["usize"], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

let library: Deno.DynamicLibrary<typeof symbols> | undefined;

/** Opens the library, while foreign functions are still allowed. Where that can't be, memory stays with the process. */
export function openHeap(): void {
  library ??= openOptional(symbols);
}

/** Lets go of the library: for tests. */
export function closeHeap(): void {
  library?.close();
  library = undefined;
}

/** Gives free pages of the heap back to the system; false where that can't be asked for. */
export function trimHeap(): boolean {
  const trim = library?.symbols.malloc_trim;
  if (!trim) return false;
  trim(0n);
  return true;
}
