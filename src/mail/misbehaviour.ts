/**
 * How localserve is asked to misbehave: by the end of a localpart. For developers who want to see what
 * their program does when mail can't be delivered.
 *
 * @module
 */

/** A requested misbehaviour. */
export type Misbehaviour = { kind: "error"; code: number } | { kind: "timeout" };

/**
 * The misbehaviour requested by the end of a localpart; undefined if none. Digits at the end of a longer number
 * are no code: tests make addresses such as `ann+1764576123550` from the time.
 */
export function misbehaviourOf(localpart: string): Misbehaviour | undefined {
  const text = localpart.toLowerCase();
  if (text.endsWith("temperror")) return { kind: "error", code: 451 };
  if (text.endsWith("permerror")) return { kind: "error", code: 550 };
  if (text.endsWith("timeout")) return { kind: "timeout" };
  const number = /(?:^|[^0-9])([45][0-9][0-9])$/.exec(text.slice(-4));
  return number === null ? undefined : { kind: "error", code: Number(number[1]) };
}
