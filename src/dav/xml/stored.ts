/** The stored XML of properties. @module */
import { parseXml, textOf, type XmlElement } from "./parse.ts";
import { declarations } from "./write.ts";

/** Reads a stored element. */
export function parseStored(xml: string): XmlElement {
  const at = xml.search(/[\s/>]/);
  return parseXml(new TextEncoder().encode(xml.slice(0, at) + declarations + xml.slice(at)));
}

/** Text of a stored element. */
export function innerText(xml: string): string {
  return textOf(parseStored(xml)).trim();
}
