/** Refusals with the unmet condition (RFC 4918 §16). @module */
import { CAL, CARD, DAV, el, href, xmlDocument } from "../xml/write.ts";

/** An error answer. */
export class DavError extends Error {
  override name = "DavError";
  readonly status: number;
  /** XML of the condition; undefined if there is none. */
  readonly condition: string | undefined;
  readonly headers: Record<string, string>;
  constructor(
    status: number,
    message: string,
    condition?: string,
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.status = status;
    this.condition = condition;
    this.headers = headers;
  }
}

/** Conditions by the namespace of their document. */
export const davCondition = (name: string, inner = "") => el(DAV, name, inner);
export const calCondition = (name: string, inner = "") => el(CAL, name, inner);
export const cardCondition = (name: string, inner = "") => el(CARD, name, inner);

/** 403 for a missing privilege (RFC 3744 §7.1.1). */
export function needPrivileges(path: string, privilege: string): DavError {
  const resource = el(DAV, "resource", href(path) + el(DAV, "privilege", el(DAV, privilege)));
  return new DavError(
    403,
    `this needs the right to ${privilege}`,
    davCondition("need-privileges", resource),
  );
}

/** The body of an error. */
export function errorDocument(err: DavError): string {
  // As a comment: programs take elements for conditions.
  const words = `<!-- ${escapeText(err.message)} -->`;
  return xmlDocument(el(DAV, "error", (err.condition ?? "") + words));
}

const escapeText = (s: string) => s.replace(/[<>&]|-(?=-)|-$/g, " ");
