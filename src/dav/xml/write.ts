/**
 * Writing XML: elements of known namespaces have prefixes, declared on the root; others declare their own.
 *
 * @module
 */
import type { XmlElement } from "./parse.ts";

export const DAV = "DAV:";
export const CAL = "urn:ietf:params:xml:ns:caldav";
export const CARD = "urn:ietf:params:xml:ns:carddav";
export const CS = "http://calendarserver.org/ns/";
export const ICAL = "http://apple.com/ns/ical/";

const prefixes: Record<string, string> = {
  [DAV]: "D",
  [CAL]: "C",
  [CARD]: "A",
  [CS]: "S",
  [ICAL]: "I",
};

/** Declarations of all prefixes, for a root element. */
export const declarations = Object.entries(prefixes).map(([ns, p]) => ` xmlns:${p}="${ns}"`).join(
  "",
);

/** Text for an element or a quoted attribute. Characters that XML can't represent are left out. */
export function escapeXml(s: string): string {
  // deno-lint-ignore no-control-regex -- XML 1.0 does not allow these
  return s.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[&<>"\r]/g, (c) => {
    switch (c) {
      case "&":
        return "&amp;";
      case "<":
        return "&lt;";
      case ">":
        return "&gt;";
      case '"':
        return "&quot;";
      case "\r":
        return "&#13;";
      default:
        return "";
    }
  });
}

/** Splits {namespace}name. */
export function parseClark(key: string): { ns: string; name: string } {
  const end = key.indexOf("}");
  return { ns: key.slice(1, end), name: key.slice(end + 1) };
}

/** An element of a name {namespace}name around XML; empty without one. */
export function element(key: string, inner = "", attributes = ""): string {
  const { ns, name } = parseClark(key);
  return el(ns, name, inner, attributes);
}

/** The same for a namespace and a name. */
export function el(ns: string, name: string, inner = "", attributes = ""): string {
  const prefix = prefixes[ns];
  const tag = prefix ? `${prefix}:${name}` : name;
  const start = prefix ? tag + attributes : `${tag} xmlns="${escapeXml(ns)}"${attributes}`;
  return inner === "" ? `<${start}/>` : `<${start}>${inner}</${tag}>`;
}

/** DAV:href with an address. */
export const href = (path: string) => el(DAV, "href", escapeXml(path));

/** A whole document. */
export function xmlDocument(root: string): string {
  const at = root.search(/[\s/>]/);
  return `<?xml version="1.0" encoding="utf-8"?>\n${root.slice(0, at)}${declarations}${
    root.slice(at)
  }\n`;
}

/** An element as received, standalone: with its namespaces, its language and its text. */
export function serialize(e: XmlElement, outerLang = ""): string {
  let used = 0;
  const attributes = e.attributes.map((a) => {
    if (a.ns === "") return ` ${a.name}="${escapeXml(a.value)}"`;
    const p = `n${++used}`;
    return ` xmlns:${p}="${escapeXml(a.ns)}" ${p}:${a.name}="${escapeXml(a.value)}"`;
  }).join("");
  const lang = e.lang !== outerLang ? ` xml:lang="${escapeXml(e.lang)}"` : "";
  const prefix = prefixes[e.ns];
  const [tag, declared] = prefix !== undefined
    ? [`${prefix}:${e.name}`, ""]
    : [e.name, ` xmlns="${escapeXml(e.ns)}"`];
  const inner = e.children.map((c) => typeof c === "string" ? escapeXml(c) : serialize(c, e.lang))
    .join("");
  const start = `<${tag}${declared}${lang}${attributes}`;
  return inner === "" ? `${start}/>` : `${start}>${inner}</${tag}>`;
}
