/**
 * The words of a message, as the junk filter counts them: each once, in lower case, from its texts, from chosen
 * headers (as "subject:word"), from links (as "url:host") and from names of attachments (as "file:ext").
 *
 * Work for a message is bounded: {@link maxText} characters of text, {@link maxHeader} of headers and {@link
 * maxWords} words are used, the rest is left out. Never fails on any input, linear.
 *
 * @module
 */
import { htmlText } from "../mail/text/html_text.ts";
import { languageOf, languageWord } from "./language.ts";
import type { JunkParams } from "./params.ts";
import { listOf } from "./lists.ts";
import { programSigns } from "./programs.ts";
import { fieldShapes, textShapes } from "./shapes.ts";
import { routeSigns, styleSigns } from "./signs.ts";
import { Sizes } from "./sizes.ts";

/** Most UTF-16 units of text parts that are used, all parts together; twice as much of HTML source. */
export const maxText = 128 * 1024;
/** Most UTF-16 units of header values that are used, all together. */
export const maxHeader = 16 * 1024;
/** Most different words of one message that are counted. */
export const maxWords = 4000;
/** Words longer than this are encoded data. */
const maxWordLength = 40;

/** The parts of a message that the filter needs. The caller decodes charsets and encodings. */
export interface MessageText {
  /** Header fields in order; names in any case, values decoded (RFC 2047) or raw. */
  headers: Iterable<readonly [name: string, value: string]>;
  /** Text parts, also those of attached messages, in order. */
  texts: Iterable<{ html: boolean; text: string }>;
  /** File names of attachments. */
  attachments?: Iterable<string>;
}

/** Header fields whose words are counted. */
const headerNames = new Set(["from", "to", "cc", "bcc", "reply-to", "subject"]);
/** Those that are the same for all messages of a mailing list. */
const ofList = new Set(["to", "cc", "bcc", "reply-to"]);

/** All the words of a message, in order of appearance. */
export function messageWords(m: MessageText, params: JunkParams): Set<string> {
  const words = new Set<string>();
  let left = maxHeader;
  const headers = [...m.headers];
  // Words that a mailing list adds to all of its messages say nothing about this one.
  const list = listOf(headers);
  const received = headers.filter(([name]) => name.toLowerCase() === "received");
  for (const sign of routeSigns(received.map(([, value]) => value))) {
    if (!list?.owns(sign)) add(words, sign);
  }
  for (const sign of programSigns(headers)) add(words, sign);
  for (const [name, value] of headers) {
    if (left <= 0) break;
    const field = name.length <= 16 ? name.toLowerCase() : "";
    for (const sign of fieldShapes(field, value)) add(words, sign);
    if (!headerNames.has(field) || (list && ofList.has(field))) continue;
    const text = list && field === "subject"
      ? list.subject(value.slice(0, left))
      : value.slice(0, left);
    left -= text.length;
    const found = new Set<string>();
    textWords(text, params, found);
    // Short words in headers are meaningless parts of addresses and names.
    for (const w of found) if (w.length > 3 && words.size < maxWords) words.add(`${field}:${w}`);
  }
  left = maxText;
  let source = 2 * maxText;
  let plain = false, html = false;
  let sample = "";
  const sizes = new Sizes();
  for (const t of m.texts) {
    if (left <= 0 || source <= 0) break;
    let text = t.text.slice(0, t.html ? source : left);
    sizes.add(text);
    if (t.html) {
      html = true;
      source -= text.length;
      const stripped = htmlText(text);
      text = stripped.text.slice(0, left);
      for (const link of stripped.links) linkWords(link, words);
    } else {
      plain = true;
    }
    if (list) text = list.text(text);
    left -= text.length;
    sample += text.slice(0, maxText - sample.length);
    textWords(text, params, words);
  }
  for (const sign of textShapes(sample)) add(words, sign);
  if (list) { for (const w of words) if (list.owns(w)) words.delete(w); }
  for (const sign of styleSigns(sample)) add(words, sign);
  for (const sign of sizes.signs()) add(words, sign);
  const language = languageOf(words, sample);
  if (language !== undefined) add(words, languageWord + language);
  if (html && !plain) add(words, "part:htmlonly");
  let files = 0;
  for (const name of m.attachments ?? []) {
    if (++files > 100) break;
    const dot = name.lastIndexOf(".");
    const ext = name.slice(dot + 1);
    if (dot >= 0 && ext.length > 0 && ext.length <= 10) add(words, `file:${ext.toLowerCase()}`);
  }
  return words;
}

function add(words: Set<string>, word: string): void {
  if (words.size < maxWords) words.add(word);
}

/** Kinds of characters. A word is a run of Letter, Digit and Apostrophe; Ignored ones don't break it. */
const Kind = {
  Unknown: 0,
  Other: 1,
  Letter: 2,
  Digit: 3,
  Apostrophe: 4,
  Ignored: 5,
  Dense: 6,
} as const;
const kinds = new Uint8Array(0x10000);

/** Scripts written without spaces between words: each two characters count as a word. */
const dense =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

function kindOf(unit: number): number {
  const known = kinds[unit];
  if (known !== Kind.Unknown) return known;
  let k: number = Kind.Other;
  const c = String.fromCharCode(unit);
  // Surrogates: letters outside the BMP are rare, except mathematical ones that imitate Latin, which NFKC
  // converts to Latin.
  if (unit >= 0xd800 && unit < 0xe000) k = Kind.Letter;
  else if (unit === 0x27 || unit === 0x2019) k = Kind.Apostrophe;
  // Soft hyphen, zero-width characters, directional marks, variation selectors: inserted into words to hide
  // them.
  else if (unit === 0xad || /[\p{Cf}\ufe00-\ufe0f\u034f\u115f\u1160\u3164]/u.test(c)) {
    k = Kind.Ignored;
  } else if (dense.test(c)) k = Kind.Dense;
  else if (/[\p{L}\p{M}]/u.test(c)) k = Kind.Letter;
  else if (/\p{N}/u.test(c)) k = Kind.Digit;
  kinds[unit] = k;
  return k;
}

/** Adds the words of plain text. */
export function textWords(text: string, params: JunkParams, words: Set<string>): void {
  let previous = "", beforePrevious = "";
  const emit = (w: string) => {
    if (params.Onegrams) add(words, w);
    if (params.Twograms && previous !== "") add(words, `${previous} ${w}`);
    if (params.Threegrams && beforePrevious !== "") {
      add(words, `${beforePrevious} ${previous} ${w}`);
    }
    beforePrevious = previous;
    previous = w;
  };
  let start = -1; // of the word that is being read
  let letters = false, ignored = false, ascii = true;
  const end = (at: number) => {
    if (start < 0) return;
    // No word is so long, whatever is left out of it: don't copy it.
    if (letters && at - start <= 4 * maxWordLength) {
      const w = normalize(text.slice(start, at), ignored, ascii);
      if (w !== undefined) emit(w);
      if (!ascii && mixesScripts(text, start, at)) add(words, "text:mixedscript");
    }
    start = -1;
  };
  for (let i = 0; i < text.length && words.size < maxWords; i++) {
    const unit = text.charCodeAt(i);
    const k = kindOf(unit);
    if (k === Kind.Letter || k === Kind.Digit) {
      if (start < 0) start = i, letters = false, ignored = false, ascii = true;
      if (k === Kind.Letter) letters = true;
      if (unit > 0x7f) ascii = false;
    } else if (k === Kind.Apostrophe || k === Kind.Ignored) {
      ignored = true;
      if (k === Kind.Apostrophe && unit > 0x7f) ascii = false;
    } else {
      if (unit === 0x3a && start >= 0 && text.charCodeAt(i + 1) === 0x2f) {
        i = link(text, start, i, words);
        start = -1;
        continue;
      }
      end(i);
      if (k === Kind.Dense) {
        if (i + 1 < text.length && kindOf(text.charCodeAt(i + 1)) === Kind.Dense) {
          emit(text.slice(i, i + 2));
        }
      }
    }
  }
  end(text.length);
}

/** The counted form of a word; undefined if it is not worth counting. */
function normalize(raw: string, ignored: boolean, ascii: boolean): string | undefined {
  let w = raw;
  if (ignored) {
    let s = "";
    for (let i = 0; i < w.length; i++) {
      const k = kindOf(w.charCodeAt(i));
      if (k === Kind.Apostrophe) s += "'";
      else if (k !== Kind.Ignored) s += w[i];
    }
    w = s.replace(/^'+/, "");
    while (w.endsWith("'")) w = w.slice(0, -1);
  }
  // Converts full-width, ligature and mathematical letters to the plain ones that they look like.
  if (!ascii) w = w.normalize("NFKC");
  w = w.toLowerCase();
  if (w.length > maxWordLength || w.length < (ascii ? 3 : 2)) return undefined;
  return ascii && looksGenerated(w) ? undefined : w;
}

/**
 * True for identifiers rather than words: four digits in a row, frequent changes between letters and digits, or
 * many letters without a vowel. They would fill the database and never recur.
 */
function looksGenerated(w: string): boolean {
  let digits = 0, changes = 0, consonants = 0;
  let wasDigit: boolean | undefined;
  for (let i = 0; i < w.length; i++) {
    const c = w.charCodeAt(i);
    const digit = c >= 0x30 && c <= 0x39;
    digits = digit ? digits + 1 : 0;
    if (digits >= 4) return true;
    if (wasDigit !== undefined && digit !== wasDigit && ++changes >= 4) return true;
    wasDigit = digit;
    // a e i o u y
    const vowel = c === 97 || c === 101 || c === 105 || c === 111 || c === 117 || c === 121;
    consonants = vowel || c === 0x27 ? 0 : consonants + 1;
    if (consonants >= 7) return true;
  }
  return false;
}

/** True if Latin letters are mixed with Cyrillic or Greek ones: a word made to look like another. */
function mixesScripts(text: string, from: number, to: number): boolean {
  let latin = false, other = false;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0x61 && c <= 0x7a || c >= 0x41 && c <= 0x5a) latin = true;
    else if (c >= 0x370 && c < 0x530) other = true;
  }
  return latin && other;
}

/** At the colon of a link in text: counts its host, returns the position of its last character. */
function link(text: string, start: number, colon: number, words: Set<string>): number {
  let end = colon + 1;
  while (end < text.length && end - colon < 2000) {
    const c = text.charCodeAt(end);
    if (c <= 0x20 || c === 0x22 || c === 0x3c || c === 0x3e || c === 0xa0) break;
    end++;
  }
  linkWords(text.slice(start, Math.min(end, colon + 300)), words);
  return end - 1;
}

/** Counts the host of a link, and its parent domains down to two labels. */
function linkWords(target: string, words: Set<string>): void {
  const slashes = target.indexOf("://");
  const scheme = slashes < 0 ? "" : target.slice(0, slashes).trim().toLowerCase();
  if (scheme !== "http" && scheme !== "https") return;
  let end = slashes + 3;
  while (end < target.length && end - slashes < 256 && !"/?#\\".includes(target[end])) end++;
  let host = target.slice(slashes + 3, end).toLowerCase();
  // The part before "@" only pretends to be the host.
  const at = host.lastIndexOf("@");
  if (at >= 0) {
    add(words, "url:userinfo");
    host = host.slice(at + 1);
  }
  const colon = host.indexOf(":");
  if (colon >= 0) host = host.slice(0, colon);
  const labels = host.split(".");
  if (labels.length < 2 || labels.length > 20) return;
  for (let i = 0; i <= labels.length - 2; i++) add(words, `url:${labels.slice(i).join(".")}`);
  if (labels.length === 4 && labels.every((l) => /^[0-9]{1,3}$/.test(l))) {
    add(words, "url:address");
  }
}
