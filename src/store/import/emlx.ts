/** Message files of Apple Mail's folders. @module */
import { Flag } from "../types.ts";
import { headerOf, receivedOf, type SourceMessage, withCrlf } from "./sources.ts";

/** Bits of the integer "flags". */
const bits: [number, number][] = [
  [1 << 0, Flag.Seen],
  [1 << 1, Flag.Deleted],
  [1 << 2, Flag.Answered],
  [1 << 4, Flag.Flagged],
  [1 << 6, Flag.Draft],
  [1 << 8, Flag.Forwarded],
];

/**
 * A message with its length before it and a property list with flags after it; undefined if it is not one.
 * @param modified when the file was written, used if nothing else gives the date of arrival
 */
export function emlxMessage(
  place: string,
  file: Uint8Array,
  modified: number,
): Omit<SourceMessage, "below"> | undefined {
  const first = file.subarray(0, 40).indexOf(10);
  const length = /^\s*(\d{1,10})\s*$/.exec(new TextDecoder().decode(file.subarray(0, first)))?.[1];
  if (first < 0 || length === undefined) return undefined;
  const end = first + 1 + Number(length);
  if (end > file.length) return undefined;
  const list = new TextDecoder().decode(file.subarray(end, end + 64 * 1024));
  const value = (key: string) =>
    Number(new RegExp(`<key>${key}</key>\\s*<(?:integer|real)>(\\d{1,15})`).exec(list)?.[1] ?? 0);
  const content = withCrlf(file.subarray(first + 1, end));
  const set = value("flags");
  return {
    place,
    content,
    flags: bits.reduce((flags, [bit, flag]) => set & bit ? flags | flag : flags, 0),
    keywords: [],
    received: value("date-received") * 1000 || receivedOf(headerOf(content)) || modified,
  };
}
