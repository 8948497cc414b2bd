/** Flags and special uses: names in the webmail's API, bits in the store. @module */
import type { Flag as FlagName, SpecialUse as UseName } from "../../../../webmail/api/mod.ts";
import { rightForFlag } from "../../../store/messages/flag_rights.ts";
import { flagBit } from "../../../store/mailboxes/keywords.ts";
import { Flag, flagNames, SpecialUse } from "../../../store/types.ts";

const flags: readonly (readonly [FlagName, number])[] = [
  ["seen", Flag.Seen],
  ["answered", Flag.Answered],
  ["flagged", Flag.Flagged],
  ["deleted", Flag.Deleted],
  ["draft", Flag.Draft],
  ["forwarded", Flag.Forwarded],
  ["junk", Flag.Junk],
  ["notjunk", Flag.NotJunk],
  ["phishing", Flag.Phishing],
  ["mdnsent", Flag.MDNSent],
];
const uses: readonly (readonly [UseName, number])[] = [
  ["archive", SpecialUse.Archive],
  ["drafts", SpecialUse.Drafts],
  ["junk", SpecialUse.Junk],
  ["sent", SpecialUse.Sent],
  ["trash", SpecialUse.Trash],
];

function toNames<N extends string>(table: readonly (readonly [N, number])[], bits: number): N[] {
  const names: N[] = [];
  for (const [name, bit] of table) if (bits & bit) names.push(name);
  return names;
}

function toBits<N extends string>(
  table: readonly (readonly [N, number])[],
  names: readonly N[],
): number {
  let bits = 0;
  for (const [name, bit] of table) if (names.includes(name)) bits |= bit;
  return bits;
}

export const flagsFromBits = (bits: number): FlagName[] => toNames(flags, bits);
export const bitsFromFlags = (names: readonly FlagName[]): number => toBits(flags, names);
export const usesFromBits = (bits: number): UseName[] => toNames(uses, bits);
export const bitsFromUses = (names: readonly UseName[]): number => toBits(uses, names);

/** Flags that were typed as keywords, such as "$forwarded". */
export function bitsFromKeywords(keywords: readonly string[]): number {
  return keywords.reduce((bits, k) => bits | (flagBit(k) ?? 0), 0);
}

/** Flags and keywords to add and remove. */
export interface FlagChange {
  add: FlagName[];
  remove: FlagName[];
  addKeywords: string[];
  removeKeywords: string[];
}

/** The rights that a change takes (RFC 4314 §4). */
export function rightsForFlags(o: FlagChange): string {
  const words = [...o.addKeywords, ...o.removeKeywords];
  const bits = bitsFromFlags([...o.add, ...o.remove]) | bitsFromKeywords(words);
  const letters = new Set<string>(words.some((k) => flagBit(k) === undefined) ? ["w"] : []);
  for (const [bit] of flagNames) if (bits & bit) letters.add(rightForFlag(bit));
  return [...letters].join("");
}
