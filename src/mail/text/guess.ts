/**
 * Guesses the charset of a text that declares none, or an unknown one.
 *
 * @module
 */
import { analyse } from "chardet";
import { hasIso2022Escape } from "./iso2022.ts";

/** Most bytes examined. */
const sampleBytes = 16 * 1024;
/** Least certainty, of 100, for a guess by content to count. */
const leastCertain = 20;

/** Charsets of scripts other than Latin, where most letters are non-ASCII bytes. */
const otherScripts: ReadonlySet<string> = new Set([
  ..."shift_jis euc-jp euc-kr big5 gb18030 koi8-r windows-1251 iso-8859-5".split(" "),
  ..."iso-8859-6 iso-8859-7 iso-8859-8 windows-1253 windows-1255 windows-1256".split(" "),
]);

/** The examined parts of a text: its start, and a part from shortly before its first non-ASCII byte on. */
export interface TextSample {
  start: Uint8Array;
  beyondAscii: Uint8Array;
}

/** Bytes before the first non-ASCII one that are included. */
const context = 256;

/** The sample of a whole text. */
export function sampleOf(bytes: Uint8Array): TextSample {
  const c = new SampleCollector();
  c.add(bytes);
  return c.sample();
}

/** Takes the sample of a text read in pieces. */
export class SampleCollector {
  readonly #start = new Bounded(sampleBytes);
  readonly #beyond = new Bounded(sampleBytes);
  #before: Uint8Array = new Uint8Array(0);
  #found = false;

  /** True if no more bytes are needed. */
  get complete(): boolean {
    return this.#start.full && this.#beyond.full;
  }

  /** The next bytes; they may be reused after the call. */
  add(bytes: Uint8Array): void {
    this.#start.add(bytes);
    if (this.#found) {
      this.#beyond.add(bytes);
      return;
    }
    let at = 0;
    while (at < bytes.length && bytes[at] < 128) at++;
    this.#found = at < bytes.length;
    const from = this.#found ? at : bytes.length;
    const last = new Bounded(context);
    last.add(this.#before.subarray(Math.max(0, this.#before.length - Math.max(0, context - from))));
    last.add(bytes.subarray(Math.max(0, from - context), from));
    this.#before = last.bytes;
    if (!this.#found) return;
    this.#beyond.add(this.#before);
    this.#beyond.add(bytes.subarray(at));
  }

  sample(): TextSample {
    return { start: this.#start.bytes, beyondAscii: this.#beyond.bytes };
  }
}

/** Bytes up to a number of them. */
class Bounded {
  readonly #most: number;
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(most: number) {
    this.#most = most;
  }

  get full(): boolean {
    return this.#buffer.length >= this.#most;
  }

  get bytes(): Uint8Array {
    return this.#buffer;
  }

  add(bytes: Uint8Array): void {
    const part = bytes.subarray(0, this.#most - this.#buffer.length);
    if (part.length === 0) return;
    const all = new Uint8Array(this.#buffer.length + part.length);
    all.set(this.#buffer);
    all.set(part, this.#buffer.length);
    this.#buffer = all;
  }
}

/**
 * The apparent charset of a text: by a byte order mark, for HTML its meta element, escapes of ISO 2022, valid
 * UTF-8, and otherwise by the frequency of bytes. Never fails.
 * @param o.isUtf8 whether all of the text is valid UTF-8
 */
export function guessCharset(sample: TextSample, o: { html?: boolean; isUtf8: boolean }): string {
  const marked = byteOrderMark(sample.start);
  if (marked) return marked;
  const named = o.html ? metaCharset(sample.start) : undefined;
  if (named) return named;
  if (hasIso2022Escape(sample.start)) return "iso-2022-jp";
  if (isHz(sample.start)) return "hz-gb-2312";
  return o.isUtf8 ? "utf-8" : byContent(sample.beyondAscii);
}

/** The charset of text that isn't UTF-8, by the frequency of bytes. */
export function guessByContent(bytes: Uint8Array): string {
  return byContent(sampleOf(bytes).beyondAscii);
}

/** The charset of a byte order mark at the start. */
export function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) {
    return bytes[2] === 0 && bytes[3] === 0 ? "utf-32le" : "utf-16le";
  }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return undefined;
}

/** The charset in a meta element among the first 2 KB of HTML. */
function metaCharset(bytes: Uint8Array): string | undefined {
  const head = latin1.decode(bytes.subarray(0, 2048)).toLowerCase();
  for (let at = head.indexOf("<meta"); at >= 0; at = head.indexOf("<meta", at + 5)) {
    const end = head.indexOf(">", at);
    const tag = head.slice(at, end < 0 ? head.length : end);
    const value = tag.indexOf("charset");
    if (value < 0) continue;
    const m = /^charset\s{0,9}=\s{0,9}["']?\s{0,9}([a-z0-9_:.+-]{1,40})/.exec(tag.slice(value));
    // HTML §13.2.3.2: text that could be read so far is not UTF-16.
    if (m) return m[1].startsWith("utf-16") ? "utf-8" : m[1];
  }
  return undefined;
}

const latin1 = new TextDecoder("latin1");

/** Whether "~{" and "~}" alternate, with only 7-bit text (RFC 1843). */
function isHz(bytes: Uint8Array): boolean {
  let open = false;
  let pairs = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] >= 128) return false;
    if (bytes[i] !== 0x7e) continue;
    const next = bytes[i + 1];
    if (next === 0x7b && !open) open = true;
    else if (next === 0x7d && open) {
      open = false;
      pairs++;
    }
  }
  return pairs > 0 && !open;
}

function byContent(sample: Uint8Array): string {
  let high = 0;
  let letters = 0;
  for (const b of sample) {
    if (b >= 128) high++;
    else if ((b | 32) >= 0x61 && (b | 32) <= 0x7a) letters++;
  }
  // Latin scripts with accents have few non-ASCII bytes; which of their charsets it is hardly shows.
  if (high < 4 || high * 2 < letters) return "windows-1252";
  if (isHangul(sample)) return "euc-kr";
  for (const m of analyse(sample)) {
    const name = m.name.toLowerCase();
    if (m.confidence >= leastCertain && otherScripts.has(name)) return name;
  }
  return "windows-1252";
}

const eucKr = new TextDecoder("euc-kr");

/** Whether nearly all non-ASCII bytes are Hangul when read as EUC-KR: pairs of bytes from A1 on. */
function isHangul(sample: Uint8Array): boolean {
  if (sample.some((b) => b >= 128 && b < 0xa1)) return false;
  let hangul = 0;
  let other = 0;
  for (const c of eucKr.decode(sample)) {
    const code = c.charCodeAt(0);
    if (code >= 0xac00 && code <= 0xd7a3) hangul++;
    else if (code >= 128) other++;
  }
  return hangul > other * 6;
}
