/**
 * Address lists of header fields (RFC 5322 §3.4, §4.4; RFC 6532), as found in the wild.
 *
 * Total and linear: whatever the text, the addresses that can be made out are returned.
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
  group: string;
  members: Address[];
}

/** Addresses and groups of a field that are looked at, and characters. */
export const addressLimits = { addresses: 10_000, characters: 256 * 1024 };
/** Comments nest no deeper. */
const maxDepth = 100;

/** Words and marks of an address list. */
type Token =
  | { kind: "text"; text: string; quoted: boolean; blank: boolean }
  | { kind: "mark"; mark: string }
  | { kind: "comment"; text: string };

function* tokens(s: string): Generator<Token> {
  let blank = false;
  for (let i = 0; i < s.length;) {
    const c = s[i];
    if (c === " " || c === "\t" || c === "\r" || c === "\n" || c === "\0") {
      blank = true;
      i++;
    } else if (c === '"') {
      let text = "";
      let from = ++i;
      while (i < s.length && s[i] !== '"') {
        if (s[i] === "\\" && i + 1 < s.length) {
          text += s.slice(from, i);
          from = ++i;
        }
        i++;
      }
      text += s.slice(from, i);
      i++;
      yield { kind: "text", text, quoted: true, blank };
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
      yield { kind: "text", text: s.slice(i, end), quoted: false, blank };
      blank = false;
      i = end;
    } else if ("<>,;:@.".includes(c)) {
      yield { kind: "mark", mark: c };
      // A dot within words needs to know of blanks around it; other marks separate anyway.
      blank = false;
      i++;
    } else {
      const from = i;
      while (i < s.length && !' \t\r\n\0"(<>,;:@.['.includes(s[i])) i++;
      yield { kind: "text", text: s.slice(from, i), quoted: false, blank };
      blank = false;
    }
  }
}

/** Collects one address. */
class Builder {
  /** Words before "<": the display name; or without "<", the address itself. */
  #phrase: { text: string; quoted: boolean; blank: boolean }[] = [];
  #comment = "";
  /** Words before it. */
  #commentAt = 0;
  #angle: string[] | undefined;
  #angleAt = -1;
  #route: string | undefined;
  #at = -1;
  empty = true;

  text(text: string, quoted: boolean, blank: boolean): void {
    this.empty = false;
    if (this.#angle) {
      this.#angle.push(text);
      return;
    }
    // The same of one before the domain, or within it.
    if (this.#at >= 0 && this.#commentAt === this.#phrase.length) this.#comment = "";
    this.#phrase.push({ text, quoted, blank });
  }

  comment(text: string): void {
    this.#comment = text;
    this.#commentAt = this.#phrase.length;
  }

  /** Inside "<...>" of an obsolete route, what came before ":" is no part of the address. */
  route(): void {
    if (this.#angle) {
      if (this.inRoute) this.#route = `@${this.#angle.join("")}`;
      this.#angle = [];
      this.#angleAt = -1;
    }
  }

  open(): void {
    this.empty = false;
    this.#angle = [];
    this.#angleAt = -1;
  }

  get inAngle(): boolean {
    return this.#angle !== undefined;
  }

  /** Inside "<@...": no localpart comes before the "@". */
  get inRoute(): boolean {
    return this.#angleAt === 0;
  }

  at(): void {
    this.empty = false;
    if (this.#angle) {
      // The domains of a route are put aside at its ":".
      if (this.#angleAt === 0) {
        this.#angle.push(",@");
        return;
      }
      // Of several, the last one is before the domain.
      if (this.#angleAt > 0) this.#angle.splice(this.#angleAt, 0, "@");
      this.#angleAt = this.#angle.length;
    } else {
      // A comment within an address is no name of it, unlike one around it.
      if (this.#commentAt > 0 && this.#commentAt === this.#phrase.length) this.#comment = "";
      const text = { text: "@", quoted: false, blank: false };
      if (this.#at >= 0) this.#phrase.splice(this.#at, 0, text);
      this.#at = this.#phrase.length;
    }
  }

  get words(): string {
    let s = "";
    for (const [i, w] of this.#phrase.entries()) {
      // Of an address in place of a name the "@" is shown: who reads it should know what stands there.
      if (i === this.#at) s += "@";
      s += (w.blank && s !== "" ? " " : "") + w.text;
    }
    return (this.#at === this.#phrase.length && this.#at > 0 ? `${s}@` : s).trim();
  }

  finish(): Address | undefined {
    if (this.empty) return undefined;
    if (this.#angle) {
      const at = this.#angleAt;
      const localpart = (at < 0 ? this.#angle : this.#angle.slice(0, at)).join("");
      const domain = at < 0 ? "" : this.#angle.slice(at).join("");
      if (localpart === "" && domain === "" && this.words === "") return undefined;
      const a = named(this.words, localpart, domain);
      return this.#route === undefined ? a : { ...a, route: this.#route };
    }
    if (this.#at < 0) {
      // No address at all: a local name, as old programs write them; several words are just a name.
      const words = this.words;
      if (words === "") return undefined;
      return /\s/.test(words) ? named(words, "", "") : named(this.#comment, words, "");
    }
    // Words before the last one ahead of "@" that stand apart are a name without brackets.
    const before = this.#phrase.slice(0, this.#at);
    let start = before.length;
    // RFC 5322 §4.4: blanks may stand beside the dots of a localpart.
    const joined = (i: number) => !before[i].blank || before[i - 1].text === ".";
    while (start > 0 && (start === before.length || joined(start))) start--;
    const localpart = before.slice(start).map((w) => w.text).join("");
    const domain = this.#phrase.slice(this.#at).map((w) => w.text).join("");
    let name = "";
    for (const w of before.slice(0, start)) name += (w.blank && name !== "" ? " " : "") + w.text;
    return named(name || this.#comment, localpart, domain);
  }
}

function named(rawName: string, localpart: string, domain: string): Address {
  rawName = rawName.trim();
  return { name: decodeWords(rawName), rawName, localpart, domain };
}

/**
 * Addresses and groups of a field's value (unfolded), as far as the limits go: of an address that stands across the
 * limit nothing is taken.
 */
export function parseAddressList(
  value: string,
  { addresses: maxAddresses, characters } = addressLimits,
): (Address | Group)[] {
  if (value.length > characters) {
    value = value.slice(0, value.lastIndexOf(",", characters) + 1);
  }
  const list: (Address | Group)[] = [];
  let group: Group | undefined;
  let b = new Builder();
  let count = 0;
  const flush = () => {
    const a = b.finish();
    b = new Builder();
    if (!a || ++count > maxAddresses) return;
    if (group) group.members.push(a);
    else list.push(a);
  };
  for (const t of tokens(value)) {
    if (count > maxAddresses) break;
    if (t.kind === "comment") {
      b.comment(t.text);
    } else if (t.kind === "text") {
      b.text(t.text, t.quoted, t.blank);
    } else {
      switch (t.mark) {
        case "<":
          b.open();
          break;
        case ">":
          break;
        case "@":
          b.at();
          break;
        case ".":
          b.text(".", false, false);
          break;
        case ":":
          if (b.inAngle) {
            b.route();
          } else if (!group) {
            if (++count > maxAddresses) break;
            group = { group: decodeWords(b.words), members: [] };
            list.push(group);
            b = new Builder();
          }
          break;
        case ";":
          flush();
          group = undefined;
          break;
        case ",":
          // In a route, commas stand between domains.
          if (!b.inRoute) flush();
          break;
      }
    }
  }
  flush();
  return list;
}

/** All addresses, those of groups too. */
export function flattenAddresses(list: readonly (Address | Group)[]): Address[] {
  return list.flatMap((a) => "group" in a ? a.members : [a]);
}
