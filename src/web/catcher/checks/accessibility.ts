/** Whether HTML is accessible with a screen reader and low vision (WCAG 2.2, as far as it applies to mail). @module */
import { Parser } from "htmlparser2";
import type { Checked, Finding } from "./types.ts";

/** Characters of HTML that are checked, and findings listed per kind. */
const maxHtml = 2_000_000;

const vague = /^(?:click here|here|more|read more|link|hier|mehr|ici|aquí)$/i;

/** Pixels below which text is hard to read. */
const smallText = 12;

interface Seen {
  language: boolean;
  title: boolean;
  withoutAlt: number;
  /** Tables marked as layout, and those that neither are marked nor have headers. */
  dataTables: number;
  vagueLinks: number;
  emptyLinks: number;
  headings: number[];
  small: number;
}

function look(html: string): Seen {
  const seen: Seen = {
    language: false,
    title: false,
    withoutAlt: 0,
    dataTables: 0,
    vagueLinks: 0,
    emptyLinks: 0,
    headings: [],
    small: 0,
  };
  let link: { text: string } | undefined;
  let inTitle = false;
  const tables: { role: boolean; headers: boolean }[] = [];
  const parser = new Parser({
    onopentag(name, a) {
      if (name === "html" && (a.lang ?? "") !== "") seen.language = true;
      if (name === "title") inTitle = true;
      if (name === "img") {
        if (a.alt === undefined) seen.withoutAlt++;
        if (link !== undefined) link.text += a.alt ?? "";
      }
      if (name === "a" && a.href !== undefined) link = { text: a["aria-label"] ?? "" };
      if (/^h[1-6]$/.test(name)) seen.headings.push(Number(name[1]));
      if (name === "table") {
        tables.push({ role: /^(?:presentation|none)$/.test(a.role ?? ""), headers: false });
      }
      if (name === "th" && tables.length > 0) tables.at(-1)!.headers = true;
      const px = /font-size\s*:\s*(\d{1,3}(?:\.\d{1,3})?)px/i.exec(a.style ?? "");
      if (px !== null && Number(px[1]) > 0 && Number(px[1]) < smallText) seen.small++;
    },
    ontext(text) {
      if (inTitle && text.trim() !== "") seen.title = true;
      if (link !== undefined) link.text += text;
    },
    onclosetag(name) {
      if (name === "title") inTitle = false;
      if (name === "a" && link !== undefined) {
        const text = link.text.trim();
        if (text === "") seen.emptyLinks++;
        else if (vague.test(text)) seen.vagueLinks++;
        link = undefined;
      }
      if (name === "table") {
        const t = tables.pop();
        if (t !== undefined && !t.role && !t.headers) seen.dataTables++;
      }
    },
  });
  parser.write(html.slice(0, maxHtml));
  parser.end();
  return seen;
}

const count = (n: number, one: string, many: string) => n === 1 ? `1 ${one}` : `${n} ${many}`;

export function checkAccessibility(checked: Checked): Finding[] {
  if (checked.html === "") return [];
  const s = look(checked.html);
  const found: Finding[] = [];
  const warn = (Text: string) => found.push({ Area: "accessibility", Level: "warning", Text });
  const note = (Text: string) => found.push({ Area: "accessibility", Level: "note", Text });
  if (s.withoutAlt > 0) {
    warn(
      `${
        count(s.withoutAlt, "picture has", "pictures have")
      } no alt: say what they show, "" for ornaments.`,
    );
  }
  if (!s.language) warn("<html> has no lang: screen readers guess how to speak it.");
  if (s.emptyLinks > 0) warn(`${count(s.emptyLinks, "link has", "links have")} no text.`);
  if (s.dataTables > 0) {
    note(
      `${count(s.dataTables, "table has", "tables have")} no headers and no role="presentation": ` +
        "tables for layout are read out cell by cell.",
    );
  }
  if (s.vagueLinks > 0) {
    note(`${count(s.vagueLinks, "link says", "links say")} only "click here" or the like.`);
  }
  if (s.small > 0) note(`${count(s.small, "text is", "texts are")} smaller than 12 px.`);
  const jump = s.headings.findIndex((h, i) => i > 0 && h > s.headings[i - 1] + 1);
  if (jump > 0) note(`A heading h${s.headings[jump]} follows an h${s.headings[jump - 1]}.`);
  if (!s.title) note("There is no <title>, which some programs show for a message of its own.");
  if (found.length === 0) {
    found.push({ Area: "accessibility", Level: "ok", Text: "Nothing stands in the way." });
  }
  return found;
}
