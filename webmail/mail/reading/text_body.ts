/**
 * The text of a message: quotes by level, links with their real host, signatures.
 *
 * @module
 */
import { el } from "../../lib/dom.ts";
import { safeText } from "../../lib/scripts.ts";
import { t } from "../../lib/text.ts";

/** Web and mail addresses in a line. */
const links = /(https?:\/\/[^\s<>"']{1,2000})|([\w.+-]{1,64}@[\w-]+(?:\.[\w-]+){1,8})/gi;

/** Longer lines aren't searched for links. */
const longLine = 20_000;

/** Lines that are examined for columns. */
const maxLooked = 2000;

/** Whether a text is a patch, or has a table aligned with spaces, which needs a monospaced font. */
export function hasColumns(text: string): boolean {
  if (/^(?:diff --git |@@ -\d+(?:,\d+)? \+\d+)/m.test(text)) return true;
  // Two consecutive lines with a gap before a column at the same position.
  let before = new Set<number>();
  let same = 0;
  for (const line of text.split("\n", maxLooked)) {
    const starts = new Set<number>();
    if (line.length < 400 && !line.startsWith(">")) {
      for (const m of line.matchAll(/\S(?: {2,}|\t+)(?=\S)/g)) starts.add(m.index + m[0].length);
    }
    if ([...starts].some((s) => before.has(s))) same++;
    before = starts;
    if (same >= 2) return true;
  }
  return false;
}

/** Consecutive quoted lines from which on they are folded. */
const foldFrom = 4;

/** Folds long quotes, as their text is in earlier messages. */
export function foldQuotes(body: HTMLElement): HTMLElement {
  for (const quote of body.querySelectorAll<HTMLElement>(":scope > .quote")) {
    const lines = (quote.textContent ?? "").trimEnd().split("\n").length;
    const before = quote.previousElementSibling;
    if (before instanceof HTMLDetailsElement) {
      before.append(quote);
      continue;
    }
    if (lines < foldFrom) continue;
    const details = el(
      "details",
      { class: "folded" },
      el("summary", { title: t("Quoted text") }, t("Quoted text")),
    );
    quote.replaceWith(details);
    details.append(quote);
  }
  return body;
}

/** The text as nodes. `write` starts a message to an address; `mono`: in a monospaced font. */
export function textBody(
  text: string,
  write: (address: string) => void,
  mono = false,
): HTMLElement {
  const root = el("div", { class: mono ? "text-body mono" : "text-body" });
  let signature = false;
  let block: HTMLElement | undefined;
  let blockLevel = -1;
  for (const line of text.replace(/\r\n?/g, "\n").split("\n")) {
    if (line === "-- ") signature = true;
    const level = quoteLevel(line);
    const kind = signature && level === 0 ? -2 : level;
    if (block === undefined || kind !== blockLevel) {
      block = el("div", {
        dir: "auto",
        class: kind === -2
          ? "signature"
          : level > 0
          ? `quote quote-${((level - 1) % 3) + 1}`
          : null,
      });
      blockLevel = kind;
      root.append(block);
    }
    block.append(...lineNodes(line, write), "\n");
  }
  return root;
}

function quoteLevel(line: string): number {
  let n = 0;
  for (const c of line) {
    if (c === ">") n++;
    else if (c !== " ") break;
  }
  return line.startsWith(">") ? n : 0;
}

function lineNodes(line: string, write: (address: string) => void): (string | Node)[] {
  if (line.length > longLine) return [line];
  const out: (string | Node)[] = [];
  let at = 0;
  for (const m of line.matchAll(links)) {
    const found = m[0].replace(/[).,;:!?\]}]+$/, "");
    out.push(...safeText(line.slice(at, m.index)));
    at = m.index + found.length;
    if (m[1] === undefined) {
      out.push(el("button", {
        type: "button",
        class: "link",
        title: t("Write to {0}", found),
        onclick: () => write(found),
      }, safeText(found)));
      continue;
    }
    const url = URL.parse(found);
    if (url === null) {
      out.push(found);
      continue;
    }
    out.push(
      el(
        "a",
        {
          href: url.href,
          target: "_blank",
          rel: "noopener noreferrer",
          // In ASCII, which reveals lookalike letters.
          title: t("Opens {0}", url.host),
        },
        safeText(found),
      ),
    );
  }
  out.push(...safeText(line.slice(at)));
  return out;
}
