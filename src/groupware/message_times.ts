/** The times that messages about an event are written with. @module */
import type { Accounts } from "../store/account/accounts.ts";

/** Events of which the last time is remembered; beyond, those whose time has passed are forgotten. */
const maxRemembered = 1000;

const remembered = new WeakMap<Accounts, Map<string, number>>();

/**
 * The DTSTAMP of an account's next messages about an event: later than those of the ones before, in whole
 * seconds. Those who get two changes tell by it which is the later one (RFC 5546 §2.1.5), so the second change of
 * a second is dated a second ahead.
 * @returns milliseconds since the epoch
 */
export function nextMessageTime(
  accounts: Accounts,
  account: string,
  uid: string,
  now: number,
): number {
  let last = remembered.get(accounts);
  if (last === undefined) remembered.set(accounts, last = new Map());
  const key = `${account} ${uid}`;
  const second = Math.floor(now / 1000) * 1000;
  const time = Math.max(second, (last.get(key) ?? 0) + 1000);
  last.set(key, time);
  if (last.size > maxRemembered) {
    for (const [k, t] of last) if (t < second) last.delete(k);
  }
  return time;
}
