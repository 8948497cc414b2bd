/**
 * Bodies of requests: XML with namespaces (RFC 4918 §8.2), read by saxes. A DOCTYPE is refused, so there are no
 * entities but XML's own; depth, elements and attributes are bounded.
 *
 * @module
 */
import { SaxesParser } from "saxes";
import { giveWay } from "../../platform/turns.ts";

/** An element. */
export interface XmlElement {
  ns: string;
  name: string;
  /** Attributes without those that declare namespaces; `ns` is "" for most. */
  attributes: { ns: string; name: string; value: string }[];
  children: (XmlElement | string)[];
  /** The language of its text (xml:lang), its own or of an element around it; "" for none. */
  lang: string;
}

/** The body is unreadable. */
export class XmlError extends Error {
  override name = "XmlError";
}

/** Deepest nesting of elements in a request. */
const maxDepth = 50;
/** Most elements of a body (a multiget may name some ten thousand), and most attributes of an element. */
const maxElements = 60_000;
const maxAttributes = 50;
const xmlNs = "http://www.w3.org/XML/1998/namespace";

/** Characters that are read without checking the clock. */
const piece = 8 * 1024;

/** Parses a document in steps. */
function* parsing(bytes: Uint8Array): Generator<void, XmlElement> {
  let text: string;
  try {
    const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe
      ? "utf-16le"
      : bytes[0] === 0xfe && bytes[1] === 0xff
      ? "utf-16be"
      : undefined;
    text = new TextDecoder(utf16 ?? "utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new XmlError("the body is neither UTF-8 nor UTF-16");
  }
  const parser = new SaxesParser({ xmlns: true, position: true });
  let root: XmlElement | undefined;
  const open: XmlElement[] = [];
  let elements = 0;
  const fail = (message: string): never => {
    throw new XmlError(`line ${parser.line}: ${message}`);
  };
  parser.on("error", (err) => {
    throw new XmlError(err.message);
  });
  parser.on("doctype", () => fail("a DOCTYPE is not taken"));
  parser.on("opentag", (tag) => {
    if (++elements > maxElements) fail(`more than ${maxElements} elements`);
    if (open.length >= maxDepth) fail(`more than ${maxDepth} levels`);
    const attributes = [];
    let lang = open.at(-1)?.lang ?? "";
    for (const a of Object.values(tag.attributes)) {
      if (a.uri === "http://www.w3.org/2000/xmlns/") continue;
      if (a.uri === xmlNs && a.local === "lang") lang = a.value;
      else attributes.push({ ns: a.uri, name: a.local, value: a.value });
      if (attributes.length > maxAttributes) fail(`more than ${maxAttributes} attributes`);
    }
    const element = { ns: tag.uri, name: tag.local, attributes, children: [], lang };
    if (open.length === 0) root = element;
    else open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("closetag", () => void open.pop());
  const add = (s: string) => {
    open.at(-1)?.children.push(s);
  };
  parser.on("text", add);
  parser.on("cdata", add);
  for (let at = 0; at < text.length; at += piece) {
    parser.write(text.slice(at, at + piece));
    yield;
  }
  parser.close();
  if (root === undefined) throw new XmlError("there is no element in the body");
  return root;
}

/** Parses a document. @throws XmlError */
export function parseXml(bytes: Uint8Array): XmlElement {
  const steps = parsing(bytes);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same in turns with other work, for data from others. @throws XmlError */
export async function parseBody(bytes: Uint8Array): Promise<XmlElement> {
  const steps = parsing(bytes);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await giveWay();
  }
}

/** Number of elements in an element, including itself. */
export function countElements(element: XmlElement): number {
  return children(element).reduce((n, c) => n + countElements(c), 1);
}

/** Elements below one. */
export function children(element: XmlElement): XmlElement[] {
  return element.children.filter((c): c is XmlElement => typeof c !== "string");
}

/** The first element of a name below one. */
export function child(element: XmlElement, ns: string, name: string): XmlElement | undefined {
  return children(element).find((c) => c.ns === ns && c.name === name);
}

/** All text in an element. */
export function textOf(element: XmlElement): string {
  return element.children.map((c) => typeof c === "string" ? c : textOf(c)).join("");
}

/** Value of an attribute without namespace. */
export function attribute(element: XmlElement, name: string): string | undefined {
  return element.attributes.find((a) => a.ns === "" && a.name === name)?.value;
}

/** {namespace}name */
export const clark = (e: Pick<XmlElement, "ns" | "name">) => `{${e.ns}}${e.name}`;
