/** Parts of a message: what each is, as its header says. @module */
import { type HeaderField, headerField, headerText } from "../header/header.ts";
import {
  type ContentType,
  parseContentType,
  parseDisposition,
  parseEncoding,
  parseLanguages,
  withoutComments,
} from "../header/params.ts";

/** What is looked at; more than that is stored, but opaque. */
export const limits = {
  /** Levels of multiparts and embedded messages. */
  depth: 100,
  /** Parts of a message. */
  parts: 10_000,
  /** Bytes of one header that are looked at. */
  header: 1024 * 1024,
  /** Parameters of all parts together; of those beyond only what reading the part needs is kept. */
  params: 20_000,
  /** Bytes of the headers of all parts together that are looked at. */
  headers: 8 * 1024 * 1024,
};

/**
 * A part; offsets are bytes from the start of the message. What parts a message has, and what each is, is decided
 * here once, and all that reads messages goes by it: IMAP, the webmail, the web API, previews, searches, the junk
 * filter, exports. A multipart in which no part is found is a text: that is how it is shown.
 */
export interface Part {
  headerOffset: number;
  bodyOffset: number;
  /** Where the body ends; the line end before a boundary is not in it. */
  endOffset: number;
  /** Lines of the body. */
  lines: number;
  /** Lower case. */
  type: string;
  subtype: string;
  /** Of Content-Type: names in lower case, values decoded (RFC 2231). */
  params: Record<string, string>;
  /**
   * Content-Transfer-Encoding in lower case, its proper name also where it is misspelt; "7bit" if not given. Of
   * multiparts, and of messages that were looked into, always one that leaves bytes as they are.
   */
  encoding: string;
  id?: string;
  description?: string;
  md5?: string;
  disposition?: string;
  dispositionParams?: Record<string, string>;
  language?: string[];
  location?: string;
  /** Of a multipart. */
  parts: Part[];
  /** Of message/rfc822 and message/global: the message in it. */
  message?: Part;
  /** Header of a message (the whole one, or one embedded), raw; only while parsing, not stored. */
  header?: Uint8Array;
  /** Its own header or body has a line that is too long for SMTP (RFC 5321 §4.5.3.1.6); not stored. */
  longLine?: boolean;
  /** Of a whole message: a byte of it is NUL. */
  hasNul?: boolean;
}

/** A part of which nothing is known yet: a text. */
export function newPart(offset: number): Part {
  return {
    headerOffset: offset,
    bodyOffset: offset,
    endOffset: offset,
    lines: 0,
    type: "text",
    subtype: "plain",
    params: {},
    encoding: "7bit",
    parts: [],
  };
}

/** Sets what the fields of a part's header say that it is. */
export function setFromHeader(part: Part, fields: readonly HeaderField[]): void {
  const type: ContentType = parseContentType(headerField(fields, "content-type")) ?? {
    type: part.type,
    subtype: part.subtype,
    params: part.type === "text" ? { charset: "us-ascii" } : {},
  };
  part.type = type.type;
  part.subtype = type.subtype;
  part.params = type.params;
  part.encoding = parseEncoding(headerText(fields, "content-transfer-encoding"));
  const id = headerText(fields, "content-id");
  if (id) part.id = withoutComments(id).trim().slice(0, 1000);
  const description = headerText(fields, "content-description");
  if (description) part.description = description.slice(0, 1000);
  const md5 = headerText(fields, "content-md5");
  if (md5) part.md5 = withoutComments(md5).trim().slice(0, 100);
  const location = headerText(fields, "content-location");
  if (location) part.location = location.slice(0, 1000);
  const disposition = parseDisposition(headerField(fields, "content-disposition"));
  if (disposition) {
    part.disposition = disposition.type;
    part.dispositionParams = disposition.params;
  }
  const languages = parseLanguages(headerText(fields, "content-language"));
  if (languages.length > 0) part.language = languages;
}

/** Leaves a part only those parameters without which it can't be read, or has no name. */
export function dropParams(part: Part): void {
  part.params = needed(part.params);
  if (part.dispositionParams) part.dispositionParams = needed(part.dispositionParams);
}

function needed(params: Record<string, string>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ["boundary", "charset", "format", "delsp", "name", "filename"]) {
    if (Object.hasOwn(params, name)) found[name] = params[name];
  }
  return found;
}

/** Leaf parts, from the first to the last, those of embedded messages too. */
export function* leaves(part: Part): Generator<Part> {
  if (part.message) yield* leaves(part.message);
  else if (part.parts.length > 0) { for (const c of part.parts) yield* leaves(c); }
  else yield part;
}
