/**
 * A pull parser for the XML of DMARC reports: elements and text, nothing else. Bounded, linear, total
 * (a value or a {@link ReportError}).
 *
 * Namespace prefixes are removed; attributes, comments and processing instructions are skipped. A
 * DOCTYPE is refused: no valid report needs one, and entity expansion attacks use it.
 *
 * @module
 */
import { ReportError } from "./errors.ts";

/** Elements within elements. */
export const maxDepth = 32;
/** Elements of one document; a record of a DMARC report has some 20. */
export const maxElements = 1_000_000;
/** Characters of one element's own text; the rest is cut off. */
export const maxElementText = 4096;

/** An element with its children. */
export interface XmlElement {
  name: string;
  /** Own text, trimmed. */
  text: string;
  children: XmlElement[];
}

const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Decodes a document by its byte order mark, else the declared encoding, else UTF-8. */
export function decodeXml(data: Uint8Array): string {
  let label = "utf-8";
  if (data[0] === 0xff && data[1] === 0xfe) label = "utf-16le";
  else if (data[0] === 0xfe && data[1] === 0xff) label = "utf-16be";
  else {
    const head = new TextDecoder("latin1").decode(data.subarray(0, 200));
    const at = head.startsWith("<?xml") ? head.indexOf("encoding=") : -1;
    if (at >= 0 && at < head.indexOf("?>")) {
      const quote = head[at + 9];
      const end = head.indexOf(quote, at + 10);
      if ((quote === '"' || quote === "'") && end > 0) label = head.slice(at + 10, end);
    }
  }
  try {
    return new TextDecoder(label).decode(data);
  } catch {
    return new TextDecoder().decode(data);
  }
}

/** Reads a document from its start, element by element. */
export class XmlReader {
  readonly #s: string;
  #pos = 0;
  #elements = 0;
  /** Names of open elements, with prefix. */
  readonly #open: string[] = [];
  /** Set after `<x/>`: its end event is pending. */
  #selfClosed = false;
  #seenRoot = false;

  constructor(text: string) {
    this.#s = text;
  }

  /** Number of open elements. */
  get depth(): number {
    return this.#open.length;
  }

  /**
   * The next event; undefined at the end of the root element. Text is returned in pieces. Anything after the
   * root element is not read.
   * @throws ReportError with syntax or limit
   */
  next(): { kind: "start" | "end" | "text"; value: string } | undefined {
    if (this.#selfClosed) {
      this.#selfClosed = false;
      return { kind: "end", value: local(this.#open.pop()!) };
    }
    const s = this.#s;
    for (;;) {
      if (this.#seenRoot && this.#open.length === 0) return undefined;
      if (this.#pos >= s.length) {
        throw this.#error(this.#seenRoot ? "document is cut off" : "no XML element");
      }
      if (s[this.#pos] !== "<") {
        let lt = s.indexOf("<", this.#pos);
        if (lt < 0) lt = s.length;
        const raw = s.slice(this.#pos, lt);
        this.#pos = lt;
        if (this.#open.length > 0) return { kind: "text", value: decodeText(raw) };
        if (raw.trim() !== "" && raw.trim() !== "\ufeff") {
          throw this.#error("text before the root element");
        }
        continue;
      }
      if (s.startsWith("<!--", this.#pos)) {
        this.#skipPast("-->", 4);
      } else if (s.startsWith("<![CDATA[", this.#pos)) {
        const start = this.#pos + 9;
        this.#skipPast("]]>", 9);
        if (this.#open.length > 0) return { kind: "text", value: s.slice(start, this.#pos - 3) };
      } else if (s.startsWith("<?", this.#pos)) {
        this.#skipPast("?>", 2);
      } else if (s.startsWith("<!", this.#pos)) {
        throw this.#error("document type declarations are refused");
      } else if (s[this.#pos + 1] === "/") {
        return this.#endTag();
      } else {
        return this.#startTag();
      }
    }
  }

  #error(what: string, code: "syntax" | "limit" = "syntax"): ReportError {
    return new ReportError(code, `XML: ${what} (at character ${this.#pos})`);
  }

  #skipPast(terminator: string, from: number): void {
    const at = this.#s.indexOf(terminator, this.#pos + from);
    if (at < 0) throw this.#error(`no ${terminator}`);
    this.#pos = at + terminator.length;
  }

  #endTag(): { kind: "end"; value: string } {
    const gt = this.#s.indexOf(">", this.#pos);
    if (gt < 0) throw this.#error("unfinished tag");
    const name = gt - this.#pos > 200 ? "" : this.#s.slice(this.#pos + 2, gt).trimEnd();
    if (name === "" || this.#open.at(-1) !== name) throw this.#error("unexpected end tag");
    this.#open.pop();
    this.#pos = gt + 1;
    return { kind: "end", value: local(name) };
  }

  #startTag(): { kind: "start"; value: string } {
    const s = this.#s;
    let i = this.#pos + 1;
    while (i < s.length && i - this.#pos < 200 && !" \t\r\n/>=<\"'".includes(s[i])) i++;
    const name = s.slice(this.#pos + 1, i);
    if (name === "") throw this.#error("tag without a name");
    // Attributes: only their end matters, and ">" is allowed in quotes.
    for (;;) {
      const c = s[i];
      if (c === undefined || c === "<") throw this.#error("unfinished tag");
      if (c === ">") break;
      if (c === '"' || c === "'") {
        i = s.indexOf(c, i + 1);
        if (i < 0) throw this.#error("unfinished attribute");
      }
      i++;
    }
    if (this.#open.length >= maxDepth) throw this.#error(`deeper than ${maxDepth}`, "limit");
    if (++this.#elements > maxElements) {
      throw this.#error(`more than ${maxElements} elements`, "limit");
    }
    this.#selfClosed = s[i - 1] === "/";
    this.#open.push(name);
    this.#seenRoot = true;
    this.#pos = i + 1;
    return { kind: "start", value: local(name) };
  }

  /** After the start event of an element: the rest of it, as a tree. */
  element(name: string): XmlElement {
    const root: XmlElement = { name, text: "", children: [] };
    const stack = [root];
    for (;;) {
      const e = this.next();
      const top = stack[stack.length - 1];
      // next() throws before the document ends within an element.
      if (!e) return root;
      if (e.kind === "text") {
        if (top.text.length < maxElementText) {
          top.text = (top.text + e.value).slice(0, maxElementText);
        }
      } else if (e.kind === "start") {
        const child: XmlElement = { name: e.value, text: "", children: [] };
        top.children.push(child);
        stack.push(child);
      } else {
        top.text = top.text.trim();
        stack.pop();
        if (stack.length === 0) return root;
      }
    }
  }
}

function local(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** Text with XML references decoded; others are unchanged. */
function decodeText(raw: string): string {
  let at = raw.indexOf("&");
  if (at < 0) return raw;
  let out = "", done = 0;
  for (; at >= 0; at = raw.indexOf("&", at + 1)) {
    const end = raw.slice(at + 1, at + 12).indexOf(";");
    if (end <= 0) continue;
    const name = raw.slice(at + 1, at + 1 + end);
    let c: string | undefined;
    if (Object.hasOwn(entities, name)) c = entities[name];
    else if (/^#(x[0-9a-fA-F]{1,6}|[0-9]{1,7})$/.test(name)) {
      const n = name[1] === "x" ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
      if (n > 0 && n <= 0x10ffff && !(n >= 0xd800 && n < 0xe000)) c = String.fromCodePoint(n);
    }
    if (c === undefined) continue;
    out += raw.slice(done, at) + c;
    done = at + end + 2;
  }
  return out + raw.slice(done);
}

/** Text for an element's content; characters that XML 1.0 forbids are left out. */
export function escapeXml(s: string): string {
  let out = "";
  for (const c of s) {
    const n = c.codePointAt(0)!;
    if (
      n < 0x20 && n !== 9 && n !== 10 && n !== 13 || n >= 0xd800 && n < 0xe000 || n === 0xfffe ||
      n === 0xffff
    ) {
      continue;
    }
    out += c === "&" ? "&amp;" : c === "<" ? "&lt;" : c === ">" ? "&gt;" : c === "\r" ? "&#13;" : c;
  }
  return out;
}
