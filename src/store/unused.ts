/**
 * Returns cache memory that nothing has used for a while to the system: pages of databases, and cached message
 * files. A server at night is as small as after its start.
 *
 * @module
 */
import { trimHeap } from "../platform/heap.ts";
import { shrinkUnused } from "./database/unused_pages.ts";
import { giveUpUnused } from "./files/recent_messages.ts";

/** Milliseconds between two checks. Memory unused since the last check is freed. */
const lookInterval = 15_000;
/** Checks after which the heap is still trimmed: buffers are freed when the runtime collects its garbage. */
const trimmed = 4;

/** Starts checking; call the result to stop. */
export function watchUnused(): () => void {
  let owed = 0;
  const timer = setInterval(() => {
    if (shrinkUnused() + giveUpUnused() > 0) owed = trimmed;
    if (owed === 0) return;
    owed--;
    trimHeap();
  }, lookInterval);
  Deno.unrefTimer(timer as unknown as number);
  return () => clearInterval(timer);
}
