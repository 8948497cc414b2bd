/**
 * Addresses in values of header fields, and addresses in scripts (RFC 5228 §2.4.2.3, §5.1; RFC 5233).
 *
 * @module
 */
import { flattenAddresses, parseAddressList } from "../../mail/address/address.ts";

export interface MailAddress {
  /** Unquoted. */
  localpart: string;
  domain: string;
}

/** An address of a field, or invalid text. */
export type FoundAddress = MailAddress | { invalid: string };

/** Addresses of a field's value. */
export function addressesOf(value: string): FoundAddress[] {
  return flattenAddresses(parseAddressList(value)).map((address) =>
    address.domain === "" || address.localpart === ""
      ? { invalid: address.localpart === "" ? address.name : address.localpart }
      : { localpart: address.localpart, domain: address.domain }
  );
}

const atoms = /^[^\s()<>[\]:;@\\,."\p{Cc}]+(?:\.[^\s()<>[\]:;@\\,."\p{Cc}]+)*$/u;

/** `localpart@domain`, with the localpart quoted where needed. */
export function addressText(address: MailAddress): string {
  const local = atoms.test(address.localpart)
    ? address.localpart
    : `"${address.localpart.replace(/["\\]/g, "\\$&")}"`;
  return `${local}@${address.domain}`;
}

/** Parses `localpart@domain` or `name <localpart@domain>`; undefined for anything else. */
export function oneAddress(s: string): MailAddress | undefined {
  if (s.length > 1000 || /\p{Cc}/u.test(s)) return undefined;
  const list = parseAddressList(s);
  const [a] = list;
  if (list.length !== 1 || "group" in a || a.localpart === "" || a.domain === "") return undefined;
  // Parsing is lenient; an address in a script must follow the grammar.
  const spec = /<([^<>]*)>\s*$/.exec(s)?.[1] ?? s;
  if (spec === s && /[<>]/.test(s)) return undefined;
  const at = spec.lastIndexOf("@");
  if (at < 1) return undefined;
  const localpart = spec.slice(0, at).trim();
  const domain = spec.slice(at + 1).trim();
  const quoted = /^"(?:[^"\\]|\\.)*"$/.test(localpart);
  if (!quoted && !atoms.test(localpart)) return undefined;
  if (!/^\[[0-9A-Za-z.:-]+\]$/.test(domain)) {
    if (!/^[\p{L}\p{N}\p{M}_-]+(?:\.[\p{L}\p{N}\p{M}_-]+)*$/u.test(domain)) return undefined;
  }
  return { localpart: a.localpart, domain: a.domain };
}

/** The localpart without its detail, and the detail if there is one (RFC 5233 §4). */
export function splitDetail(
  localpart: string,
  separators: readonly string[],
): { user: string; detail: string | undefined } {
  let at = -1;
  let width = 0;
  for (const s of separators) {
    const found = s === "" ? -1 : localpart.indexOf(s);
    if (found >= 0 && (at < 0 || found < at)) {
      at = found;
      width = s.length;
    }
  }
  return at < 0
    ? { user: localpart, detail: undefined }
    : { user: localpart.slice(0, at), detail: localpart.slice(at + width) };
}
