/**
 * Returns cache memory that nothing has used for a while to the system: pages of databases, cached message
 * files, and what a flood has left behind in the heap. A server at night is as small as after its start.
 *
 * @module
 */
import { trimHeap, trimmedAfterGrowth } from "../platform/heap.ts";
import { memoryUse } from "../platform/process.ts";
import { shrinkUnused } from "./database/unused_pages.ts";
import { giveUpUnused } from "./files/recent_messages.ts";

/** Milliseconds between two checks. Memory unused since the last check is freed. */
const lookInterval = 15_000;
/** Checks after which the heap is still trimmed: buffers are freed when the runtime collects its garbage. */
const trimmed = 4;
/** Checks between two trims while the process stays larger than it once was: 5 minutes. */
const trimmedWhileLarge = 20;

/** Starts checking; call the result to stop. */
export function watchUnused(): () => void {
  let owed = 0;
  const grown = trimmedAfterGrowth(trimmed, trimmedWhileLarge);
  const timer = setInterval(() => {
    if (shrinkUnused() + giveUpUnused() > 0) owed = trimmed;
    const trims = grown(memoryUse().resident);
    if (owed > 0) owed--;
    else if (!trims) return;
    trimHeap();
  }, lookInterval);
  Deno.unrefTimer(timer as unknown as number);
  return () => clearInterval(timer);
}
