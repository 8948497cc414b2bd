/**
 * The search bar's language: words, and conditions such as `from:ann`, `-subject:"weekly report"`,
 * `is:unread`, `has:attachment`, `after:2026-05-01`, `larger:2mb`, `label:work`, `header:list-id=deno`.
 *
 * @module
 */
import type { Filter, Flag } from "../../api/mod.ts";
import { t } from "../../lib/text.ts";

/** Conditions by name, with an example for completion and help. */
export const conditions: readonly { name: string; example: string; what: string }[] = [
  { name: "from", example: "from:ann", what: t("Sender") },
  { name: "to", example: "to:team@example.org", what: t("To, Cc or Bcc") },
  { name: "subject", example: 'subject:"weekly report"', what: t("Subject") },
  { name: "has", example: "has:attachment", what: t("With attachments") },
  {
    name: "is",
    example: "is:unread",
    what: t("unread, read, flagged, answered, forwarded, draft, junk, notjunk"),
  },
  { name: "label", example: "label:work", what: t("Keyword") },
  { name: "after", example: "after:2026-05-01", what: t("Received on that day or later") },
  { name: "before", example: "before:2026-06-01", what: t("Received before that day") },
  { name: "larger", example: "larger:2mb", what: t("Size above") },
  { name: "smaller", example: "smaller:100kb", what: t("Size below") },
  { name: "header", example: "header:list-id=deno", what: t("Any header field") },
];

/** Values of `is:` and the flag that each stands for. */
export const states: Record<string, { flag: Flag; on: boolean }> = {
  unread: { flag: "seen", on: false },
  read: { flag: "seen", on: true },
  flagged: { flag: "flagged", on: true },
  answered: { flag: "answered", on: true },
  forwarded: { flag: "forwarded", on: true },
  draft: { flag: "draft", on: true },
  junk: { flag: "junk", on: true },
  notjunk: { flag: "notjunk", on: true },
};

/** The same for people. */
export const stateWords: Record<keyof typeof states, string> = {
  unread: t("Unread"),
  read: t("Read"),
  flagged: t("Flagged"),
  answered: t("Answered"),
  forwarded: t("Forwarded"),
  draft: t("Draft"),
  junk: t("Junk"),
  notjunk: t("Not junk"),
};

/** A token of a search text. */
export interface Token {
  not: boolean;
  /** "" for plain words. */
  name: string;
  value: string;
}

/** Splits a text into tokens; quotes keep spaces together. Never fails. */
export function tokens(text: string): Token[] {
  const out: Token[] = [];
  let i = 0;
  while (i < text.length) {
    if (/\s/.test(text[i])) {
      i++;
      continue;
    }
    let not = false;
    if (text[i] === "-" && i + 1 < text.length && !/\s/.test(text[i + 1])) {
      not = true;
      i++;
    }
    let name = "";
    const m = /^([a-z]+):/i.exec(text.slice(i, i + 30));
    if (m !== null && conditions.some((c) => c.name === m[1].toLowerCase())) {
      name = m[1].toLowerCase();
      i += m[0].length;
    }
    let value = "";
    while (i < text.length && !/\s/.test(text[i])) {
      if (text[i] === '"') {
        const end = text.indexOf('"', i + 1);
        value += text.slice(i + 1, end < 0 ? undefined : end);
        i = end < 0 ? text.length : end + 1;
      } else value += text[i++];
    }
    if (value !== "" || name !== "") out.push({ not, name, value });
  }
  return out;
}

/** Local midnight of a day such as "2026-05-01", or of a number of days ago such as "7d". */
function day(value: string): number | undefined {
  const ago = /^(\d{1,5})d$/.exec(value);
  if (ago !== null) {
    const d = new Date();
    d.setHours(0, 0, 0, 0);
    d.setDate(d.getDate() - Number(ago[1]));
    return d.getTime();
  }
  const m = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(value);
  if (m === null) return undefined;
  const at = new Date(Number(m[1]), Number(m[2]) - 1, Number(m[3])).getTime();
  return Number.isNaN(at) ? undefined : at;
}

function bytes(value: string): number | undefined {
  const m = /^(\d{1,12})(b|kb|mb|gb|k|m|g)?$/i.exec(value);
  if (m === null) return undefined;
  const unit = (m[2] ?? "b").toLowerCase()[0];
  return Number(m[1]) *
    { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit as "b" | "k" | "m" | "g"];
}

/** What a text asks for, and the parts of it that can't be understood. */
export function parseSearch(text: string): { filter: Filter; problems: string[] } {
  const f: Filter = {};
  const problems: string[] = [];
  const list = <K extends keyof Filter>(key: K, value: unknown) => {
    ((f[key] as unknown[] | undefined) ?? (f[key] = [] as never) as unknown[]).push(value);
  };
  for (const token of tokens(text)) {
    if (token.value === "") continue;
    const text = (yes: keyof Filter, no: keyof Filter) => list(token.not ? no : yes, token.value);
    switch (token.name) {
      case "":
        text("words", "notWords");
        break;
      case "from":
        text("from", "notFrom");
        break;
      case "to":
        text("to", "notTo");
        break;
      case "subject":
        text("subject", "notSubject");
        break;
      case "label":
        text("keywords", "notKeywords");
        break;
      case "has":
        if (/^attach/i.test(token.value)) f.attachments = token.not ? "without" : "with";
        else problems.push(t("has:{0} is not known, only has:attachment", token.value));
        break;
      case "is": {
        const s = states[token.value.toLowerCase()];
        if (s === undefined) problems.push(t("is:{0} is not known", token.value));
        else list(s.on !== token.not ? "flags" : "notFlags", s.flag);
        break;
      }
      case "after":
      case "before": {
        const at = day(token.value);
        if (at === undefined) {
          problems.push(t("{0} is not a day such as 2026-05-01 or 7d", token.value));
        } else if ((token.name === "after") !== token.not) f.oldest = at;
        else f.newest = at;
        break;
      }
      case "larger":
      case "smaller": {
        const n = bytes(token.value);
        if (n === undefined) problems.push(t("{0} is not a size such as 2mb", token.value));
        else if ((token.name === "larger") !== token.not) f.largerThan = n;
        else f.smallerThan = n;
        break;
      }
      case "header": {
        const eq = token.value.indexOf("=");
        list("headers", {
          name: eq < 0 ? token.value : token.value.slice(0, eq),
          text: eq < 0 ? "" : token.value.slice(eq + 1),
        });
      }
    }
  }
  return { filter: f, problems };
}

/** A token as it is typed. */
export function tokenText(name: string, value: string, not = false): string {
  const quoted = /[\s"]/.test(value) ? `"${value.replaceAll('"', "")}"` : value;
  return `${not ? "-" : ""}${name === "" ? "" : `${name}:`}${quoted}`;
}
