/** Small HTML documents for frames. @module */
import type { Address, MessageItem } from "../../../webmail/api/mod.ts";

const marks: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for element content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => marks[c]);
}

const message = "html,body,.mail-html,.mail-body{min-height:100%}html{height:100%}" +
  "body{font:14px/1.45 ui-sans-serif,system-ui,sans-serif;margin:0;overflow-wrap:anywhere}" +
  ".mail-body,body:not(:has(.mail-body)){padding:8px;box-sizing:border-box}img{max-width:100%}" +
  ".mail-warning{background:#ffe9b8!important;color:#6b3d00!important;font-size:.85em!important;" +
  "border-radius:4px;padding:0 .4em}" +
  ".mail-quote>summary{width:max-content;cursor:pointer;list-style:none;padding:0 .6em;margin:.3em 0;" +
  "border-radius:8px;background:#8886!important;color:inherit;line-height:1.2;letter-spacing:1px}" +
  ".mail-quote>summary::-webkit-details-marker{display:none}";

const styles = {
  text: "body{font:14px/1.45 ui-sans-serif,system-ui,sans-serif;margin:8px;white-space:pre-wrap;" +
    "overflow-wrap:anywhere;tab-size:4}" +
    "@media (prefers-color-scheme:dark){:root{color-scheme:dark}a{color:#8ab4f8}}",
  // Messages are made for white paper.
  html: `${message}html{color-scheme:light}body{background:#fff;color:#000}`,
  // Their colours are turned around by then; what they leave to the page is dark.
  dark: `${message}html{color-scheme:dark}body{background:#1e2125;color:#e6e6e6}` +
    "a{color:#8ab4f8}",
  ownDark: `${message}html{color-scheme:light dark}body{background:Canvas;color:CanvasText}`,
  print: "body{font:13px/1.4 ui-sans-serif,system-ui,sans-serif;margin:16px;background:#fff;" +
    "color:#000;overflow-wrap:anywhere}img{max-width:100%}h1{font-size:17px;margin:0 0 8px}" +
    "dl{display:grid;grid-template-columns:max-content auto;gap:2px 12px;margin:0 0 16px;" +
    "padding-bottom:12px;border-bottom:1px solid #999}dt{color:#555}dd{margin:0}" +
    ".text{white-space:pre-wrap}",
};

export function htmlPage(kind: keyof typeof styles, body: string, title = ""): string {
  return `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" ` +
    `content="width=device-width"><title>${escapeHtml(title)}</title><style>${
      styles[kind]
    }</style>` +
    `</head><body>${body}</body></html>`;
}

/** Addresses of web pages in a text. */
const webAddress = /https?:\/\/[^\s<>"']{1,2000}/gi;

/** Without marks at the end that belong to the sentence. */
function withoutEnd(url: string): string {
  let end = url.length;
  while (end > 0 && ").,;:!?]}".includes(url[end - 1])) end--;
  return url.slice(0, end);
}

/** Text as HTML, with its links. */
export function textHtml(text: string): string {
  let out = "";
  let at = 0;
  for (const m of text.matchAll(webAddress)) {
    const url = withoutEnd(m[0]);
    const parsed = URL.parse(url);
    if (parsed === null) continue;
    out += escapeHtml(text.slice(at, m.index));
    out +=
      `<a href="${escapeHtml(parsed.href)}" title="${escapeHtml(parsed.href)}" target="_blank" ` +
      `rel="noopener noreferrer">${escapeHtml(url)}</a>`;
    at = m.index + url.length;
  }
  return `<div class="text">${out}${escapeHtml(text.slice(at))}</div>`;
}

function addressText(list: readonly Address[]): string {
  return list.map((a) => a.name === "" ? a.address : `${a.name} <${a.address}>`).join(", ");
}

/** A date in the reader's zone and language; in UTC where those are none. */
function dateIn(ms: number, timeZone: string, language: string): string {
  try {
    return new Intl.DateTimeFormat(language, {
      dateStyle: "full",
      timeStyle: "long",
      timeZone,
    }).format(ms);
  } catch {
    return new Date(ms).toUTCString();
  }
}

/** What stands over a printed message. */
export function messageHeadHtml(item: MessageItem, zone = "UTC", language = "en"): string {
  const lines: [string, string][] = [
    ["From", addressText(item.from)],
    ["To", addressText(item.to)],
    ["Cc", addressText(item.cc)],
    ["Date", dateIn(item.sent ?? item.received, zone, language)],
  ];
  const list = lines.filter(([, v]) => v !== "")
    .map(([k, v]) => `<dt>${k}</dt><dd>${escapeHtml(v)}</dd>`).join("");
  return `<h1>${escapeHtml(item.subject)}</h1><dl>${list}</dl>`;
}
