/**
 * The wildcards of `:matches`: "*" for any characters, "?" for one (RFC 5228 §2.7.1), with their matches (RFC
 * 5229 §3.2). Each "*" matches as little as possible.
 *
 * @module
 */
import { asciiUpper, type Comparator } from "./comparators.ts";
import { collationKey } from "../../mail/text/collation.ts";

/** Characters of a pattern between two "*"; `null` is "?". */
type Segment = (string | null)[];

export interface Glob {
  segments: Segment[];
  comparator: Comparator;
  /** The text of a pattern without wildcards, which needs no search. */
  literal: string | undefined;
}

function fold(comparator: Comparator, character: string): string {
  switch (comparator) {
    case "i;ascii-casemap":
      return asciiUpper(character);
    case "i;unicode-casemap":
      return collationKey(character);
    default:
      return character;
  }
}

export function compileGlob(pattern: string, comparator: Comparator): Glob {
  const segments: Segment[] = [[]];
  let wild = false;
  let literal = "";
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    let c = characters[i];
    if (c === "*") {
      segments.push([]);
      wild = true;
      continue;
    }
    if (c === "?") {
      segments[segments.length - 1].push(null);
      wild = true;
      continue;
    }
    if (c === "\\" && i + 1 < characters.length) c = characters[++i];
    segments[segments.length - 1].push(fold(comparator, c));
    literal += c;
  }
  return { segments, comparator, literal: wild ? undefined : literal };
}

/** Counts the steps of one match; the caller's error ends a search that takes too many. */
export interface Budget {
  spend(steps: number): void;
}

/** The match of each wildcard, from the first to the last; undefined without a match. */
export function matchGlob(glob: Glob, text: string, budget: Budget): string[] | undefined {
  const { segments, comparator } = glob;
  const characters = [...text];
  const shown = comparator === "i;octet" ? characters : characters.map((c) => fold(comparator, c));
  budget.spend(characters.length);
  const captured: string[] = [];
  const fits = (segment: Segment, at: number): boolean => {
    for (let i = 0; i < segment.length; i++) {
      if (segment[i] !== null && segment[i] !== shown[at + i]) {
        budget.spend(i + 1);
        return false;
      }
    }
    budget.spend(segment.length + 1);
    return true;
  };
  const take = (segment: Segment, at: number) => {
    segment.forEach((c, i) => {
      if (c === null) captured.push(characters[at + i]);
    });
  };
  const first = segments[0];
  const last = segments[segments.length - 1];
  if (segments.length === 1) {
    if (characters.length !== first.length || !fits(first, 0)) return undefined;
    take(first, 0);
    return captured;
  }
  if (characters.length < first.length + last.length || !fits(first, 0)) return undefined;
  take(first, 0);
  let at = first.length;
  const end = characters.length - last.length;
  for (let n = 1; n < segments.length - 1; n++) {
    const segment = segments[n];
    let found = at;
    while (found + segment.length <= end && !fits(segment, found)) found++;
    if (found + segment.length > end) return undefined;
    captured.push(characters.slice(at, found).join(""));
    take(segment, found);
    at = found + segment.length;
  }
  if (at > end || !fits(last, end)) return undefined;
  captured.push(characters.slice(at, end).join(""));
  take(last, end);
  return captured;
}
