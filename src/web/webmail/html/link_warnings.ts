/** Links whose text names a different site than their target: the real target is shown next to them. @module */
import { getDomain } from "tldts";
import { escapeHtml } from "../pages.ts";

/** Text that is the address of a site, with or without a path. */
const siteText =
  /^\s*(?:https?:\/\/)?((?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}{2,})(?:[/?#:]\S*)?\s*$/u;
/** Characters of a link's text that are looked at. */
const maxText = 2000;
/** Links that are looked at. */
const maxLinks = 5000;

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"' };
const decoded = (s: string) => s.replace(/&(amp|lt|gt|quot);/g, (_, n: string) => entities[n]);

/** Adds warnings to HTML that sanitize.ts has written. */
export function withLinkWarnings(html: string): string {
  let out = "";
  let at = 0;
  for (let n = 0; n < maxLinks; n++) {
    const start = html.indexOf("<a ", at);
    const open = start < 0 ? -1 : html.indexOf(">", start);
    const end = open < 0 ? -1 : html.indexOf("</a>", open);
    if (end < 0) break;
    out += html.slice(at, end + 4);
    at = end + 4;
    if (end - open > maxText) continue;
    const href = decoded(/ href="([^"]*)"/.exec(html.slice(start, open))?.[1] ?? "");
    const warning = warningFor(href, decoded(html.slice(open + 1, end).replace(/<[^>]*>/g, "")));
    if (warning !== undefined) out += warning;
  }
  return out + html.slice(at);
}

function warningFor(href: string, text: string): string | undefined {
  if (!/^https?:/i.test(href)) return undefined;
  const named = siteText.exec(text)?.[1];
  const to = URL.parse(href)?.hostname;
  if (named === undefined || to === undefined) return undefined;
  const shown = URL.parse(`https://${named}`)?.hostname ?? named;
  const [a, b] = [
    getDomain(shown, { allowPrivateDomains: true }),
    getDomain(to, { allowPrivateDomains: true }),
  ];
  // A file name, such as "report.docx", is not a site.
  if (a === null || a === b) return undefined;
  return ` <span class="mail-warning" role="note">⚠ leads to ${escapeHtml(to)}</span>`;
}
