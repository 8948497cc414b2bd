/**
 * How localserve is asked to misbehave: by the end of a localpart. For developers who want to see what
 * their program does when mail can't be delivered.
 *
 * @module
 */

/** A requested misbehaviour. */
export type Misbehaviour = { kind: "error"; code: number } | { kind: "timeout" };

/** The misbehaviour requested by the end of a localpart; undefined if none. */
export function misbehaviourOf(localpart: string): Misbehaviour | undefined {
  const text = localpart.toLowerCase();
  if (text.endsWith("temperror")) return { kind: "error", code: 451 };
  if (text.endsWith("permerror")) return { kind: "error", code: 550 };
  if (text.endsWith("timeout")) return { kind: "timeout" };
  const digits = text.slice(-3);
  return /^[45][0-9][0-9]$/.test(digits) ? { kind: "error", code: Number(digits) } : undefined;
}
