/** Header fields of a new message from a client's properties (RFC 8621 §4.6). @module */
import {
  AddressError,
  formatAddressList,
  type WrittenAddress,
  type WrittenGroup,
} from "../../mail/address/format.ts";
import { foldField, textField } from "../../mail/compose.ts";
import { invalidProperties } from "../core/errors.ts";
import { dateMs } from "../core/types.ts";
import { convenient, type HeaderProperty, headerProperty } from "./header_fields.ts";

function isObject(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

function bad(property: string, why: string): Error {
  return invalidProperties([property], `${property}: ${why}`);
}

function address(property: string, value: unknown): WrittenAddress {
  if (!isObject(value) || typeof value.email !== "string") {
    throw bad(property, "an address needs an email");
  }
  const { name, email } = value;
  if (name !== undefined && name !== null && typeof name !== "string") {
    throw bad(property, "the name of an address is a string");
  }
  for (const k of Object.keys(value)) {
    if (k !== "name" && k !== "email") throw bad(property, `an address has no ${k}`);
  }
  const at = email.lastIndexOf("@");
  let localpart = at < 0 ? email : email.slice(0, at);
  if (/^".*"$/s.test(localpart)) localpart = localpart.slice(1, -1).replace(/\\(.)/gs, "$1");
  return {
    name: name ?? "",
    localpart: localpart.trim(),
    domain: at < 0 ? "" : email.slice(at + 1).trim(),
  };
}

function addresses(property: string, value: unknown): WrittenAddress[] {
  if (!Array.isArray(value)) throw bad(property, "must be an array of addresses");
  return value.map((a) => address(property, a));
}

function groups(property: string, value: unknown): (WrittenAddress | WrittenGroup)[] {
  if (!Array.isArray(value)) throw bad(property, "must be an array of groups");
  return value.flatMap((g): (WrittenAddress | WrittenGroup)[] => {
    if (!isObject(g) || (g.name !== null && g.name !== undefined && typeof g.name !== "string")) {
      throw bad(property, "must be an array of groups");
    }
    const members = addresses(property, g.addresses);
    return typeof g.name === "string" ? [{ group: g.name, members }] : members;
  });
}

/** ASCII if possible; otherwise the field needs SMTPUTF8. */
function addressLine(name: string, list: readonly (WrittenAddress | WrittenGroup)[]): string {
  try {
    return foldField(name, formatAddressList(list, { smtputf8: false }));
  } catch (err) {
    if (!(err instanceof AddressError)) throw err;
    return foldField(name, formatAddressList(list, { smtputf8: true }));
  }
}

function strings(property: string, value: unknown): string[] {
  if (!Array.isArray(value) || value.some((x) => typeof x !== "string")) {
    throw bad(property, "must be an array of strings");
  }
  return value as string[];
}

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const days = "Sun Mon Tue Wed Thu Fri Sat".split(" ");

/** A JMAP Date in header form, in the same zone (RFC 5322 §3.3). */
export function headerDate(value: string): string {
  const ms = dateMs(value)!;
  const zone = /([+-])(\d\d):(\d\d)$/.exec(value);
  const offset = zone ? (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) : 0;
  const d = new Date(ms + offset * 60_000);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${days[d.getUTCDay()]}, ${d.getUTCDate()} ${months[d.getUTCMonth()]} ` +
    `${String(d.getUTCFullYear()).padStart(4, "0")} ${two(d.getUTCHours())}:${
      two(d.getUTCMinutes())
    }:` +
    `${two(d.getUTCSeconds())} ${zone ? `${zone[1]}${zone[2]}${zone[3]}` : "+0000"}`;
}

/** One field from a value. @throws SetError invalidProperties */
function line(h: HeaderProperty, value: unknown): string {
  const { property, name } = h;
  switch (h.form) {
    case "asRaw": {
      if (typeof value !== "string") throw bad(property, "must be a string");
      // A line break without continuation would begin another field.
      if (/\r(?!\n)|(?<!\r)\n(?![ \t])|\r\n(?![ \t])|\0/.test(value)) {
        throw bad(property, "has a line end that doesn't continue the field");
      }
      const folded = value.replace(/\r?\n/g, "\r\n");
      return `${name}:${folded.startsWith(" ") || folded === "" ? "" : " "}${folded}\r\n`;
    }
    case "asText":
      if (typeof value !== "string") throw bad(property, "must be a string");
      return textField(name, value, { smtputf8: false });
    case "asAddresses":
      return addressLine(name, addresses(property, value));
    case "asGroupedAddresses":
      return addressLine(name, groups(property, value));
    case "asMessageIds": {
      const ids = strings(property, value);
      if (ids.some((i) => !/^[^\s<>]{1,990}$/.test(i))) throw bad(property, "is no message id");
      return foldField(name, ids.map((i) => `<${i}>`).join(" "));
    }
    case "asDate":
      if (typeof value !== "string" || dateMs(value) === undefined) {
        throw bad(property, "is no date");
      }
      return foldField(name, headerDate(value));
    case "asURLs": {
      const urls = strings(property, value);
      if (urls.some((u) => /[<>\s]/.test(u))) throw bad(property, "is no URL");
      return foldField(name, urls.map((u) => `<${u}>`).join(", "));
    }
  }
}

/**
 * Fields for the properties of an object that represent header fields, each with CRLF at its end.
 * @param forbidden names of fields that are not allowed here
 * @returns the lines, and the names of the fields in lower case
 * @throws SetError invalidProperties
 */
export function writeHeader(
  o: Record<string, unknown>,
  forbidden: (field: string) => boolean,
  withConvenient: boolean,
): { lines: string[]; fields: Set<string> } {
  const lines: string[] = [];
  const fields = new Map<string, string>();
  for (const [property, value] of Object.entries(o)) {
    let h: HeaderProperty | undefined;
    try {
      h = (withConvenient ? convenient.get(property) : undefined) ?? headerProperty(property);
    } catch (err) {
      throw bad(property, (err as Error).message);
    }
    if (!h) continue;
    if (forbidden(h.field)) throw bad(property, "this header field can't be given here");
    const other = fields.get(h.field);
    if (other !== undefined) {
      throw invalidProperties([other, property], "two properties are of the same header field");
    }
    fields.set(h.field, property);
    if (h.all) {
      if (!Array.isArray(value)) throw bad(property, "must be an array");
      for (const x of value) lines.push(line(h, x));
    } else if (value !== null) {
      lines.push(line(h, value));
    }
  }
  return { lines, fields: new Set(fields.keys()) };
}
