/**
 * Header fields in JMAP's forms (RFC 8621 §4.1.2).
 *
 * @module
 */
import { type Address, flattenAddresses, parseAddressList } from "../../mail/address/address.ts";
import { formatMailbox } from "../../mail/address/format.ts";
import { parseZonedDate } from "../../mail/header/date.ts";
import { decodeWords } from "../../mail/header/words.ts";
import { MethodError } from "../core/errors.ts";

/** A field with its raw value after the colon. */
export interface RawField {
  name: string;
  value: string;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Most fields that are read. */
const maxFields = 20_000;

/** Fields of a header block, up to an empty line. NUL octets are left out. */
export function rawFields(bytes: Uint8Array): RawField[] {
  const text = utf8.decode(bytes).replaceAll("\0", "");
  const fields: RawField[] = [];
  let open = false;
  // Searched once: otherwise each line without one would cause a search to the end.
  let colon = text.indexOf(":");
  for (let at = 0; at < text.length && fields.length < maxFields;) {
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    const stop = end > at && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
    if (stop === at && end < text.length) break;
    const first = text.charCodeAt(at);
    if (first === 32 || first === 9) {
      if (open) fields[fields.length - 1].value += `\r\n${text.slice(at, stop)}`;
    } else {
      if (colon >= 0 && colon < at) colon = text.indexOf(":", at);
      open = colon > at && colon < stop;
      if (open) {
        fields.push({ name: text.slice(at, colon).trimEnd(), value: text.slice(colon + 1, stop) });
      }
    }
    at = end + 1;
  }
  return fields;
}

function unfolded(raw: string): string {
  // As everywhere: one space replaces the folding whitespace.
  return raw.replace(/\r*\n[ \t]+/g, " ").trim();
}

/** Text form: unfolded, decoded, NFC (§4.1.2.2). */
export function asText(raw: string): string {
  // deno-lint-ignore no-control-regex -- encoded words may contain these
  return decodeWords(unfolded(raw)).replace(/[\x00-\x08\x0a-\x1f\x7f]/g, "").normalize("NFC");
}

interface EmailAddress {
  name: string | null;
  email: string;
}

function emailAddress(address: Address): EmailAddress {
  const name = address.name.normalize("NFC");
  let email: string;
  try {
    email = address.domain === ""
      ? address.localpart
      : `${
        formatMailbox({ localpart: address.localpart, domain: "x" }, {
          smtputf8: true,
        }).slice(0, -1)
      }${address.domain}`;
  } catch {
    email = `${address.localpart}@${address.domain}`;
  }
  return { name: name === "" ? null : name, email };
}

/** Addresses form (§4.1.2.3): groups are expanded. */
export function asAddresses(raw: string): EmailAddress[] {
  return flattenAddresses(parseAddressList(unfolded(raw))).map(emailAddress);
}

/** Grouped addresses form (§4.1.2.4). */
export function asGroupedAddresses(
  raw: string,
): { name: string | null; addresses: EmailAddress[] }[] {
  const groups: { name: string | null; addresses: EmailAddress[] }[] = [];
  let loose: EmailAddress[] | undefined;
  for (const a of parseAddressList(unfolded(raw))) {
    if ("group" in a) {
      loose = undefined;
      groups.push({ name: a.group.normalize("NFC"), addresses: a.members.map(emailAddress) });
      continue;
    }
    if (!loose) {
      loose = [];
      groups.push({ name: null, addresses: loose });
    }
    loose.push(emailAddress(a));
  }
  return groups;
}

/** Message ids form (§4.1.2.5): the texts between angle brackets; null if none. */
export function asMessageIds(raw: string): string[] | null {
  const ids = [...unfolded(raw).matchAll(/<([^<>]{1,998})>/g)].map((m) => m[1].replace(/\s+/g, ""));
  return ids.length === 0 ? null : ids;
}

/** A time in its original zone. */
export function zonedDate(ms: number, zone: number): string {
  const local = new Date(ms + zone * 60_000).toISOString().slice(0, 19);
  if (zone === 0) return `${local}Z`;
  const [sign, minutes] = zone < 0 ? ["-", -zone] : ["+", zone];
  const two = (n: number) => String(n).padStart(2, "0");
  return `${local}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Date form (§4.1.2.6): null if invalid. */
export function asDate(raw: string): string | null {
  const d = parseZonedDate(unfolded(raw));
  return d === undefined ? null : zonedDate(d.date.getTime(), d.zone);
}

/** URLs form (§4.1.2.7): null if there is none. */
export function asUrls(raw: string): string[] | null {
  const urls = [...unfolded(raw).matchAll(/<([^<>]{1,4000})>/g)].map((m) =>
    m[1].replace(/\s+/g, "")
  );
  return urls.length === 0 ? null : urls;
}

const forms = {
  asRaw: (raw: string) => raw,
  asText,
  asAddresses,
  asGroupedAddresses,
  asMessageIds,
  asDate,
  asURLs: asUrls,
} as const;
export type FormName = keyof typeof forms;

const addressFields = new Set([
  ...["from", "sender", "reply-to", "to", "cc", "bcc"],
  ...["resent-from", "resent-sender", "resent-reply-to", "resent-to", "resent-cc", "resent-bcc"],
]);
const textFields = new Set(["subject", "comments", "keywords", "list-id"]);
const idFields = new Set(["message-id", "in-reply-to", "references", "resent-message-id"]);
const dateFields = new Set(["date", "resent-date"]);
const urlFields = new Set([
  ...["list-help", "list-unsubscribe", "list-subscribe", "list-post", "list-owner", "list-archive"],
]);
/** Fields of RFC 5322 and RFC 2369 that allow only the Raw form. */
const rawOnly = new Set(["return-path", "received"]);

/** Whether a form is allowed for a field: non-standard fields allow any. */
export function allowsForm(field: string, form: FormName): boolean {
  if (form === "asRaw") return true;
  if (addressFields.has(field)) return form === "asAddresses" || form === "asGroupedAddresses";
  if (textFields.has(field)) return form === "asText";
  if (idFields.has(field)) return form === "asMessageIds";
  if (dateFields.has(field)) return form === "asDate";
  if (urlFields.has(field)) return form === "asURLs";
  return !rawOnly.has(field);
}

/** A property such as "header:List-Post:asURLs:all". */
export interface HeaderProperty {
  /** As requested. */
  property: string;
  /** As requested, and in lower case. */
  name: string;
  field: string;
  form: FormName;
  all: boolean;
}

/**
 * Parses the name of a header property; undefined for a property of another kind.
 * @throws MethodError invalidArguments for an invalid one
 */
export function headerProperty(property: string): HeaderProperty | undefined {
  if (!property.startsWith("header:")) return undefined;
  const bad = (why: string) =>
    new MethodError("invalidArguments", `${property.slice(0, 200)}: ${why}`);
  const [, name, ...rest] = property.split(":");
  if (!/^[\x21-\x39\x3b-\x7e]{1,255}$/.test(name)) throw bad("there is no such header field");
  const all = rest[rest.length - 1] === "all";
  if (all) rest.pop();
  if (rest.length > 1) throw bad("there is no such form");
  const form = rest[0] ?? "asRaw";
  if (!Object.hasOwn(forms, form)) throw bad("there is no such form");
  const field = name.toLowerCase();
  if (!allowsForm(field, form as FormName)) throw bad("the field does not have this form");
  return { property, name, field, form: form as FormName, all };
}

/** The value of a header property: of the last field of that name, or of all. */
export function headerValue(fields: readonly RawField[], property: HeaderProperty): unknown {
  const found = fields.filter((f) => f.name.toLowerCase() === property.field);
  const of = (f: RawField) => forms[property.form](f.value);
  if (property.all) return found.map(of);
  return found.length === 0 ? null : of(found[found.length - 1]);
}

/** Properties of an Email that represent a header field (§4.1.2.3 and following). */
export const convenient: ReadonlyMap<string, HeaderProperty> = new Map(
  ([
    ["messageId", "Message-ID", "asMessageIds"],
    ["inReplyTo", "In-Reply-To", "asMessageIds"],
    ["references", "References", "asMessageIds"],
    ["sender", "Sender", "asAddresses"],
    ["from", "From", "asAddresses"],
    ["to", "To", "asAddresses"],
    ["cc", "Cc", "asAddresses"],
    ["bcc", "Bcc", "asAddresses"],
    ["replyTo", "Reply-To", "asAddresses"],
    ["subject", "Subject", "asText"],
    ["sentAt", "Date", "asDate"],
  ] as const).map(([property, name, form]) => [
    property,
    { property, name, field: name.toLowerCase(), form, all: false },
  ]),
);
