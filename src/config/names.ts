/**
 * Domains, localparts and addresses in configuration files.
 *
 * @module
 */
import { domainToASCII, domainToUnicode } from "node:url";

/** An invalid name; the message says why, without the name. */
export class NameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NameError";
  }
}

/** A domain in both forms, lower case, without a dot at its end. Equal domains have equal `ascii`. */
export interface Domain {
  /** As in DNS, with A-labels (xn--…). */
  ascii: string;
  /** In readable form; equal to `ascii` for most domains. */
  unicode: string;
}

/** An address with its localpart unquoted. */
export interface Address {
  localpart: string;
  domain: Domain;
}

/**
 * A domain from its ASCII or Unicode form (RFC 5890).
 * @param options.underscore accept `_` in labels, as in the names of DKIM selectors and DNS lists.
 * @throws NameError
 */
export function parseDomain(text: string, options: { underscore?: boolean } = {}): Domain {
  if (text === "") throw new NameError("is empty");
  if (text.endsWith(".")) throw new NameError("must not end with a dot");
  // deno-lint-ignore no-control-regex
  let ascii = /^[\u0000-\u007f]*$/.test(text) ? text.toLowerCase() : domainToASCII(text);
  if (ascii === "") throw new NameError("is not a valid internationalised domain");
  ascii = ascii.toLowerCase();
  if (ascii.length > 253) throw new NameError("is longer than 253 characters");
  const allowed = options.underscore ? /^[a-z0-9_-]+$/ : /^[a-z0-9-]+$/;
  for (const label of ascii.split(".")) {
    if (label === "") throw new NameError("has an empty label");
    if (label.length > 63) throw new NameError("has a label longer than 63 characters");
    if (!allowed.test(label)) {
      throw new NameError("has a character that domains can't have");
    }
    if (label.startsWith("-") || label.endsWith("-")) {
      throw new NameError("has a label that starts or ends with a hyphen");
    }
  }
  if (/(?:^|\.)[0-9]+$/.test(ascii) && ascii.includes(".")) {
    throw new NameError("is not a domain: its last label is a number");
  }
  const unicode = ascii.includes("xn--") ? domainToUnicode(ascii) : ascii;
  if (unicode === "") throw new NameError("is not a valid internationalised domain");
  return { ascii, unicode };
}

/** The domain in ASCII form for comparing; undefined if invalid. */
export function asciiDomain(text: string): string | undefined {
  try {
    return parseDomain(text).ascii;
  } catch {
    return undefined;
  }
}

const atext = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\uffff]+$/;

/**
 * A localpart: a dot-string or a quoted string (RFC 5321 §4.1.2, RFC 6531 §3.3).
 * @returns it without quotes and escapes, in Unicode normal form C.
 * @throws NameError
 */
export function parseLocalpart(text: string): string {
  if (text === "") throw new NameError("the part before the @ is empty");
  let localpart: string;
  if (text.startsWith('"')) {
    localpart = unquote(text);
  } else {
    if (!text.split(".").every((atom) => atext.test(atom))) {
      throw new NameError(`${JSON.stringify(text)} can't be the part before the @`);
    }
    localpart = text;
  }
  localpart = localpart.normalize("NFC");
  // RFC 5321 §4.5.3.1.1
  if (new TextEncoder().encode(localpart).length > 64) {
    throw new NameError("the part before the @ is longer than 64 bytes");
  }
  return localpart;
}

function unquote(text: string): string {
  let s = "";
  for (let i = 1; i < text.length; i++) {
    let c = text[i];
    if (c === '"') {
      if (i === text.length - 1) return s;
      break;
    }
    if (c === "\\") c = text[++i] ?? "";
    const code = c.charCodeAt(0);
    if (c === "" || code < 32 || code === 127) break;
    s += c;
  }
  throw new NameError("the quotes before the @ are not closed, or hold what they can't");
}

/** A localpart as written in an address, quoted where needed. */
export function packLocalpart(localpart: string): string {
  if (localpart !== "" && localpart.split(".").every((atom) => atext.test(atom))) return localpart;
  return `"${localpart.replace(/["\\]/g, "\\$&")}"`;
}

/** True if an address with this localpart needs SMTPUTF8. */
export function isInternational(localpart: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/^[\u0000-\u007f]*$/.test(localpart);
}

/**
 * An address `localpart@domain`, without angle brackets.
 * @throws NameError
 */
export function parseAddress(text: string): Address {
  const at = text.lastIndexOf("@");
  if (at < 0) throw new NameError("has no @");
  const localpart = parseLocalpart(text.slice(0, at));
  try {
    return { localpart, domain: parseDomain(text.slice(at + 1)) };
  } catch (err) {
    if (err instanceof NameError) throw new NameError(`its domain ${err.message}`);
    throw err;
  }
}

/** An address in readable form. */
export function packAddress(address: Address): string {
  return `${packLocalpart(address.localpart)}@${address.domain.unicode}`;
}
