/** Snippets around the matches of a search in an email (RFC 8621 §5). @module */
import type { EmailFilter } from "./query/email_filter.ts";
import { eachCondition, searchTerms } from "./query/email_filter.ts";

/** Most bytes of a snippet of the body. */
const maxPreview = 255;
/** Characters before the first match. */
const before = 60;

/** The terms to mark in the subject, and in the body. */
export interface Terms {
  subject: string[];
  body: string[];
}

export function termsOf(filter: EmailFilter | undefined): Terms {
  const subject = new Set<string>();
  const body = new Set<string>();
  eachCondition(filter, (c) => {
    for (const t of searchTerms(c.subject ?? "")) subject.add(t);
    for (const t of searchTerms(c.body ?? "")) body.add(t);
    for (const t of searchTerms(c.text ?? "")) {
      subject.add(t);
      body.add(t);
    }
  });
  return { subject: [...subject], body: [...body] };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Start and end of each term in a text, in order, without overlap. */
function places(text: string, terms: readonly string[]): [number, number][] {
  const folded = fold(text);
  const found: [number, number][] = [];
  for (const term of terms) {
    const t = fold(term);
    if (t === "") continue;
    for (let at = folded.indexOf(t); at >= 0 && found.length < 1000;) {
      found.push([at, at + t.length]);
      at = folded.indexOf(t, at + t.length);
    }
  }
  found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  const out: [number, number][] = [];
  for (const [from, to] of found) {
    const last = out[out.length - 1];
    if (last && from < last[1]) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

/** Lower case, keeping each character's length. */
function fold(s: string): string {
  let out = "";
  for (const c of s) {
    const l = c.toLowerCase();
    out += l.length === c.length ? l : c;
  }
  return out;
}

/** The text with its matches in <mark>; null if it has none. */
export function marked(text: string, terms: readonly string[]): string | null {
  const found = places(text, terms);
  if (found.length === 0) return null;
  let out = "";
  let at = 0;
  for (const [from, to] of found) {
    out += `${escaped(text.slice(at, from))}<mark>${escaped(text.slice(from, to))}</mark>`;
    at = to;
  }
  return out + escaped(text.slice(at));
}

/** A piece of a body around the first match. */
export function excerpt(body: string, terms: readonly string[]): string | null {
  const text = body.replace(/\s+/g, " ").trim();
  const [first] = places(text, terms);
  if (!first) return null;
  let from = Math.max(0, first[0] - before);
  // From the beginning of a word.
  if (from > 0) from = Math.min(first[0], text.indexOf(" ", from) + 1 || first[0]);
  for (let length = maxPreview; length > 0; length = Math.floor(length * 0.8)) {
    const piece = text.slice(from, Math.max(from + length, 1)).toWellFormed();
    const r = marked(piece, terms);
    if (r === null) return null;
    if (new TextEncoder().encode(r).length <= maxPreview) return r;
  }
  return null;
}

/** The text of HTML, as far as a snippet needs it. */
export function textOfHtml(html: string): string {
  return html.replace(/<(style|script)\b[^>]{0,1000}>[^]*?<\/\1\s*>/gi, " ").replace(
    /<[^>]*>/g,
    " ",
  )
    .replace(/&nbsp;/gi, " ").replace(/&lt;/gi, "<").replace(/&gt;/gi, ">").replace(/&quot;/gi, '"')
    .replace(/&#39;/g, "'").replace(/&amp;/gi, "&");
}
