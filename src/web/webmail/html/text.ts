/** Sanitised HTML as plain text, for answering a message without plain text. @module */

/** Elements on lines of their own; paragraphs are separated by an empty line. */
const blocks = new Set(
  ("address article aside center dd details div dl dt figcaption figure footer header hr li main menu nav ol " +
    "section summary table tbody tfoot thead tr ul caption").split(" "),
);
const paragraphs = new Set("p h1 h2 h3 h4 h5 h6 blockquote pre".split(" "));
/** Characters of text; more is cut off. */
const maxText = 1_000_000;

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"' };
const decoded = (s: string) =>
  s.replace(/&(amp|lt|gt|quot);/g, (_, name: string) => entities[name]);

/** The text, lines not broken; quotations with ">" before their lines. Takes what sanitize.ts writes only. */
export function htmlAsText(html: string): string {
  const lines: string[] = [];
  let line = "";
  let quotes = 0;
  let pre = 0;
  let length = 0;
  const links: { href: string; start: number }[] = [];
  const endLine = (always = false) => {
    const text = pre > 0 ? line : line.trim();
    line = "";
    for (const l of links) l.start = 0;
    if (text === "" && !always) return;
    lines.push(quotes > 0 ? `${">".repeat(quotes)} ${text}`.trimEnd() : text);
    length += text.length + 1;
  };
  const emptyLine = () => {
    endLine();
    const last = lines.at(-1);
    if (last !== undefined && last.replace(/^>+$/, "") !== "") {
      lines.push(quotes > 0 ? ">".repeat(quotes) : "");
    }
  };
  for (let at = 0; at < html.length && length < maxText;) {
    if (html[at] !== "<") {
      let end = html.indexOf("<", at);
      if (end < 0) end = html.length;
      const text = decoded(html.slice(at, end));
      if (pre > 0) {
        const [first, ...more] = text.split(/\r?\n/);
        line += first;
        for (const l of more) {
          endLine(true);
          line = l;
        }
      } else {
        const plain = text.replace(/[\s\u00a0\u200b]+/g, " ");
        line += line === "" || line.endsWith(" ") ? plain.trimStart() : plain;
      }
      at = end;
      continue;
    }
    const end = html.indexOf(">", at);
    if (end < 0) break;
    const tag = html.slice(at + 1, end);
    at = end + 1;
    const closing = tag.startsWith("/");
    const name = /^\/?([a-z0-9]+)/.exec(tag)?.[1] ?? "";
    if (name === "style" && !closing) {
      const close = html.indexOf("</style>", at);
      at = close < 0 ? html.length : close + 8;
    } else if (name === "br") {
      endLine(true);
    } else if (name === "hr") {
      endLine();
      lines.push("----");
    } else if (name === "img") {
      line += decoded(/ alt="([^"]*)"/.exec(tag)?.[1] ?? "");
    } else if (name === "a" && !closing) {
      links.push({ href: decoded(/ href="([^"]*)"/.exec(tag)?.[1] ?? ""), start: line.length });
    } else if (name === "a") {
      const link = links.pop();
      if (link !== undefined) line += linkTarget(link.href, line.slice(link.start));
    } else if (name === "td" || name === "th") {
      if (closing && line !== "" && !line.endsWith(" ")) line += " ";
    } else if (paragraphs.has(name)) {
      emptyLine();
      if (name === "blockquote") quotes = Math.max(0, quotes + (closing ? -1 : 1));
      if (name === "pre") pre = Math.max(0, pre + (closing ? -1 : 1));
    } else if (blocks.has(name)) {
      endLine();
      if (name === "li" && !closing) line = "- ";
    }
  }
  endLine();
  while (lines.length > 0 && lines.at(-1)!.replace(/^>+$/, "") === "") lines.pop();
  return lines.join("\n");
}

/** The target of a link, unless its text shows it. */
function linkTarget(href: string, text: string): string {
  if (href === "" || href.startsWith("#")) return "";
  const plain = (s: string) => s.trim().replace(/^(?:https?:\/\/|mailto:)/, "").replace(/\/$/, "");
  return plain(href) === plain(text) ? "" : ` <${href}>`;
}
