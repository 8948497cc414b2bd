/**
 * Base subjects (RFC 5256 §2.1): a subject without the marks that replying, forwarding and mailing lists
 * put on it.
 *
 * @module
 */

export interface BaseSubject {
  /** Blanks folded, marks removed, case as it was. */
  base: string;
  /** True if a reply or forward mark was removed. */
  isReply: boolean;
}

/** Characters of a subject that are looked at. */
const maxSubject = 10_000;

/** Of RFC 5256 §2.1. */
const standardMarks: ReadonlySet<string> = new Set(["re", "fw", "fwd"]);
/** Programs in other languages write these. */
const allMarks: ReadonlySet<string> = new Set([
  ...standardMarks,
  ..."aw wg sv vs antw doorst rv enc tr rif odp ynt vl".split(" "),
]);

/** End of a "[...]" blob at the position, with blanks after it; -1 if there is none. */
function blobEnd(s: string, at: number): number {
  if (s[at] !== "[") return -1;
  let i = at + 1;
  while (i < s.length && s[i] !== "]" && s[i] !== "[") i++;
  if (s[i] !== "]") return -1;
  i++;
  while (s[i] === " ") i++;
  return i;
}

/** End of a reply or forward mark ("Re:", "Fwd [list] :", "Re[2]:") with blanks after it; -1 if none. */
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

/** Removes the marks from a decoded subject, those of many languages' programs. */
export function baseSubject(subject: string): BaseSubject {
  return withoutMarks(subject, allMarks);
}

/** The base subject that SORT and THREAD are defined by: with the marks of RFC 5256 §2.1 only. */
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
      // A mark, with blobs before it; or a blob that isn't all there is.
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
