/** Which flags may be changed with which rights (RFC 4314 §4). @module */
import type { ChangeableFlags } from "./store_flags.ts";
import { Flag, flagNames } from "../types.ts";

/** The right that changing a flag takes. */
export function rightForFlag(bit: number): "s" | "t" | "w" {
  return bit === Flag.Seen ? "s" : bit === Flag.Deleted ? "t" : "w";
}

/** The flags that may be changed with some rights; undefined if all may. */
export function changeableFlags(rights: string): ChangeableFlags | undefined {
  const keywords = rights.includes("w");
  if (keywords && rights.includes("s") && rights.includes("t")) return undefined;
  let flags = 0;
  for (const [bit] of flagNames) if (rights.includes(rightForFlag(bit))) flags |= bit;
  return { flags, keywords };
}

/** Of the flags of a new message, those that may be set. */
export function permittedFlags<T extends { flags?: number; keywords?: string[] }>(
  rights: string,
  m: T,
): T {
  const only = changeableFlags(rights);
  if (!only) return m;
  return { ...m, flags: (m.flags ?? 0) & only.flags, keywords: only.keywords ? m.keywords : [] };
}
