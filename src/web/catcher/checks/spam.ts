/** Signs by which filters tell junk that every filter knows; what a trained one says depends on its training. @module */
import { Parser } from "htmlparser2";
import { getDomain } from "tldts";
import { linksOf } from "../links.ts";
import type { Checked, Finding } from "./types.ts";

/** Services that hide where links lead. */
const shorteners = new Set(
  "bit.ly t.co goo.gl tinyurl.com ow.ly is.gd buff.ly rebrand.ly cutt.ly shorturl.at".split(" "),
);
/** Characters of a text that the signs are looked for in. */
const maxText = 200_000;

/** Letters that are read, and pictures. */
function contents(html: string): { letters: number; pictures: number } {
  let [letters, pictures, hidden] = [0, 0, 0];
  const unread = new Set(["style", "script", "title", "head"]);
  const parser = new Parser({
    onopentag(name) {
      if (name === "img") pictures++;
      if (unread.has(name)) hidden++;
    },
    ontext(text) {
      if (hidden === 0) letters += text.trim().length;
    },
    onclosetag(name) {
      if (unread.has(name)) hidden--;
    },
  });
  parser.write(html.slice(0, maxText));
  parser.end();
  return { letters, pictures };
}

export function checkSpam(m: Checked): Finding[] {
  const found: Finding[] = [];
  const add = (Level: Finding["Level"], Text: string) => found.push({ Area: "spam", Level, Text });
  const subject = m.subject.trim();
  if (subject === "") add("warning", "The subject is empty.");
  else if (subject.length > 8 && subject === subject.toUpperCase() && /\p{Lu}{5}/u.test(subject)) {
    add("warning", "The subject is all in capitals.");
  }
  if (/[!?]{3,}/.test(subject) || (subject.match(/!/g)?.length ?? 0) > 2) {
    add("warning", "The subject has many exclamation marks.");
  }
  if (m.html !== "" && m.text.trim() === "") {
    add(
      "warning",
      "There is HTML but no text: multipart/alternative with both is what people's programs send.",
    );
  }
  const { letters, pictures } = contents(m.html);
  if (pictures > 0 && letters < 80) {
    add("warning", "It is nearly all pictures: filters and readers without pictures see nothing.");
  }
  const hosts = new Set(linksOf(m.text, m.html).map((u) => new URL(u).hostname));
  const short = [...hosts].filter((h) => shorteners.has(getDomain(h) ?? h));
  if (short.length > 0) add("warning", `Links of ${short.join(", ")} hide where they lead.`);
  const bare = [...hosts].filter((h) => /^(?:\d+\.){3}\d+$|^\[/.test(h));
  if (bare.length > 0) add("warning", `Links name hosts by number: ${bare.join(", ")}.`);
  if (hosts.size > 15) add("note", `Links lead to ${hosts.size} different hosts.`);
  if (/display\s*:\s*none|font-size\s*:\s*0|visibility\s*:\s*hidden/i.test(m.html)) {
    add("note", "Some text is hidden, as words for filters are; a preheader is, too.");
  }
  if (found.length === 0) add("ok", "None of the common signs of junk.");
  return found;
}
