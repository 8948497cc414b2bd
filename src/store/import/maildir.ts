/** Messages of Maildirs. @module */
import { Flag } from "../types.ts";
import { flagsOf, type SourceMessage, withCrlf } from "./sources.ts";

const letterFlags: Record<string, number> = {
  D: Flag.Draft,
  F: Flag.Flagged,
  P: Flag.Forwarded,
  R: Flag.Answered,
  S: Flag.Seen,
  T: Flag.Deleted,
};

/** Keyword names of the letters a to z, from the text of Dovecot's file. */
export function parseDovecotKeywords(text: string): Map<string, string> {
  const keywords = new Map<string, string>();
  for (const line of text.split("\n").slice(0, 1000)) {
    const m = /^(\d{1,2}) (\S+)/.exec(line);
    if (m !== null) keywords.set(String.fromCharCode(97 + Number(m[1])), m[2]);
  }
  return keywords;
}

/**
 * A message of a Maildir, with flags from its file name.
 * @param keywords names of its folder's letters
 * @param more keywords that the folder has no letters for
 */
export function maildirMessage(
  place: string,
  content: Uint8Array,
  received: number,
  keywords: ReadonlyMap<string, string>,
  more: readonly string[] = [],
): Omit<SourceMessage, "below"> {
  const letters = /[:;!]2,([A-Za-z]*)$/.exec(place)?.[1] ?? "";
  const named = flagsOf([...[...letters].flatMap((l) => keywords.get(l) ?? []), ...more]);
  let flags = named.flags;
  for (const l of letters) flags |= letterFlags[l] ?? 0;
  return { place, content: withCrlf(content), flags, keywords: named.keywords, received };
}
