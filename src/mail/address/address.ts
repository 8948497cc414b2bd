/**
 * Address lists of header fields (RFC 5322 §3.4, §4.4; RFC 6532), as found in the wild.
 *
 * Never fails, and is linear: whatever the text, all recognisable addresses are returned.
 *
 * @module
 */
import { decodeWords } from "../header/words.ts";

export interface Address {
  /** Display name, encoded words decoded; "" if there is none. */
  name: string;
  /** The same before decoding. */
  rawName: string;
  /** Unquoted. */
  localpart: string;
  /** As written; "" if there is none. */
  domain: string;
  /** Obsolete source route (RFC 5322 §4.4), "@a.example,@b.example", if there was one. */
  route?: string;
}

export interface Group {
  /** Name, encoded words decoded. */
  group: string;
  /** The same before decoding, where it was read from a field. */
  rawGroup?: string;
  members: Address[];
}

/** Most addresses and groups of a field that are read, and most characters. */
export const addressLimits = { addresses: 10_000, characters: 256 * 1024 };
/** Deepest nesting of comments. */
const maxDepth = 100;

/** Words and marks of an address list. */
type Token =
  | { kind: "text"; text: string; blank: boolean }
  | { kind: "mark"; mark: string; blank: boolean }
  | { kind: "comment"; text: string };

function* tokens(s: string): Generator<Token> {
  let blank = false;
  /** False after an unterminated quote: what follows is read as if the quote weren't there. */
  let quotes = true;
  for (let i = 0; i < s.length;) {
    const c = s[i];
    if (c === " " || c === "\t" || c === "\r" || c === "\n" || c === "\0") {
      blank = true;
      i++;
    } else if (c === '"') {
      const start = ++i;
      if (!quotes) continue;
      let text = "";
      let from = start;
      while (i < s.length && s[i] !== '"') {
        if (s[i] === "\\" && i + 1 < s.length) {
          text += s.slice(from, i);
          from = ++i;
        }
        i++;
      }
      if (i >= s.length) {
        quotes = false;
        i = start;
        continue;
      }
      text += s.slice(from, i);
      i++;
      yield { kind: "text", text, blank };
      blank = false;
    } else if (c === "(") {
      let depth = 0;
      let text = "";
      for (; i < s.length; i++) {
        if (s[i] === "\\" && i + 1 < s.length) {
          text += s[++i];
          continue;
        }
        if (s[i] === "(" && depth++ === 0) continue;
        if (s[i] === ")" && --depth === 0) break;
        if (depth > maxDepth) depth = maxDepth;
        text += s[i];
      }
      i++;
      yield { kind: "comment", text: text.replaceAll("\0", "").trim() };
      blank = true;
    } else if (c === "[") {
      // A domain literal.
      let end = s.indexOf("]", i);
      end = end < 0 ? s.length : end + 1;
      yield { kind: "text", text: s.slice(i, end), blank };
      blank = false;
      i = end;
    } else if ("<>,;:@.".includes(c)) {
      yield { kind: "mark", mark: c, blank };
      blank = false;
      i++;
    } else {
      const from = i;
      while (i < s.length && !' \t\r\n\0"(<>,;:@.['.includes(s[i])) i++;
      yield { kind: "text", text: s.slice(from, i), blank };
      blank = false;
    }
  }
}

/** A word of an address list, or a dot or "@" between words. */
interface Word {
  text: string;
  /** Whether it follows a space. */
  blank: boolean;
  /** An "@" on its own. */
  at?: true;
}

const isDot = (w: Word) => w.text === ".";

/** Whether a word belongs to the one before it: spaces may surround dots and "@" (RFC 5322 §4.4). */
function joins(before: Word, word: Word): boolean {
  return !word.blank || isDot(word) || word.at === true || isDot(before) || before.at === true;
}

const textOf = (words: readonly Word[]) => words.map((w) => w.text).join("");

/** Words as written, with a single space where there were any. */
function phrase(words: readonly Word[]): string {
  let s = "";
  for (const w of words) s += (w.blank && s !== "" ? " " : "") + w.text;
  return s.trim();
}

/** The words of a domain: separate words after it are not part of it. */
function domainOf(words: readonly Word[]): string {
  let end = 0;
  while (end < words.length && (end === 0 || joins(words[end - 1], words[end]))) end++;
  return textOf(words.slice(0, end)).replace(/\)+$/, "");
}

/** Collects one address, or several without the comma between them. */
class Builder {
  /** Words before "<": the display name; or without "<", the address itself. */
  readonly #phrase: Word[] = [];
  #comment = "";
  /** Number of words before it. */
  #commentAt = 0;
  #hasAt = false;
  #angle: Word[] | undefined;
  #angleAt = -1;
  #route: string | undefined;
  /** After ">": further words are not part of this address. */
  closed = false;
  empty = true;

  text(text: string, blank: boolean): void {
    this.empty = false;
    if (this.#angle) {
      this.#angle.push({ text, blank });
      return;
    }
    // A comment before or within the domain does not name the address.
    if (this.#hasAt && this.#commentAt === this.#phrase.length) this.#comment = "";
    this.#phrase.push({ text, blank });
  }

  comment(text: string): void {
    this.#comment = text;
    this.#commentAt = this.#phrase.length;
  }

  /** Inside "<...>" with an obsolete route, the part before ":" is not part of the address. */
  route(): void {
    if (this.#angle) {
      if (this.inRoute) this.#route = `@${textOf(this.#angle)}`;
      this.#angle = [];
      this.#angleAt = -1;
    }
  }

  open(): void {
    this.empty = false;
    this.#angle = [];
    this.#angleAt = -1;
  }

  close(): void {
    this.closed = this.#angle !== undefined;
  }

  /** Only words: a local name, or part of the name that follows. */
  get isWords(): boolean {
    return !this.empty && !this.#angle && !this.#hasAt && this.#comment === "";
  }

  /** A name followed by an address in brackets. */
  get isNamed(): boolean {
    return this.#angle !== undefined && this.#angleAt > 0 && this.words !== "";
  }

  get inAngle(): boolean {
    return this.#angle !== undefined;
  }

  /** Inside "<@...": no localpart comes before the "@". */
  get inRoute(): boolean {
    return this.#angleAt === 0;
  }

  at(blank: boolean): void {
    this.empty = false;
    if (this.#angle) {
      // The domains of a route are put aside at its ":".
      if (this.#angleAt === 0) {
        this.#angle.push({ text: ",@", blank: false });
        return;
      }
      // Of several, the last one precedes the domain.
      if (this.#angleAt > 0) this.#angle.splice(this.#angleAt, 0, { text: "@", blank: false });
      this.#angleAt = this.#angle.length;
    } else {
      // A comment within an address does not name it, unlike one around it.
      if (this.#commentAt > 0 && this.#commentAt === this.#phrase.length) this.#comment = "";
      // If an address takes the place of a name, its "@" is shown: readers should see what was written.
      this.#phrase.push({ text: "@", blank, at: true });
      this.#hasAt = true;
    }
  }

  get words(): string {
    return phrase(this.#phrase);
  }

  finish(): Address[] {
    if (this.empty) return [];
    if (this.#angle) {
      const at = this.#angleAt;
      const localpart = textOf(at < 0 ? this.#angle : this.#angle.slice(0, at));
      const domain = at < 0 ? "" : domainOf(this.#angle.slice(at));
      if (localpart === "" && domain === "" && this.words === "") return [];
      const a = named(this.words, localpart, domain);
      return [this.#route === undefined ? a : { ...a, route: this.#route }];
    }
    if (!this.#hasAt) {
      // Not an address: a local name, as written by old programs; several words, or encoded ones, are just a
      // name.
      const words = this.words;
      if (words === "") return [];
      const isName = /\s/.test(words) || decodeWords(words) !== words;
      return [isName ? named(words, "", "") : named(this.#comment, words, "")];
    }
    return this.#withoutBrackets();
  }

  /**
   * Addresses without brackets; separate words before one are its name, those after the last belong to none.
   */
  #withoutBrackets(): Address[] {
    const found: Address[] = [];
    let name: Word[] = [];
    const words = this.#phrase;
    for (let from = 0; from < words.length;) {
      let to = from + 1;
      let at = words[from].at ? from : -1;
      for (; to < words.length && joins(words[to - 1], words[to]); to++) if (words[to].at) at = to;
      const run = words.slice(from, to);
      if (at < 0) {
        name.push(...run);
      } else {
        const localpart = textOf(run.slice(0, at - from));
        found.push(named(phrase(name), localpart, domainOf(run.slice(at - from + 1))));
        name = [];
      }
      from = to;
    }
    const [first] = found;
    return found.length === 1 && first.name === "" && this.#comment !== ""
      ? [named(this.#comment, first.localpart, first.domain)]
      : found;
  }
}

function named(rawName: string, localpart: string, domain: string): Address {
  rawName = rawName.trim();
  return { name: decodeWords(rawName), rawName, localpart, domain };
}

/**
 * Addresses and groups of a field's value (unfolded), within the limits: an address that crosses a limit is
 * left out.
 * @param joinNames for received fields: in `Doe, John <john@x.example>`, where quotes are missing, the name is
 * `Doe, John`. When a user is typing, "Doe" may be an incomplete address.
 */
export function parseAddressList(
  value: string,
  { addresses: maxAddresses, characters } = addressLimits,
  joinNames = false,
): (Address | Group)[] {
  if (value.length > characters) {
    value = value.slice(0, value.lastIndexOf(",", characters) + 1);
  }
  const list: (Address | Group)[] = [];
  let group: Group | undefined;
  let b = new Builder();
  let count = 0;
  const words = new Set<Address>();
  /** True after an address without a comma: another one may follow. */
  let behind = false;
  const flush = () => {
    const to: (Address | Group)[] = group ? group.members : list;
    for (let a of b.finish()) {
      if (behind && (a.localpart === "" || a.domain === "")) continue;
      if (++count > maxAddresses) break;
      if (joinNames && b.isWords) words.add(a);
      if (joinNames && b.isNamed) {
        for (
          let last = to.at(-1);
          last && !("group" in last) && words.has(last);
          last = to.at(-1)
        ) {
          to.pop();
          a = { ...a, rawName: `${last.rawName || last.localpart}, ${a.rawName}` };
        }
        a.name = decodeWords(a.rawName);
      }
      to.push(a);
    }
    b = new Builder();
    behind = false;
  };
  for (const t of tokens(value)) {
    if (count > maxAddresses) break;
    if (t.kind === "comment") {
      b.comment(t.text);
      continue;
    }
    const mark = t.kind === "mark" ? t.mark : "";
    if (b.closed && (mark === "" || mark === "<" || mark === "@")) {
      flush();
      behind = true;
    }
    if (t.kind === "text") {
      b.text(t.text, t.blank);
      continue;
    }
    switch (t.mark) {
      case "<":
        b.open();
        break;
      case ">":
        b.close();
        break;
      case "@":
        b.at(t.blank);
        break;
      case ".":
        if (!b.closed) b.text(".", t.blank);
        break;
      case ":":
        if (b.closed) break;
        if (b.inAngle) {
          b.route();
        } else if (!group) {
          if (++count > maxAddresses) break;
          group = { group: decodeWords(b.words), rawGroup: b.words, members: [] };
          list.push(group);
          b = new Builder();
        }
        break;
      case ";":
        flush();
        // Outlook's users put it between addresses.
        words.clear();
        group = undefined;
        break;
      case ",":
        // In a route, commas stand between domains.
        if (!b.inRoute) flush();
        break;
    }
  }
  flush();
  return list;
}

/** All addresses, including those of groups. */
export function flattenAddresses(list: readonly (Address | Group)[]): Address[] {
  return list.flatMap((a) => "group" in a ? a.members : [a]);
}
