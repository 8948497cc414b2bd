/** `mailto:` URIs (RFC 6068), for notifications (RFC 5436). @module */
import { oneAddress } from "./addresses.ts";

export interface Mailto {
  to: string[];
  cc: string[];
  bcc: string[];
  subject: string | undefined;
  body: string | undefined;
  /** Other fields set by the URI: names as written. */
  fields: [name: string, value: string][];
}

/** Most addresses in a mailto URI for a notification. */
const mostRecipients = 8;
/** RFC 5436 §2.3: fields that a URI can't set. */
const ignored = new Set([
  ...[
    "from",
    "sender",
    "reply-to",
    "received",
    "return-path",
    "date",
    "message-id",
    "to",
    "auto-submitted",
  ],
  ...["delivered-to", "dkim-signature", "authentication-results", "content-type", "mime-version"],
  ...["content-transfer-encoding", "resent-from", "resent-to", "resent-date"],
]);

function decoded(s: string): string | undefined {
  try {
    return decodeURIComponent(s);
  } catch {
    return undefined;
  }
}

/** Splits addresses at commas. */
function split(text: string): string[] {
  return (text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"]|")+/g) ?? []).map((a) => a.trim()).filter((a) =>
    a !== ""
  );
}

/** Parses a URI. @returns why it is invalid, as text */
export function parseMailto(uri: string): Mailto | string {
  if (uri.length > 10_000) return "is too long";
  const m = /^mailto:([^?#]*)(?:\?([^#]*))?$/i.exec(uri);
  if (!m || /[\s<>"\\^`{|}\p{Cc}]/u.test(uri)) return "is no URI of RFC 6068";
  const r: Mailto = { to: [], cc: [], bcc: [], subject: undefined, body: undefined, fields: [] };
  const addAll = (list: string[], text: string): string | undefined => {
    for (const piece of text.split(",")) {
      const whole = decoded(piece);
      // RFC 2368 §2 writes the commas between addresses as %2C; a comma within an address is quoted.
      for (const address of whole === undefined ? [] : split(whole)) {
        if (!oneAddress(address)) return `has ${JSON.stringify(piece)} for an address`;
        if (!list.some((a) => a.toLowerCase() === address.toLowerCase())) list.push(address);
      }
      if (whole === undefined) return `has ${JSON.stringify(piece)} for an address`;
    }
    return undefined;
  };
  const wrong = addAll(r.to, m[1]);
  if (wrong) return wrong;
  for (const pair of (m[2] ?? "").split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = decoded(at < 0 ? pair : pair.slice(0, at));
    const raw = at < 0 ? undefined : pair.slice(at + 1);
    const value = raw === undefined ? undefined : decoded(raw);
    if (name === undefined || value === undefined || !/^[\x21-\x39\x3b-\x7e]+$/.test(name)) {
      return `has ${JSON.stringify(pair)} for a header field`;
    }
    switch (name.toLowerCase()) {
      case "to":
      case "cc":
      case "bcc": {
        const wrong = addAll(r[name.toLowerCase() as "to" | "cc" | "bcc"], raw!);
        if (wrong) return wrong;
        break;
      }
      case "subject":
        r.subject ??= value;
        break;
      case "body":
        r.body ??= value;
        break;
      default:
        if (!ignored.has(name.toLowerCase()) && r.fields.length < 20) r.fields.push([name, value]);
    }
  }
  const count = r.to.length + r.cc.length + r.bcc.length;
  if (count === 0) return "has no address to send to";
  return count > mostRecipients ? `has more than ${mostRecipients} addresses` : r;
}

/** Why a text is not a URI to send to; undefined if it is. */
export function mailtoProblem(uri: string): string | undefined {
  const r = parseMailto(uri);
  return typeof r === "string" ? r : undefined;
}
