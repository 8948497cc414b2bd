/**
 * A cursor over the bytes of one command, its literals in place, and the tokens of IMAP's grammar.
 *
 * Total: any bytes give a value or a {@link ParseError}. Linear: no token is read twice, and nesting is
 * bounded by the callers.
 *
 * @module
 */
import { decodeUtf7 } from "../../mail/text/utf7.ts";

/** Wrong syntax; answered with BAD. The offset counts bytes from the start of the command. */
export class ParseError extends Error {
  readonly offset: number;
  readonly expected: string;
  constructor(offset: number, expected: string) {
    super(`at offset ${offset}: expected ${expected}`);
    this.name = "ParseError";
    this.offset = offset;
    this.expected = expected;
  }
}

const classAtom = 1; // ATOM-CHAR
const classAstring = 2; // ASTRING-CHAR: ATOM-CHAR and "]"
const classList = 4; // list-char: ATOM-CHAR, wildcards and "]"
const classTag = 8; // ASTRING-CHAR without "+"
const classes = new Uint8Array(256);
for (let c = 0x21; c < 0x7f; c++) {
  const s = String.fromCharCode(c);
  if (!'(){%*"\\]'.includes(s)) classes[c] |= classAtom | classAstring | classList | classTag;
  if (s === "]") classes[c] |= classAstring | classList | classTag;
  if (s === "%" || s === "*") classes[c] |= classList;
  if (s === "+") classes[c] &= ~classTag;
}
// RFC 6855 §3 and RFC 9051 §9 allow UTF-8 in quoted strings only, but clients send it in atoms too.
for (let c = 0x80; c < 0x100; c++) classes[c] |= classAstring | classList;

const SP = 0x20;
const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Lower-case names of months, for dates. */
const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Largest number of most fields; larger ones are refused (RFC 9051 §9 number). */
const maxUint32 = 4294967295;

export class Cursor {
  readonly bytes: Uint8Array;
  pos = 0;
  /**
   * Lenient where clients need it and other servers allow it: extra spaces between words, inside brackets and at the end,
   * * and % in words without quotes, "()" where options may follow, a day of one digit.
   */
  lenient = true;
  /** Mailbox names are plain UTF-8 (IMAP4rev2, UTF8=ACCEPT), not modified UTF-7. */
  utf8Names = false;

  constructor(bytes: Uint8Array, pos = 0) {
    this.bytes = bytes;
    this.pos = pos;
  }

  fail(expected: string, at = this.pos): never {
    throw new ParseError(at, expected);
  }

  get atEnd(): boolean {
    return this.pos >= this.bytes.length || (this.lenient && this.#blanks() === this.bytes.length);
  }

  /** Offset of the first byte after the spaces that start here. */
  #blanks(): number {
    let at = this.pos;
    while (this.bytes[at] === SP) at++;
    return at;
  }

  /** The byte here, or -1 at the end. */
  peek(): number {
    return this.pos < this.bytes.length ? this.bytes[this.pos] : -1;
  }

  /** True if the next character is this one. */
  at(c: string): boolean {
    return this.peek() === c.charCodeAt(0);
  }

  /** Consumes the character if it is next. */
  take(c: string): boolean {
    const code = c.charCodeAt(0);
    if (this.lenient && this.peek() === SP) {
      const after = this.#blanks();
      // A trailing space, or one before a closing bracket, separates nothing.
      const next = this.bytes[after];
      if (code === SP && (next === undefined || next === 0x29)) return false;
      if (code === SP || (code === 0x29 && next === 0x29)) {
        this.pos = code === SP ? after : after + 1;
        return true;
      }
    }
    if (this.peek() !== code) return false;
    this.pos++;
    if (code === 0x28 && this.lenient) this.pos = this.#blanks();
    return true;
  }

  /** Consumes the text, in any case, if it is next. */
  takeText(text: string): boolean {
    if (this.pos + text.length > this.bytes.length) return false;
    for (let i = 0; i < text.length; i++) {
      let c = this.bytes[this.pos + i];
      if (c >= 0x61 && c <= 0x7a) c -= 32;
      let w = text.charCodeAt(i);
      if (w >= 0x61 && w <= 0x7a) w -= 32;
      if (c !== w) return false;
    }
    this.pos += text.length;
    return true;
  }

  /** Consumes the word if it is next and ends there. */
  takeWord(word: string): boolean {
    const start = this.pos;
    if (this.takeText(word) && !(classes[this.peek()] & classAtom)) return true;
    this.pos = start;
    return false;
  }

  expect(text: string): void {
    const found = text.length === 1 ? this.take(text) : this.takeText(text);
    if (!found) this.fail(text === " " ? "space" : JSON.stringify(text));
  }

  sp(): void {
    if (this.peek() !== SP) this.fail("space");
    this.pos = this.lenient ? this.#blanks() : this.pos + 1;
  }

  /** Requires that nothing follows. */
  end(): void {
    if (!this.atEnd) this.fail("end of command");
    this.pos = this.bytes.length;
  }

  #run(mask: number, what: string): string {
    const start = this.pos;
    while (this.pos < this.bytes.length && classes[this.bytes[this.pos]] & mask) this.pos++;
    if (this.pos === start) this.fail(what);
    return latin1.decode(this.bytes.subarray(start, this.pos));
  }

  tag(): string {
    const t = this.#run(classTag, "tag");
    if (t.length > 255) this.fail("tag of at most 255 characters", 0);
    return t;
  }

  atom(what = "atom"): string {
    return this.#run(classAtom, what);
  }

  /** Letters, digits, "-", "_", "." and such, in upper case: command names and keywords. */
  word(what = "word"): string {
    return this.atom(what).toUpperCase();
  }

  /** One of the words; the position is not moved if it is another. */
  oneOf<T extends string>(words: readonly T[], what: string): T {
    const start = this.pos;
    const w = this.word(what);
    const i = (words as readonly string[]).indexOf(w);
    if (i < 0) this.fail(what, start);
    return words[i];
  }

  /** A number without sign. */
  number(what = "number", max = maxUint32): number {
    const start = this.pos;
    let n = 0;
    for (;;) {
      const c = this.peek();
      if (c < 0x30 || c > 0x39) break;
      n = n * 10 + (c - 0x30);
      if (n > max) this.fail(`${what} of at most ${max}`, start);
      this.pos++;
    }
    if (this.pos === start) this.fail(what);
    return n;
  }

  nzNumber(what = "number above 0", max = maxUint32): number {
    const start = this.pos;
    const n = this.number(what, max);
    if (n === 0) this.fail(what, start);
    return n;
  }

  /** A number up to 2^63-1 by the grammar; what we count never passes 2^53. */
  number64(what = "number"): number {
    return this.number(what, Number.MAX_SAFE_INTEGER);
  }

  /** Bytes of a quoted string. */
  quotedBytes(): Uint8Array {
    const start = this.pos;
    if (!this.take('"')) this.fail("quoted string");
    let end = this.pos;
    let escaped = false;
    for (;; end++) {
      if (end >= this.bytes.length) this.fail("closing quote", end);
      const c = this.bytes[end];
      if (c === 0x22) break;
      if (c === 0 || c === 0x0d || c === 0x0a) this.fail("no control character in quotes", end);
      if (c === 0x5c) {
        escaped = true;
        end++;
        const next = this.bytes[end];
        if (next !== 0x22 && next !== 0x5c) this.fail('" or \\ after \\', end);
      }
    }
    const inner = this.bytes.subarray(start + 1, end);
    this.pos = end + 1;
    if (!escaped) return inner;
    const out = new Uint8Array(inner.length);
    let n = 0;
    for (let i = 0; i < inner.length; i++) {
      if (inner[i] === 0x5c) i++;
      out[n++] = inner[i];
    }
    return out.subarray(0, n);
  }

  /** Bytes of a literal whose octets follow in the command. @param binary allows literal8, and NUL */
  literal(binary = false): Uint8Array {
    const start = this.pos;
    const eight = this.take("~");
    if (eight && !binary) this.fail("literal without ~", start);
    this.expect("{");
    const n = this.number64("literal size");
    this.take("+");
    this.expect("}");
    if (this.peek() !== 0x0d || this.bytes[this.pos + 1] !== 0x0a) this.fail("line end after }");
    const from = this.pos + 2;
    if (from + n > this.bytes.length) this.fail(`${n} bytes of literal`, from);
    this.pos = from + n;
    const r = this.bytes.subarray(from, this.pos);
    // RFC 9051 §4.3: NUL is allowed in a literal8 only.
    if (!eight) {
      const nul = r.indexOf(0);
      if (nul >= 0) this.fail("no NUL in a literal", from + nul);
    }
    return r;
  }

  /** Bytes of a string. */
  stringBytes(what = "string"): Uint8Array {
    const c = this.peek();
    if (c === 0x22) return this.quotedBytes();
    if (c === 0x7b) return this.literal();
    this.fail(what);
  }

  /** Bytes of an astring. */
  astringBytes(what = "string"): Uint8Array {
    const c = this.peek();
    if (c === 0x22 || c === 0x7b) return this.stringBytes(what);
    const start = this.pos;
    const mask = this.lenient ? classList : classAstring;
    while (this.pos < this.bytes.length && classes[this.bytes[this.pos]] & mask) this.pos++;
    if (this.pos === start) this.fail(what);
    return this.bytes.subarray(start, this.pos);
  }

  #text(bytes: Uint8Array, start: number): string {
    try {
      return utf8.decode(bytes);
    } catch {
      this.fail("text in UTF-8", start);
    }
  }

  string(what = "string"): string {
    const start = this.pos;
    return this.#text(this.stringBytes(what), start);
  }

  astring(what = "string"): string {
    const start = this.pos;
    return this.#text(this.astringBytes(what), start);
  }

  /** A string or NIL. */
  nstring(what = "string or NIL"): string | undefined {
    if (this.takeWord("NIL")) return undefined;
    return this.string(what);
  }

  #mailboxName(bytes: Uint8Array, start: number): string {
    const text = this.#text(bytes, start);
    if (this.utf8Names) return text;
    const name = decodeUtf7(text);
    if (name === undefined) this.fail("mailbox name in modified UTF-7", start);
    return name;
  }

  /**
   * A mailbox name, as Unicode. It is not yet checked against the rules of the store. Some clients send * and % without
   * quotes; Dovecot takes them too.
   */
  mailbox(): string {
    if (this.lenient) return this.listMailbox("mailbox name");
    const start = this.pos;
    return this.#mailboxName(this.astringBytes("mailbox name"), start);
  }

  /** A mailbox name that may have the wildcards * and %. */
  listMailbox(what = "mailbox pattern"): string {
    const c = this.peek();
    const start = this.pos;
    if (c === 0x22 || c === 0x7b) return this.#mailboxName(this.stringBytes(), start);
    while (this.pos < this.bytes.length && classes[this.bytes[this.pos]] & classList) this.pos++;
    if (this.pos === start) this.fail(what);
    return this.#mailboxName(this.bytes.subarray(start, this.pos), start);
  }

  /** A flag or keyword. */
  flag(): string {
    const start = this.pos;
    const system = this.take("\\");
    const name = this.atom("flag");
    // RFC 9051 §2.3.2: \Recent can't be set; what else begins with \ isn't a keyword.
    if (!system) return name;
    const known = /^(answered|flagged|deleted|seen|draft)$/i.test(name);
    if (!known) this.fail("known system flag", start);
    return `\\${name}`;
  }

  /** "(" flag *(SP flag) ")"; may be empty. */
  flagList(): string[] {
    this.expect("(");
    const r: string[] = [];
    if (this.take(")")) return r;
    for (;;) {
      r.push(this.flag());
      if (this.take(")")) return r;
      this.sp();
    }
  }

  /** "(" item *(SP item) ")" with at least one item. */
  list<T>(item: () => T): T[] {
    this.expect("(");
    const r: T[] = [];
    for (;;) {
      r.push(item());
      if (this.take(")")) return r;
      this.sp();
    }
  }

  /** As {@link list}, for the options of a command: empty brackets mean the same as none. */
  options(item: () => void): void {
    const start = this.pos;
    this.expect("(");
    if (this.lenient && this.take(")")) return;
    this.pos = start;
    this.list(item);
  }

  #digits(n: number, what: string): number {
    let v = 0;
    for (let i = 0; i < n; i++) {
      const c = this.peek();
      if (c < 0x30 || c > 0x39) this.fail(what);
      v = v * 10 + (c - 0x30);
      this.pos++;
    }
    return v;
  }

  #month(): number {
    for (let m = 0; m < 12; m++) if (this.takeText(months[m])) return m;
    this.fail("month");
  }

  #utcDay(day: number, month: number, year: number, start: number): number {
    const d = new Date(0);
    d.setUTCFullYear(year, month, day);
    if (d.getUTCDate() !== day || d.getUTCMonth() !== month) this.fail("day of the month", start);
    return d.getTime();
  }

  /** date, quoted or not: midnight UTC in milliseconds. */
  date(): number {
    const quoted = this.take('"');
    const start = this.pos;
    const day = this.number("day", 31);
    this.expect("-");
    const month = this.#month();
    this.expect("-");
    const year = this.#digits(4, "year");
    if (quoted) this.expect('"');
    return this.#utcDay(day, month, year, start);
  }

  /** date-time of APPEND: milliseconds since the epoch. */
  dateTime(): number {
    this.expect('"');
    const start = this.pos;
    const short = this.at(" ") ? this.take(" ") : this.lenient && this.bytes[start + 1] === 0x2d;
    const day = this.#digits(short ? 1 : 2, "day");
    this.expect("-");
    const month = this.#month();
    this.expect("-");
    const year = this.#digits(4, "year");
    this.sp();
    const at = this.pos;
    const h = this.#digits(2, "hour");
    this.expect(":");
    const m = this.#digits(2, "minute");
    this.expect(":");
    const s = this.#digits(2, "second");
    if (h > 23 || m > 59 || s > 60) this.fail("time of day", at);
    this.sp();
    const sign = this.take("-") ? -1 : this.take("+") ? 1 : this.fail("+ or - of zone");
    const zh = this.#digits(2, "zone");
    const zm = this.#digits(2, "zone");
    this.expect('"');
    const midnight = this.#utcDay(day, month, year, start);
    return midnight + ((h * 60 + m) * 60 + s) * 1000 - sign * (zh * 60 + zm) * 60_000;
  }
}
