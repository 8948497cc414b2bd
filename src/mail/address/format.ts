/**
 * Writing addresses for header fields (RFC 5322 §3.4, RFC 2047 §5, RFC 6532).
 *
 * @module
 */
import { domainToASCII } from "node:url";
import type { Address, Group } from "./address.ts";
import { encodeWord } from "../header/encode.ts";

/** An address that can't be written as requested. */
export class AddressError extends Error {
  readonly address: string;
  constructor(message: string, address: string) {
    super(message);
    this.name = "AddressError";
    this.address = address;
  }
}

/** How fields are written. */
export interface WriteOptions {
  /** Use UTF-8 (RFC 6532); otherwise only ASCII. */
  smtputf8: boolean;
}

/** The written parts of an address. */
export type WrittenAddress = Pick<Address, "name" | "localpart" | "domain">;
/** The written parts of a group. */
export interface WrittenGroup extends Pick<Group, "group"> {
  members: readonly WrittenAddress[];
}

// deno-lint-ignore no-control-regex
const ascii = /^[\x00-\x7f]*$/;
const atoms = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\u{10ffff}]+$/u;

/** Text without control characters, which could start a new field. */
export function withoutControls(s: string): string {
  // deno-lint-ignore no-control-regex
  return s.toWellFormed().replace(/[\x00-\x1f\x7f]+/g, " ");
}

function quoted(s: string): string {
  return `"${s.replace(/["\\]/g, "\\$&")}"`;
}

function phrase(text: string, options: WriteOptions): string {
  const name = withoutControls(text).trim();
  // Text that looks like an encoded word would be decoded by readers.
  if (name.includes("=?")) return encodeWord(name, { always: true });
  if (!options.smtputf8 && !ascii.test(name)) return encodeWord(name);
  return name.split(" ").every((w) => atoms.test(w)) ? name : quoted(name);
}

/**
 * `localpart@domain`, quoted where needed; without SMTPUTF8 the domain with A-labels. An address without a
 * domain stays a localpart.
 * @throws AddressError for a localpart beyond ASCII without SMTPUTF8, or a domain that can't be written
 */
export function formatMailbox(
  a: Pick<Address, "localpart" | "domain">,
  options: WriteOptions,
): string {
  const text = `${a.localpart}@${a.domain}`;
  const localpart = withoutControls(a.localpart);
  if (!options.smtputf8 && !ascii.test(localpart)) {
    throw new AddressError("the part before the @ needs SMTPUTF8", text);
  }
  const local = localpart.split(".").every((w) => atoms.test(w)) ? localpart : quoted(localpart);
  if (a.domain === "") return local;
  let domain = withoutControls(a.domain).toLowerCase();
  if (!options.smtputf8 && !ascii.test(domain)) domain = domainToASCII(domain);
  // RFC 5322 §3.4.1: characters that would end the address are not allowed in a domain.
  const bad = domain.startsWith("[") ? /[\s<>,;()"\\]|[[\]](?!$)/ : /[\s<>,;:()"\\@[\]]/;
  if (domain === "" || bad.test(domain.startsWith("[") ? domain.slice(1) : domain)) {
    throw new AddressError("the domain can't be written", text);
  }
  return `${local}@${domain}`;
}

/** `Name <localpart@domain>`, or without a name the result of {@link formatMailbox}. @throws AddressError */
export function formatAddress(address: WrittenAddress, options: WriteOptions): string {
  const mailbox = formatMailbox(address, options);
  const name = address.name === "" ? "" : phrase(address.name, options);
  return name === "" || name === '""' ? mailbox : `${name} <${mailbox}>`;
}

/** Addresses and groups, separated by commas. @throws AddressError */
export function formatAddressList(
  list: readonly (WrittenAddress | WrittenGroup)[],
  options: WriteOptions,
): string {
  return list.map((a) =>
    "group" in a
      ? `${phrase(a.group, options) || '""'}:${
        a.members.map((m) => ` ${formatAddress(m, options)}`).join(",")
      };`
      : formatAddress(a, options)
  ).join(", ");
}
