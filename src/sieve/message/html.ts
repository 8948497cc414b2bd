/** HTML as words, for tests of a message's text (RFC 5173 §5.3). @module */

const entities: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};
/** Elements whose content is not visible. */
const unread = new Set(["script", "style", "title"]);

/** The text between the tags, character references replaced. Linear; accepts anything. */
export function plainText(html: string): string {
  let out = "";
  for (let at = 0; at < html.length;) {
    const tag = html.indexOf("<", at);
    if (tag < 0) return out + withoutReferences(html.slice(at));
    out += withoutReferences(html.slice(at, tag));
    if (html.startsWith("<!--", tag)) {
      const end = html.indexOf("-->", tag + 4);
      at = end < 0 ? html.length : end + 3;
      continue;
    }
    const name = /^[a-z][a-z0-9]*/i.exec(html.slice(tag + 1, tag + 20))?.[0].toLowerCase();
    if (!name && !/^[/!?]/.test(html.slice(tag + 1, tag + 2))) {
      out += "<";
      at = tag + 1;
      continue;
    }
    const end = html.indexOf(">", tag);
    at = end < 0 ? html.length : end + 1;
    if (name && unread.has(name)) {
      const close = html.slice(at).search(new RegExp(`</${name}`, "i"));
      at = close < 0 ? html.length : at + close;
    }
  }
  return out;
}

function withoutReferences(s: string): string {
  if (!s.includes("&")) return s;
  return s.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi,
    (all, decimal, hex, name) => {
      if (name !== undefined) return entities[name.toLowerCase()] ?? all;
      const code = decimal !== undefined ? Number(decimal) : parseInt(hex, 16);
      return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)
        ? String.fromCodePoint(code)
        : all;
    },
  );
}
