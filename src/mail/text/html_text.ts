/**
 * The text that a reader of an HTML part sees, for previews and the junk filter: one pass, linear, never fails.
 * Neither a renderer nor a sanitiser.
 *
 * Tags within a line don't break words, because spammers write `via<b></b>gra` and `via<!-- -->gra`; block tags
 * do.
 *
 * @module
 */
import { decodeHTML } from "entities";

/** Tags whose content is not text for people. */
const skipped = new Set(["script", "style", "svg", "template", "noscript", "xml"]);
/** Tags that don't end a word. All others do. */
const inline = new Set(
  "a abbr acronym b bdi bdo big cite code em font i ins kbd mark q s samp small span strike strong sub sup tt u var wbr o:p"
    .split(" "),
);
/** Text with all of HTML's character references decoded. */
export function decodeEntities(s: string): string {
  return s.includes("&") ? decodeHTML(s) : s;
}

/** Text and link targets of an HTML part. */
export interface HtmlText {
  text: string;
  /** Values of href, src and action attributes, at most 200. */
  links: string[];
}

/**
 * Strips HTML. Work is linear in the length of the text.
 * @param o.shown leave out texts that aren't part of the page: its title, alternative texts of images
 */
export function htmlText(html: string, o: { shown?: boolean } = {}): HtmlText {
  const links: string[] = [];
  const out: string[] = [];
  let pos = 0;
  // A failed search for a terminator fails for the rest too, so it is not repeated.
  let noMoreComments = false;
  while (pos < html.length) {
    const lt = html.indexOf("<", pos);
    if (lt < 0) {
      out.push(html.slice(pos));
      break;
    }
    if (lt > pos) out.push(html.slice(pos, lt));
    const c = html[lt + 1] ?? "";
    if (c === "!" || c === "?") {
      let end = -1;
      if (html.startsWith("<!--", lt) && !noMoreComments) {
        end = html.indexOf("-->", lt + 4);
        if (end < 0) noMoreComments = true;
        else end += 2;
      }
      if (end < 0) end = html.indexOf(">", lt);
      if (end < 0) break;
      pos = end + 1;
      continue;
    }
    if (c !== "/" && !/[a-zA-Z]/.test(c)) {
      out.push("<");
      pos = lt + 1;
      continue;
    }
    const tag = readTag(html, lt);
    pos = tag.end;
    if (!inline.has(tag.name)) out.push(" ");
    for (const [name, value] of tag.attributes) {
      if ((name === "href" || name === "src" || name === "action") && links.length < 200) {
        links.push(decodeEntities(value).slice(0, 1000));
      } else if (!o.shown && (name === "alt" || name === "title")) {
        out.push(` ${value} `);
      }
    }
    const skip = skipped.has(tag.name) || (o.shown === true && tag.name === "title");
    if (!tag.closing && skip) pos = skipContent(html, pos, tag.name);
  }
  return { text: decodeEntities(out.join("")), links };
}

interface Tag {
  name: string;
  closing: boolean;
  attributes: [string, string][];
  /** Position after the tag. */
  end: number;
}

/** Most attributes read of an element. */
const maxAttributes = 50;

function readTag(html: string, lt: number): Tag {
  const closing = html[lt + 1] === "/";
  let i = lt + (closing ? 2 : 1);
  const start = i;
  while (i < html.length && !isBreak(html.charCodeAt(i))) i++;
  const name = html.slice(start, Math.min(i, start + 20)).toLowerCase();
  const attributes: [string, string][] = [];
  while (i < html.length) {
    const c = html.charCodeAt(i);
    if (c === 0x3e) return { name, closing, attributes, end: i + 1 };
    if (isBreak(c)) {
      i++;
      continue;
    }
    const nameStart = i;
    // The first character is always consumed, so that there is progress.
    for (i++; i < html.length; i++) {
      const d = html.charCodeAt(i);
      if (isBreak(d) || d === 0x3d) break;
    }
    const attribute = html.slice(nameStart, Math.min(i, nameStart + 20)).toLowerCase();
    while (i < html.length && isSpace(html.charCodeAt(i))) i++;
    if (html[i] !== "=") continue;
    i++;
    while (i < html.length && isSpace(html.charCodeAt(i))) i++;
    const quote = html[i];
    let value: string;
    if (quote === '"' || quote === "'") {
      const end = html.indexOf(quote, i + 1);
      if (end < 0) {
        // An unclosed quote: the rest is not visible text.
        return { name, closing, attributes, end: html.length };
      }
      value = html.slice(i + 1, end);
      i = end + 1;
    } else {
      const valueStart = i;
      while (i < html.length && !isSpace(html.charCodeAt(i)) && html[i] !== ">") i++;
      value = html.slice(valueStart, i);
    }
    if (attributes.length < maxAttributes) attributes.push([attribute, value]);
  }
  return { name, closing, attributes, end: html.length };
}

function isSpace(c: number): boolean {
  return c === 0x20 || c >= 0x09 && c <= 0x0d;
}
function isBreak(c: number): boolean {
  return isSpace(c) || c === 0x3e || c === 0x2f;
}

/** Position of the end tag of a skipped element, or the end. */
function skipContent(html: string, from: number, name: string): number {
  for (let i = html.indexOf("</", from); i >= 0; i = html.indexOf("</", i + 2)) {
    if (html.slice(i + 2, i + 2 + name.length).toLowerCase() === name) return i;
  }
  return html.length;
}
