/**
 * Memory that makes the store fast, and that nothing has used for a while, goes back to the system: pages of
 * databases, and message files that are kept. A server at night is as small as after its start.
 *
 * @module
 */
import { trimHeap } from "../platform/heap.ts";
import { shrinkUnused } from "./database/unused_pages.ts";
import { giveUpUnused } from "./files/recent_messages.ts";

/** Milliseconds between two looks. What is unused in between two goes. */
const lookInterval = 15_000;
/** Looks after which the heap is trimmed still: buffers are freed when the runtime collects its garbage. */
const trimmed = 4;

/** Begins looking; call the result to end that. */
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
