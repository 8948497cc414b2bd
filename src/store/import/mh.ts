/** Messages of MH folders, as stored by nmh, Claws Mail and Sylpheed: files with numbers as names. @module */
import { Flag } from "../types.ts";
import { headerOf, receivedOf, type SourceMessage, withCrlf } from "./sources.ts";

/** Sequences of a folder: names, and their ranges of numbers. */
export type MhSequences = Map<string, [number, number][]>;

/** The text of a file .mh_sequences. */
export function parseMhSequences(text: string): MhSequences {
  const sequences: MhSequences = new Map();
  for (const line of text.split("\n").slice(0, 100)) {
    const m = /^([^:\s]{1,100}):([\d\s-]*)$/.exec(line);
    if (m === null) continue;
    const ranges = m[2].split(/\s+/).map((r) => /^(\d+)(?:-(\d+))?$/.exec(r)).filter((r) =>
      r !== null
    );
    sequences.set(m[1].toLowerCase(), ranges.map((r) => [Number(r[1]), Number(r[2] ?? r[1])]));
  }
  return sequences;
}

/** A message; it is read unless the folder lists it as unseen. */
export function mhMessage(
  place: string,
  file: Uint8Array,
  modified: number,
  sequences: MhSequences | undefined,
): Omit<SourceMessage, "below"> {
  const number = Number(place.slice(place.lastIndexOf("/") + 1));
  const has = (name: string) =>
    sequences?.get(name)?.some(([from, to]) => number >= from && number <= to) ?? false;
  const content = withCrlf(file);
  let flags = 0;
  if (sequences && !has("unseen")) flags |= Flag.Seen;
  if (has("replied")) flags |= Flag.Answered;
  if (has("flagged") || has("marked")) flags |= Flag.Flagged;
  if (has("forwarded")) flags |= Flag.Forwarded;
  return {
    place,
    content,
    flags,
    keywords: [],
    received: receivedOf(headerOf(content)) ?? modified,
  };
}
