/** The links of an HTML text with their visible text. One pass, linear. @module */
import { Parser } from "htmlparser2";

/** A link. */
export interface Anchor {
  /** The target as written. */
  target: string;
  /** The visible text of the link. */
  text: string;
}

/** What a reader sees of the HTML. */
export interface HtmlLinks {
  anchors: Anchor[];
  images: number;
  /** UTF-16 units of text, without spaces. */
  textLength: number;
}

/** Most links, and most UTF-16 units of each one's text and target. */
const maxAnchors = 200, maxAnchorText = 200, maxTarget = 1000;
const unseen = new Set(["style", "script", "title"]);

/** Reads links, images and the amount of text. Never fails, on any input. */
export function htmlLinks(html: string): HtmlLinks {
  const found: HtmlLinks = { anchors: [], images: 0, textLength: 0 };
  let open: Anchor | undefined;
  let hidden = 0;
  const parser = new Parser({
    onopentag(name, attributes) {
      if (unseen.has(name)) hidden++;
      if (name === "img") found.images++;
      if (name !== "a" || attributes.href === undefined) return;
      open = { target: attributes.href.trim().slice(0, maxTarget), text: "" };
      if (found.anchors.length < maxAnchors) found.anchors.push(open);
    },
    ontext(text) {
      if (hidden > 0) return;
      found.textLength += text.replace(/\s+/g, "").length;
      if (open && open.text.length < maxAnchorText) open.text += text.slice(0, maxAnchorText);
    },
    onclosetag(name) {
      if (name === "a") open = undefined;
      if (unseen.has(name) && hidden > 0) hidden--;
    },
  });
  parser.write(html);
  parser.end();
  return found;
}

const inText = /https?:\/\/[^\s"<>()]{1,1000}/gi;

/** Links written out in plain text. */
export function textLinks(text: string): Anchor[] {
  const anchors: Anchor[] = [];
  for (const [target] of text.matchAll(inText)) {
    if (anchors.push({ target, text: "" }) === maxAnchors) break;
  }
  return anchors;
}

/** The host of a web link, in lower case; undefined for other links and for anything else. */
export function hostOf(target: string): string | undefined {
  const m = /^\s*https?:\/\/([^/?#\\]{1,300})/i.exec(target);
  if (!m) return undefined;
  const host = m[1].slice(m[1].lastIndexOf("@") + 1).replace(/:\d*$/, "").toLowerCase();
  return host.includes(".") ? host.replace(/\.$/, "") : undefined;
}
