/**
 * Flags as named in commands, split up for the store.
 *
 * @module
 */
import { flagBit } from "../../../store/mailboxes/keywords.ts";

/** Splits flags into bits and keywords. */
export function splitFlags(names: readonly string[]): { flags: number; keywords: string[] } {
  let flags = 0;
  const keywords: string[] = [];
  for (const n of names) {
    const bit = flagBit(n);
    if (bit !== undefined) flags |= bit;
    else keywords.push(n);
  }
  return { flags, keywords };
}
