/** Domain names in the form for lookups and comparisons. @module */
import { domainToASCII } from "node:url";

/** RFC 1035 §2.3.4: 255 octets on the wire are 253 characters without the trailing dot. */
export const MAX_NAME_LENGTH = 253;
export const MAX_LABEL_LENGTH = 63;

/**
 * Lower case, ASCII (A-labels) and without the trailing dot; undefined if it isn't a domain name
 * that can be looked up. Underscores, spaces and other printable ASCII are allowed: the DNS has such names, and SPF
 * macros produce them.
 */
export function normalizeName(name: string): string | undefined {
  let s = name.endsWith(".") ? name.slice(0, -1) : name;
  if (s === "" || s.length > 4 * MAX_NAME_LENGTH) return undefined;
  let ascii = true;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c < 0x20 || c === 0x7f) return undefined;
    if (c > 0x7f) ascii = false;
  }
  if (!ascii) {
    // Characters special in URLs would affect the conversion.
    s = s.split(".").map((label) => labelToAscii(label)).join(".");
  }
  s = s.toLowerCase();
  if (s.length > MAX_NAME_LENGTH) return undefined;
  let start = 0;
  for (let i = 0; i <= s.length; i++) {
    if (i < s.length && s.charCodeAt(i) !== 0x2e) continue;
    if (i === start || i - start > MAX_LABEL_LENGTH) return undefined;
    start = i + 1;
  }
  return s;
}

function labelToAscii(label: string): string {
  for (let i = 0; i < label.length; i++) {
    if (label.charCodeAt(i) > 0x7f) return domainToASCII(label);
  }
  return label;
}

/** True if `name` is `parent` or under it; both normalized. */
export function isUnder(name: string, parent: string): boolean {
  return name === parent ||
    (name.length > parent.length && name.endsWith(parent) &&
      name.charCodeAt(name.length - parent.length - 1) === 0x2e);
}
