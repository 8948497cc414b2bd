/** Postfix's alias tables: `virtual` (a key, white space, addresses) and `/etc/aliases` (a key, a colon). @module */
import type { LineProblem } from "./users.ts";

/** An entry of a table. */
export interface MapEntry {
  line: number;
  /** An address, `@domain`, or a domain alone. */
  key: string;
  values: string[];
}

/**
 * Reads a table.
 * @param domain of keys and values without one
 */
export function readPostfixMap(
  text: string,
  domain: string,
): { entries: MapEntry[]; problems: LineProblem[] } {
  const entries: MapEntry[] = [];
  const problems: LineProblem[] = [];
  for (const { line, text: logical } of logicalLines(text)) {
    if (/^(?:!?\/|if\b|endif\b)/.test(logical)) {
      problems.push({
        line,
        message:
          `${
            logical.slice(0, 60)
          }: regular expressions (regexp:, pcre:) have no counterpart here; ` +
          "name the addresses, or use a catch-all",
      });
      continue;
    }
    const m = /^("(?:[^"\\]|\\.)*"(?:@\S+?)?|[^\s:]+)\s*(?::\s*|\s+)([\s\S]*)$/.exec(logical);
    if (!m) {
      problems.push({ line, message: `no key and value: ${JSON.stringify(logical.slice(0, 60))}` });
      continue;
    }
    const isAliases = logical[m[1].length] === ":";
    const key = m[1].replace(/^"(.*)"$/, "$1");
    const values: string[] = [];
    let bad = false;
    for (const value of m[2].split(/[\s,]+/).filter((x) => x !== "")) {
      if (/^"?[|/]|^"?:include:/.test(value)) {
        problems.push({
          line,
          message: `${key}: programs, files and lists (${value}) have no counterpart here`,
        });
        bad = true;
      } else {
        values.push(value.includes("@") || domain === "" ? value : `${value}@${domain}`);
      }
    }
    const isDomain = !isAliases && !key.includes("@") && key.includes(".");
    const full = key.includes("@") || isDomain || domain === "" ? key : `${key}@${domain}`;
    if (!full.includes("@") && !isDomain) {
      problems.push({ line, message: `${key} has no domain: give one with -domain` });
    } else if (!bad) {
      const missing = values.find((x) => !x.includes("@"));
      if (!isDomain && missing !== undefined) {
        problems.push({ line, message: `${missing} has no domain: give one with -domain` });
      } else if (!isDomain && values.length === 0) {
        problems.push({ line, message: `${key} goes nowhere` });
      } else entries.push({ line, key: full, values: isDomain ? [] : values });
    }
  }
  return { entries, problems };
}

/** Lines without comments; those that begin with white space continue the one before. */
function* logicalLines(text: string): Generator<{ line: number; text: string }> {
  let current: { line: number; text: string } | undefined;
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  for (const [i, raw] of lines.entries()) {
    if (/^\s*(?:#|$)/.test(raw)) continue;
    if (/^\s/.test(raw) && current) {
      current.text += ` ${raw.trim()}`;
      continue;
    }
    if (current) yield current;
    current = { line: i + 1, text: raw.trim() };
  }
  if (current) yield current;
}
