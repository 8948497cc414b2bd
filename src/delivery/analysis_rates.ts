/**
 * Limits on the mail of one IP address or network to an account, so that nobody can fill its mailboxes or the
 * disk.
 *
 * @module
 */
import type { History } from "../store/messages/history.ts";

const minute = 60 * 1000;
const day = 24 * 3600 * 1000;
const MB = 1024 * 1024;

/** A limit; the first one exceeded is reported. */
export interface RateLimit {
  /** Index of the network, narrow to wide: IPv4 /32 /26 /21, IPv6 /64 /48 /32. */
  network: 0 | 1 | 2;
  windowMs: number;
  messages: number;
  bytes: number;
}

export const defaultRateLimits: readonly RateLimit[] = [
  { network: 0, windowMs: minute, messages: 500, bytes: 1000 * MB },
  { network: 0, windowMs: day, messages: 20 * 500, bytes: 3 * 1000 * MB },
  { network: 1, windowMs: minute, messages: 1500, bytes: 3000 * MB },
  { network: 1, windowMs: day, messages: 20 * 1500, bytes: 3 * 3000 * MB },
  { network: 2, windowMs: minute, messages: 4500, bytes: 9000 * MB },
  { network: 2, windowMs: day, messages: 20 * 4500, bytes: 3 * 9000 * MB },
];

/** Text for the remote if the message exceeds a limit; undefined if it is allowed. */
export function exceededRate(
  history: History,
  networks: readonly [string, string, string],
  size: number,
  now: number,
  limits: readonly RateLimit[] = defaultRateLimits,
): string | undefined {
  for (const l of limits) {
    if (networks[l.network] === "") continue;
    const past = history.received({ index: l.network, networks }, now - l.windowMs);
    const window = l.windowMs === minute
      ? "minute"
      : l.windowMs === day
      ? "day"
      : `${l.windowMs} ms`;
    if (past.count >= l.messages) {
      return `more than ${l.messages} messages in the past ${window} from your ip/network`;
    }
    if (past.size + size > l.bytes) {
      return `more than ${l.bytes} bytes in the past ${window} from your ip/network`;
    }
  }
  return undefined;
}
