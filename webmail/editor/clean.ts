/** Reduces pasted HTML to what may be in a message. Nothing in it could run here anyway. @module */

const kept = new Set(
  ("A B I U S STRONG EM DEL INS SUB SUP CODE SPAN FONT SMALL BIG P DIV BR HR H1 H2 H3 H4 H5 H6 UL OL LI " +
    "BLOCKQUOTE PRE TABLE THEAD TBODY TFOOT TR TD TH CAPTION COL COLGROUP IMG").split(" "),
);
const dropped = new Set(
  "SCRIPT STYLE TITLE META LINK IFRAME OBJECT EMBED TEMPLATE HEAD".split(" "),
);
const attributes = new Set(
  "href src alt width height align valign colspan rowspan bgcolor color dir lang title type start style class border cellpadding cellspacing data-cid data-src"
    .split(" "),
);
/** Properties that affect how text looks; others belong to the page that it was copied from. */
const properties =
  /^(?:color|background-color|font-weight|font-style|font-family|font-size|text-decoration|text-align|border.*|padding.*|vertical-align|width|direction|margin.*|list-style.*)$/;

/** Parses HTML and keeps what is allowed. */
export function cleanFragment(html: string, from: Document = document): DocumentFragment {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const out = from.createDocumentFragment();
  for (const n of [...parsed.body.childNodes]) copy(n, out, from);
  return out;
}

function copy(n: Node, into: Node, from: Document): void {
  if (n.nodeType === Node.TEXT_NODE) {
    into.appendChild(from.createTextNode(n.nodeValue ?? ""));
    return;
  }
  if (!(n instanceof HTMLElement) || dropped.has(n.tagName)) return;
  let place = into;
  if (kept.has(n.tagName)) {
    const e = from.createElement(n.tagName);
    for (const a of n.attributes) {
      if (!attributes.has(a.name)) continue;
      if (a.name === "href" && !/^(?:https?:|mailto:|tel:|#)/i.test(a.value.trim())) continue;
      if (
        a.name === "src" && !/^(?:https?:|cid:|blob:|data:image\/|message\/)/i.test(a.value.trim())
      ) {
        continue;
      }
      if (a.name !== "style") e.setAttribute(a.name, a.value);
    }
    for (const p of n.style) {
      if (properties.test(p) && !n.style.getPropertyValue(p).includes("url(")) {
        e.style.setProperty(p, n.style.getPropertyValue(p));
      }
    }
    into.appendChild(e);
    place = e;
  }
  for (const c of [...n.childNodes]) copy(c, place, from);
}
