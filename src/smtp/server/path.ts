/**
 * Addresses in MAIL and RCPT (RFC 5321 §4.1.2, RFC 6531 §3.3).
 *
 * @module
 */
import { domainToASCII, domainToUnicode } from "node:url";
import { ipText, parseIp } from "../../net/mod.ts";

/** A mailbox of an envelope. */
export interface Address {
  /** Unquoted, NFC; case as given. */
  localpart: string;
  /** Lower case, with U-labels where the name has any; an address literal is in brackets. */
  domain: string;
  /** The domain with A-labels: for DNS and for hosts without SMTPUTF8. */
  asciiDomain: string;
}

/** The address as in an envelope or header, quoted where needed; with A-labels if asked for. */
export function addressText(address: Address, ascii = false): string {
  return `${localpartText(address.localpart)}@${ascii ? address.asciiDomain : address.domain}`;
}

/** True if the address can't be written without SMTPUTF8. */
export function needsUtf8(address: Address): boolean {
  return !isAscii(address.localpart);
}

/** A localpart, quoted where needed. */
export function localpartText(localpart: string): string {
  const atoms = localpart.split(".");
  if (atoms.every((a) => a !== "" && [...a].every((c) => isAtext(c.codePointAt(0)!)))) {
    return localpart;
  }
  return `"${localpart.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Why a path or domain could not be parsed. */
export class PathError extends Error {
  /** The address is fine but needs the SMTPUTF8 parameter. */
  readonly needsSmtpUtf8: boolean;
  constructor(message: string, needsSmtpUtf8 = false) {
    super(message);
    this.name = "PathError";
    this.needsSmtpUtf8 = needsSmtpUtf8;
  }
}

/** How strictly to parse. */
export interface PathOptions {
  /** Only the lengths of RFC 5321 §4.5.3.1 and host names of RFC 952. */
  pedantic: boolean;
  /** Non-ASCII characters are allowed. */
  utf8: boolean;
  /** The domain for addresses without one; undefined refuses them. */
  localDomain?: string;
  /** The domain of "<Postmaster>" without a domain. */
  postmasterDomain?: string;
}

/** A path at the start of the text: `address` is undefined for "<>"; `rest` is what follows. */
export function parsePath(
  text: string,
  options: PathOptions,
): { address: Address | undefined; rest: string } {
  if (text[0] !== "<") return withoutBrackets(text, options);
  if (text.startsWith("<>")) return { address: undefined, rest: text.slice(2) };
  let at = 1;
  // RFC 5321 §4.1.2: a source route is accepted and ignored.
  if (text[at] === "@") {
    const colon = text.indexOf(":", at);
    if (colon < 0) throw new PathError("source route without end");
    for (const hop of text.slice(at, colon).split(",")) {
      if (hop[0] !== "@") throw new PathError("domain expected in source route");
      parseDomain(hop.slice(1), options);
    }
    at = colon + 1;
  }
  const local = text[at] === '"'
    ? quotedLocalpart(text, at)
    : dotLocalpart(text, at, options.pedantic);
  const localpart = local.value.normalize("NFC");
  if (!isAscii(localpart) && !options.utf8) {
    throw new PathError("localpart with non-ASCII characters needs SMTPUTF8", true);
  }
  // Longer ones occur in practice, from rewriting schemes.
  if (new TextEncoder().encode(localpart).length > (options.pedantic ? 64 : 255)) {
    throw new PathError("localpart too long");
  }
  at = local.end;
  let domain: { domain: string; asciiDomain: string };
  if (
    text[at] === ">" && options.postmasterDomain !== undefined &&
    localpart.toLowerCase() === "postmaster"
  ) {
    domain = parseDomain(options.postmasterDomain, { pedantic: false, utf8: true });
  } else if (text[at] === ">" && options.localDomain !== undefined) {
    domain = parseDomain(options.localDomain, { pedantic: false, utf8: true });
  } else {
    if (text[at] !== "@") throw new PathError("@ expected after localpart");
    const close = text.indexOf(">", at);
    if (close < 0) throw new PathError("> expected after address");
    const name = text.slice(at + 1, close);
    // A trailing dot as in DNS, which some programs write.
    const dot = !options.pedantic && name.endsWith(".");
    domain = parseDomainOrLiteral(dot ? name.slice(0, -1) : name, options);
    at = close;
  }
  if (text[at] !== ">") throw new PathError("> expected after address");
  return { address: { localpart, ...domain }, rest: text.slice(at + 1) };
}

/** An address without "<>", as written by old programs and by people, up to a space. */
function withoutBrackets(
  text: string,
  options: PathOptions,
): { address: Address | undefined; rest: string } {
  const end = text.indexOf(" ");
  const word = end < 0 ? text : text.slice(0, end);
  if (options.pedantic || word === "" || /[<>]/.test(word)) {
    throw new PathError("address in angle brackets expected");
  }
  return { ...parsePath(`<${word}>`, options), rest: end < 0 ? "" : text.slice(end) };
}

function dotLocalpart(
  text: string,
  from: number,
  pedantic: boolean,
): { value: string; end: number } {
  let at = from;
  let atomStart = from;
  for (; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === 0x2e) {
      // Large providers in Japan have addresses such as "a..b@" and "a.@".
      if (at === atomStart && (pedantic || at === from)) break;
      atomStart = at + 1;
    } else if (!isAtext(c)) {
      break;
    }
  }
  if (at === atomStart && (pedantic || at === from)) throw new PathError("localpart expected");
  return { value: text.slice(from, at), end: at };
}

function quotedLocalpart(text: string, from: number): { value: string; end: number } {
  let value = "";
  for (let at = from + 1; at < text.length; at++) {
    let c = text.charCodeAt(at);
    if (c === 0x22) {
      if (value === "") break;
      return { value, end: at + 1 };
    }
    if (c === 0x5c) c = text.charCodeAt(++at);
    if (!(c >= 0x20 && c !== 0x7f)) break;
    value += text[at];
  }
  throw new PathError("quoted localpart without end, or with control characters");
}

/** A domain name or an address literal, e.g. of EHLO. */
export function parseDomainOrLiteral(
  text: string,
  options: PathOptions,
): { domain: string; asciiDomain: string } {
  if (text[0] !== "[") return parseDomain(text, options);
  if (!text.endsWith("]")) throw new PathError("] expected after address literal");
  const inner = text.slice(1, -1);
  const v6 = /^ipv6:/i.test(inner);
  const ip = parseIp(v6 ? inner.slice(5) : inner);
  // An IPv6 address must be tagged as such (RFC 5321 §4.1.3); a missing tag is tolerated.
  if (ip === undefined || inner.includes("%") || (options.pedantic && v6 !== (ip.length === 16))) {
    throw new PathError("IP address expected in address literal");
  }
  const literal = `[${ip.length === 16 ? "IPv6:" : ""}${ipText(ip)}]`;
  return { domain: literal, asciiDomain: literal };
}

/** A domain name. */
export function parseDomain(
  text: string,
  options: PathOptions,
): { domain: string; asciiDomain: string } {
  let ascii = text.toLowerCase();
  if (!isAscii(text)) {
    if (!options.utf8) throw new PathError("domain with non-ASCII characters needs SMTPUTF8", true);
    // IDNA (UTS 46). Full-width digits and the like must not make an IP address.
    ascii = domainToASCII(text);
    if (ascii === "" || parseIp(ascii) !== undefined) throw new PathError("domain name expected");
  }
  if (ascii.length === 0 || ascii.length > 253) throw new PathError("domain name expected");
  for (const label of ascii.split(".")) {
    if (!isLabel(label, options.pedantic)) throw new PathError("domain name expected");
  }
  const domain = ascii.includes("xn--") ? domainToUnicode(ascii) || ascii : ascii;
  return { domain, asciiDomain: ascii };
}

function isLabel(label: string, pedantic: boolean): boolean {
  if (label.length === 0 || label.length > 63) return false;
  for (let i = 0; i < label.length; i++) {
    const c = label.charCodeAt(i);
    const letterOrDigit = (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39);
    // Host names with underscores exist, whatever RFC 952 says.
    if (letterOrDigit || (c === 0x5f && !pedantic)) continue;
    if (c !== 0x2d || i === 0 || i === label.length - 1) return false;
  }
  return true;
}

/** RFC 5322 §3.2.3, with RFC 6531 §3.3. */
function isAtext(c: number): boolean {
  if (c >= 0x80) return true;
  if ((c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a)) return true;
  return c > 0x20 && c < 0x7f && "!#$%&'*+-/=?^_`{|}~".includes(String.fromCharCode(c));
}

/** True if all characters are ASCII. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
