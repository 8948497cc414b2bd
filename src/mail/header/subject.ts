/**
 * Base subjects (RFC 5256 §2.1): a subject without the marks added by replies, forwards and mailing lists.
 *
 * @module
 */

export interface BaseSubject {
  /** Whitespace collapsed, marks removed, case unchanged. */
  base: string;
  /** True if a reply or forward mark was removed. */
  isReply: boolean;
}

/** Most characters of a subject that are read. */
const maxSubject = 10_000;

/** Marks of RFC 5256 §2.1. */
const standardMarks: ReadonlySet<string> = new Set(["re", "fw", "fwd"]);
/** Marks including those of programs in other languages. */
const allMarks: ReadonlySet<string> = new Set([
  ...standardMarks,
  ..."aw wg sv vs antw doorst rv enc tr rif odp ynt vl".split(" "),
]);

/** End of a "[...]" blob at the position, including spaces after it; -1 if there is none. */
function blobEnd(s: string, at: number): number {
  if (s[at] !== "[") return -1;
  let i = at + 1;
  while (i < s.length && s[i] !== "]" && s[i] !== "[") i++;
  if (s[i] !== "]") return -1;
  i++;
  while (s[i] === " ") i++;
  return i;
}

/** End of a reply or forward mark ("Re:", "Fwd [list] :", "Re[2]:") including spaces after it; -1 if none. */
function markEnd(s: string, at: number, marks: ReadonlySet<string>): number {
  let i = at;
  while (i < s.length && i - at < 8 && /[a-z]/i.test(s[i])) i++;
  const word = s.slice(at, i).toLowerCase();
  if (!marks.has(word)) return -1;
  while (s[i] === " ") i++;
  const blob = blobEnd(s, i);
  if (blob > 0) i = blob;
  if (s[i] === "(") {
    const close = s.indexOf(")", i);
    if (close > 0 && close - i < 6) i = close + 1;
  }
  if (s[i] !== ":") return -1;
  i++;
  while (s[i] === " ") i++;
  return i;
}

/** Removes the marks from a decoded subject, including those of programs in many languages. */
export function baseSubject(subject: string): BaseSubject {
  return withoutMarks(subject, allMarks);
}

/** The base subject for SORT and THREAD: only the marks of RFC 5256 §2.1 are removed. */
export function standardBaseSubject(subject: string): BaseSubject {
  return withoutMarks(subject, standardMarks);
}

function withoutMarks(subject: string, marks: ReadonlySet<string>): BaseSubject {
  let s = subject.slice(0, maxSubject).replace(/[\s\u00a0]+/g, " ").trim();
  let isReply = false;
  for (;;) {
    const before = s;
    // Trailers: "(fwd)".
    while (/\(fwd\)$/i.test(s)) {
      s = s.slice(0, -5).trimEnd();
      isReply = true;
    }
    let at = 0;
    for (;;) {
      // A mark, with blobs before it; or a blob that isn't the whole text.
      let i = at;
      for (let b = blobEnd(s, i); b > 0; b = blobEnd(s, i)) i = b;
      const m = markEnd(s, i, marks);
      if (m > 0) {
        at = m;
        isReply = true;
        continue;
      }
      const b = blobEnd(s, at);
      if (b > 0 && b < s.length) {
        at = b;
        continue;
      }
      break;
    }
    s = s.slice(at);
    if (/^\[fwd:.*\]$/i.test(s)) {
      s = s.slice(5, -1).trim();
      isReply = true;
    }
    if (s === before) break;
  }
  return { base: s, isReply };
}
