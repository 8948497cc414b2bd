/**
 * Common signs of junk, each with points like the rules of well-known filters;
 * the verdict of a trained filter depends on its training.
 *
 * @module
 */
import { Parser } from "htmlparser2";
import { getDomain } from "tldts";
import { linksOf } from "../links.ts";
import type { Checked, Finding } from "./types.ts";

/** Services that hide where links lead. */
const shorteners = new Set(
  "bit.ly t.co goo.gl tinyurl.com ow.ly is.gd buff.ly rebrand.ly cutt.ly shorturl.at".split(" "),
);
/** Characters of a text searched for the signs. */
const maxText = 200_000;
/** The usual threshold in points above which filters consider a message junk. */
export const spamLimit = 5;

/** All points, to one decimal. */
export function spamScore(findings: readonly Finding[]): number {
  return Math.round(findings.reduce((sum, f) => sum + (f.Points ?? 0), 0) * 10) / 10;
}

/** Counts visible letters and pictures. */
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

export function checkSpam(checked: Checked): Finding[] {
  const found: Finding[] = [];
  const add = (Points: number, Rule: string, Text: string) =>
    found.push({ Area: "spam", Level: Points < 1 ? "note" : "warning", Text, Points, Rule });
  const subject = checked.subject.trim();
  if (subject === "") add(1.8, "EMPTY_SUBJECT", "The subject is empty.");
  else if (subject.length > 8 && subject === subject.toUpperCase() && /\p{Lu}{5}/u.test(subject)) {
    add(1.5, "CAPITALS_SUBJECT", "The subject is all in capitals.");
  }
  if (/[!?]{3,}/.test(subject) || (subject.match(/!/g)?.length ?? 0) > 2) {
    add(1, "EXCLAIMING_SUBJECT", "The subject has many exclamation marks.");
  }
  if (checked.html !== "" && checked.text.trim() === "") {
    add(
      1.1,
      "HTML_ONLY",
      "There is HTML but no text: multipart/alternative with both is what people's programs send.",
    );
  }
  const { letters, pictures } = contents(checked.html);
  if (pictures > 0 && letters < 80) {
    add(
      2,
      "PICTURES_ONLY",
      "It is nearly all pictures: filters and readers without pictures see nothing.",
    );
  }
  const hosts = new Set(linksOf(checked.text, checked.html).map((u) => new URL(u).hostname));
  const short = [...hosts].filter((h) => shorteners.has(getDomain(h) ?? h));
  if (short.length > 0) {
    add(1.5, "SHORT_LINKS", `Links of ${short.join(", ")} hide where they lead.`);
  }
  const bare = [...hosts].filter((h) => /^(?:\d+\.){3}\d+$|^\[/.test(h));
  if (bare.length > 0) {
    add(2.2, "NUMBERED_HOSTS", `Links name hosts by number: ${bare.join(", ")}.`);
  }
  if (hosts.size > 15) add(0.5, "MANY_HOSTS", `Links lead to ${hosts.size} different hosts.`);
  if (/display\s*:\s*none|font-size\s*:\s*0|visibility\s*:\s*hidden/i.test(checked.html)) {
    add(0.5, "HIDDEN_TEXT", "Some text is hidden, as words for filters are; a preheader is, too.");
  }
  if (found.length === 0) {
    found.push({ Area: "spam", Level: "ok", Text: "None of the common signs of junk." });
  }
  return found;
}
