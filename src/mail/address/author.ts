/**
 * The stated authors of a message: the addresses of From and Sender, read strictly (RFC 5322 §3.4), to detect
 * when other programs may read different ones.
 *
 * @module
 */
import type { HeaderField } from "../header/header.ts";

/** An address of an author. */
export interface AuthorAddress {
  /** Unquoted. */
  localpart: string;
  /** As written. */
  domain: string;
}

/** The addresses of a field, or what is wrong with it. */
export type Authors = { addresses: AuthorAddress[] } | { problem: string };

/** Most characters of a field that are read. */
const maxLength = 65_536;
/** Most addresses of a field. */
const maxAddresses = 100;

/** What is wrong with a field. */
class Problem extends Error {
  override name = "Problem";
}

/** A reader of one field, which throws {@link Problem}. */
class FieldReader {
  readonly #s: string;
  #at = 0;

  constructor(s: string) {
    this.#s = s;
  }

  #peek(): string {
    return this.#s[this.#at] ?? "";
  }

  /** Spaces and comments (RFC 5322 §3.2.2). */
  #blanks(): void {
    let depth = 0;
    for (; this.#at < this.#s.length; this.#at++) {
      const c = this.#peek();
      if (depth > 0 && c === "\\") this.#at++;
      else if (c === "(") depth++;
      else if (c === ")") {
        if (depth === 0) throw new Problem("a comment ends that did not begin");
        depth--;
      } else if (depth === 0 && c !== " " && c !== "\t") return;
    }
    if (depth > 0) throw new Problem("a comment has no end");
  }

  #quoted(): string {
    let text = "";
    for (this.#at++; this.#at < this.#s.length; this.#at++) {
      if (this.#peek() === "\\") this.#at++;
      else if (this.#peek() === '"') {
        this.#at++;
        return text;
      }
      text += this.#peek();
    }
    throw new Problem("a quoted string has no end");
  }

  #atom(): string {
    const from = this.#at;
    while (this.#at < this.#s.length && !' \t"(),:;<>@[]\\'.includes(this.#peek())) this.#at++;
    if (this.#at === from) throw new Problem(`unexpected ${JSON.stringify(this.#peek() || "end")}`);
    return this.#s.slice(from, this.#at);
  }

  #word(): { text: string; quoted: boolean } {
    return this.#peek() === '"'
      ? { text: this.#quoted(), quoted: true }
      : { text: this.#atom(), quoted: false };
  }

  /** The domain after "@". */
  #domain(): string {
    this.#at++;
    this.#blanks();
    let domain: string;
    if (this.#peek() === "[") {
      const end = this.#s.indexOf("]", this.#at);
      if (end < 0) throw new Problem("an address literal has no end");
      domain = this.#s.slice(this.#at, end + 1);
      this.#at = end + 1;
    } else domain = this.#atom();
    this.#blanks();
    return domain;
  }

  /** An address in angle brackets, with "<" next. */
  #angle(): AuthorAddress {
    this.#at++;
    this.#blanks();
    const localpart = this.#word().text;
    this.#blanks();
    if (this.#peek() !== "@") throw new Problem("an address in angle brackets has no single @");
    const domain = this.#domain();
    if (this.#peek() !== ">") throw new Problem("angle brackets hold more than an address");
    this.#at++;
    this.#blanks();
    return { localpart, domain };
  }

  /** A mailbox: a name with an address in angle brackets, or an address alone. */
  mailbox(): AuthorAddress {
    this.#blanks();
    const words: { text: string; quoted: boolean }[] = [];
    // An address in place of a name, as written by old programs.
    let named: string | undefined;
    for (;;) {
      if (this.#peek() === "<") {
        const a = this.#angle();
        if (
          named !== undefined && named.toLowerCase() !== `${a.localpart}@${a.domain}`.toLowerCase()
        ) {
          throw new Problem("the name is another address: put it into quotes");
        }
        return a;
      }
      if (this.#peek() === "@") {
        if (words.length !== 1 || named !== undefined) {
          throw new Problem("an address has more than one word before @");
        }
        const domain = this.#domain();
        if (this.#peek() !== "<") return { localpart: words[0].text, domain };
        named = `${words[0].text}@${domain}`;
        continue;
      }
      if (named !== undefined) {
        throw new Problem("something stands between an address and the next");
      }
      words.push(this.#word());
      this.#blanks();
    }
  }

  /** True after a comma, false at the end. */
  more(): boolean {
    if (this.#at >= this.#s.length) return false;
    if (this.#peek() !== ",") {
      throw new Problem(`unexpected ${JSON.stringify(this.#peek())} after an address`);
    }
    this.#at++;
    return true;
  }
}

/** The addresses of a From or Sender field. Groups, which few programs support there, are a problem. */
export function strictAuthors(value: string): Authors {
  if (value.length > maxLength) return { problem: "it is too long" };
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) {
    return { problem: "it has control characters" };
  }
  const reader = new FieldReader(value);
  const addresses: AuthorAddress[] = [];
  try {
    do {
      if (addresses.length >= maxAddresses) return { problem: "it has too many addresses" };
      addresses.push(reader.mailbox());
    } while (reader.more());
  } catch (err) {
    if (!(err instanceof Problem)) throw err;
    return { problem: err.message };
  }
  return { addresses };
}

/** The domains of everything in a text that looks like an address, in any context, at most `max`. */
export function mentionedDomains(text: string, max: number): string[] {
  const found = new Set<string>();
  const s = text.slice(0, maxLength);
  for (let at = s.indexOf("@"); at >= 0 && found.size < max; at = s.indexOf("@", at + 1)) {
    let start = at + 1;
    while (s[start] === " " || s[start] === "\t") start++;
    let end = start;
    while (end < s.length && !' \t"(),:;<>@[]\\=?'.includes(s[end])) end++;
    if (end > start) found.add(s.slice(start, end).toLowerCase());
  }
  return [...found];
}

/**
 * A header line that other programs may take for other fields: a continuation as the first line, or a line
 * without a name. Undefined if there is none.
 */
export function oddHeaderLine(header: Uint8Array): string | undefined {
  let first = true;
  for (let at = 0; at < header.length;) {
    const lf = header.indexOf(10, at);
    const end = lf < 0 ? header.length : lf + 1;
    const line = header.subarray(at, end);
    at = end;
    if (line[0] === 13 && line[1] === 10 || line[0] === 10) break;
    if (line[0] === 32 || line[0] === 9) {
      if (first) return "its first line begins with a blank";
    } else {
      const colon = line.indexOf(58);
      if (colon <= 0) return "a line of it is no field";
      for (let i = 0; i < colon; i++) {
        if (line[i] <= 32 || line[i] >= 127) return "a field's name has blanks or other characters";
      }
    }
    first = false;
  }
  return undefined;
}

/** All fields of a name. */
export function fieldsNamed(fields: readonly HeaderField[], name: string): HeaderField[] {
  return fields.filter((f) => f.name === name);
}
