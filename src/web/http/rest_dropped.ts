/**
 * The rest of a request that is answered before its end.
 *
 * @module
 */
import { giveBack } from "../../platform/bytes.ts";
import type { Incoming } from "./types.ts";

/** Milliseconds that the rest of a refused request is read and dropped. */
const lingerTime = 2_000;

/**
 * Reads and drops it for a moment: if a connection is closed with unread bytes, TCP resets it, and the
 * client loses the answer.
 */
export function restDropped(incoming: Incoming): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, lingerTime);
    incoming.on("end", done);
    incoming.on("close", done);
    incoming.on("data", giveBack);
    incoming.resume();
  });
}
