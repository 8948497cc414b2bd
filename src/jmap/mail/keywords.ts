/** Converts keywords of emails (RFC 8621 §4.1.1) from and to the store's flags. @module */
import type { EmailIndex } from "../../store/emails/email_index.ts";
import type { EmailKeywords } from "../../store/messages/update_email.ts";
import { flagBit } from "../../store/mailboxes/keywords.ts";
import { Flag, flagNames } from "../../store/types.ts";
import { invalidProperties } from "../core/errors.ts";

/** Name of each bit that is a keyword. \Deleted is not. */
const names: readonly (readonly [number, string])[] = flagNames
  .filter(([bit]) => bit !== Flag.Deleted)
  .map(([bit, name]) => [bit, name.replace("\\", "$").toLowerCase()]);

/** The set of an email's keywords. */
export function keywordSet(flags: number, words: readonly string[]): Record<string, true> {
  const set: Record<string, true> = {};
  for (const [bit, name] of names) if (flags & bit) set[name] = true;
  for (const w of words) set[w] = true;
  return set;
}

export function keywordsOfSlot(index: EmailIndex, slot: number): Record<string, true> {
  const text = index.words[index.keywords[slot]];
  return keywordSet(index.flags[slot], text === "" ? [] : text.split(" "));
}

/** The bit that stores a keyword; undefined for others. */
export function keywordBit(keyword: string): number | undefined {
  const lower = keyword.toLowerCase();
  const own = names.find(([, name]) => name === lower);
  if (own) return own[0];
  // Other programs' spellings of the same keywords.
  return lower.startsWith("\\") ? undefined : flagBit(lower);
}

/** True for a valid keyword. */
export function isKeyword(s: string): boolean {
  return /^[\x21-\x7e]{1,255}$/.test(s) && !/[(){\]%*"\\]/.test(s);
}

/** Checks a set of keywords. @throws SetError invalidProperties */
export function readKeywords(value: unknown): EmailKeywords {
  if (value === null || value === undefined) return { flags: 0, words: [] };
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalidProperties(["keywords"], "keywords must be an object");
  }
  const r: EmailKeywords = { flags: 0, words: [] };
  for (const [k, on] of Object.entries(value)) {
    if (on !== true) throw invalidProperties(["keywords"], `keywords: ${k} must be true`);
    addKeyword(r, k);
  }
  return r;
}

/** Adds a keyword. @throws SetError invalidProperties */
export function addKeyword(keywords: EmailKeywords, keyword: string): void {
  if (!isKeyword(keyword)) {
    throw invalidProperties(["keywords"], `${JSON.stringify(keyword)} can't be a keyword`);
  }
  const bit = keywordBit(keyword);
  if (bit !== undefined) keywords.flags |= bit;
  else if (!keywords.words.includes(keyword.toLowerCase())) {
    keywords.words.push(keyword.toLowerCase());
  }
}

export function removeKeyword(keywords: EmailKeywords, keyword: string): void {
  const bit = keywordBit(keyword);
  if (bit !== undefined) keywords.flags &= ~bit;
  else keywords.words = keywords.words.filter((w) => w !== keyword.toLowerCase());
}
