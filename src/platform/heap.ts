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

/** Resident bytes by which a process must have grown before its heap is worth trimming. */
const worthTrimming = 32 * 1024 * 1024;

/**
 * Decides at each of regular calls whether the heap should be trimmed, by the resident memory of the process: at
 * some calls after it has grown, since what made it grow may end later, and now and then while it stays large.
 *
 * @param after calls with a trim once the memory has grown
 * @param every calls between two trims of a process that stays large
 */
export function trimmedAfterGrowth(after: number, every: number): (resident: number) => boolean {
  let least = Infinity;
  let known = Infinity;
  let owed = 0;
  let calls = 0;
  return (resident) => {
    least = Math.min(least, resident);
    known = Math.min(known, resident);
    if (resident > known + worthTrimming) {
      known = resident;
      owed = after;
    }
    calls++;
    if (owed > 0) {
      owed--;
      return true;
    }
    return calls % every === 0 && resident > least + worthTrimming;
  };
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
