/** Sender addresses that were made for one recipient each (FromIDLoginAddresses). @module */
import type { Config } from "../../config/mod.ts";
import type { Queue, RetiredItem } from "../../queue/mod.ts";

/** The retired recipient that a sender address was made for; undefined if it isn't such an address. */
export function recipientOfSender(
  config: Config,
  queue: Queue,
  address: string,
): RetiredItem | undefined {
  const at = address.lastIndexOf("@");
  for (const s of config.domain(address.slice(at + 1))?.separators ?? []) {
    const start = address.indexOf(s);
    if (start <= 0 || start >= at) continue;
    const fromId = address.slice(start + s.length, at);
    const found = fromId === "" ? undefined : queue.retiredByFromId(fromId);
    if (found) return found;
  }
  return undefined;
}
