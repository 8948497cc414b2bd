/** Parts of a message: their kinds, from their headers. @module */
import { type HeaderField, headerField, headerText } from "../header/header.ts";
import {
  type ContentType,
  parseContentType,
  parseDisposition,
  parseEncoding,
  parseLanguages,
  withoutComments,
} from "../header/params.ts";

/** Limits of parsing; content beyond them is stored, but opaque. */
export const limits = {
  /** Deepest nesting of multiparts and embedded messages. */
  depth: 100,
  /** Most parts of a message. */
  parts: 10_000,
  /** Most bytes of one header that are parsed. */
  header: 1024 * 1024,
  /** Parameters of all parts together; beyond that only those needed for reading a part are kept. */
  params: 20_000,
  /** Most bytes of the headers of all parts together that are parsed. */
  headers: 8 * 1024 * 1024,
};

/**
 * A part; offsets are bytes from the start of the message. The parts of a message and their kinds are
 * determined here once, for everything that reads messages: IMAP, the webmail, the web API, previews, searches,
 * the junk filter, exports. A multipart without any part is a text, and is shown as one.
 */
export interface Part {
  headerOffset: number;
  bodyOffset: number;
  /** End of the body, without the line end before a boundary. */
  endOffset: number;
  /** Lines of the body. */
  lines: number;
  /** Lower case. */
  type: string;
  subtype: string;
  /** Parameters of Content-Type: names in lower case, values decoded (RFC 2231). */
  params: Record<string, string>;
  /**
   * Content-Transfer-Encoding in lower case, its proper name even if misspelt; "7bit" if not given. For
   * multiparts and parsed messages always one that leaves bytes unchanged.
   */
  encoding: string;
  id?: string;
  description?: string;
  md5?: string;
  disposition?: string;
  dispositionParams?: Record<string, string>;
  language?: string[];
  location?: string;
  /** Parts of a multipart. */
  parts: Part[];
  /** The embedded message of message/rfc822 and message/global. */
  message?: Part;
  /** Header of a message (the whole one, or one embedded), raw; only while parsing, not stored. */
  header?: Uint8Array;
  /** Its own header or body has a line too long for SMTP (RFC 5321 §4.5.3.1.6); not stored. */
  longLine?: boolean;
  /** For a whole message: whether it contains a NUL byte. */
  hasNul?: boolean;
}

/** A new part: a text, until its header is known. */
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

/** Sets a part's properties from its header fields. */
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

/** Drops all parameters of a part except those needed to read or name it. */
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

/** Leaf parts, from the first to the last, including those of embedded messages. */
export function* leaves(part: Part): Generator<Part> {
  if (part.message) yield* leaves(part.message);
  else if (part.parts.length > 0) { for (const c of part.parts) yield* leaves(c); }
  else yield part;
}
