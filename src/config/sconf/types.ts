/** Kinds of text in the configuration files, each with its check. @module */
import { parseNetwork } from "../../net/mod.ts";
import { isIP } from "node:net";
import { NameError, parseAddress, parseDomain, parseLocalpart } from "../names.ts";
import { compileRegExp, RegExpSyntaxError } from "./regexp.ts";
import { type TextCheck, type Type } from "./schema.ts";
import { map } from "./schema_blocks.ts";
import { int, text } from "./schema_scalars.ts";

/** Runs a parser for its error message. */
function complaint(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (err) {
    if (err instanceof NameError || err instanceof RegExpSyntaxError) return err.message;
    throw err;
  }
}

function nameComplaint(what: string, parse: () => unknown): string | undefined {
  const problem = complaint(parse);
  return problem === undefined ? undefined : `is not ${what}: it ${problem}`;
}

export const checkDomain: TextCheck = (s) => nameComplaint("a domain", () => parseDomain(s));

/** A key or name for comparison: in Unicode and lower case, with a single spelling. */
export const checkUnicodeDomain: TextCheck = (s) => {
  const problem = checkDomain(s);
  if (problem) return problem;
  const { unicode } = parseDomain(s);
  return unicode === s ? undefined : `must be written ${JSON.stringify(unicode)}`;
};

export const checkLocalpart: TextCheck = (s) => complaint(() => parseLocalpart(s));

/** A domain in either form. */
export const domainText: Type<string> = text(checkDomain, "a domain");
/** A domain in Unicode. */
export const unicodeDomainText: Type<string> = text(checkUnicodeDomain, "a domain");
/** A DNS name that may have underscores. */
export const dnsZoneText: Type<string> = text(
  (s) => nameComplaint("a DNS zone", () => parseDomain(s, { underscore: true })),
  "a DNS zone",
);
/** A network in CIDR form, or an address. */
export const networkText: Type<string> = text((s) => {
  try {
    parseNetwork(s);
    return undefined;
  } catch (err) {
    return `is ${(err as Error).message.replace(/^"[^"]*" is /, "")}`;
  }
}, "a network or an address");
export const localpartText: Type<string> = text(
  checkLocalpart,
  "the part of an address before the @",
);
export const addressText: Type<string> = text(
  (s) => nameComplaint("an address", () => parseAddress(s)),
  "an address",
);

/** A regular expression (see `regexp.ts`). */
export const checkRegexp: TextCheck = (s) => {
  const problem = complaint(() => compileRegExp(s));
  return problem === undefined ? undefined : `is not a regular expression: it ${problem}`;
};
export const regexpText: Type<string> = text(checkRegexp, "a regular expression");

export const ipText: Type<string> = text(
  (s) => isIP(s) !== 0 && !s.includes("%") ? undefined : "is not an IP address",
  "an IP address",
);

/** A name in DNS, or an IP address. */
export const hostText: Type<string> = text(
  (s) =>
    (isIP(s) !== 0 && !s.includes("%")) || checkDomain(s) === undefined
      ? undefined
      : "is neither a domain nor an IP address",
  "a domain or an IP address",
);

/** True for 0.0.0.0 and ::, which stand for all addresses of the machine. */
export function isUnspecifiedIp(ip: string): boolean {
  return /^[0:.]+$/.test(ip);
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopbackIp(ip: string): boolean {
  return /^127\.|^(?:::ffff:)127\./i.test(ip) || /^[0:]*:0{0,3}1$/.test(ip);
}

/** A mailbox's name, `/` between its levels. */
export const checkMailbox: TextCheck = (s) => {
  const normal = s.normalize("NFC");
  if (normal !== s) return `is not in Unicode normal form C: write ${JSON.stringify(normal)}`;
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(s)) return "has a control character";
  if (s.split("/").some((level) => level === "")) return "has an empty name before or after a /";
  if (/^#/.test(s)) return "must not start with #";
  return undefined;
};
export const mailboxText: Type<string> = text(checkMailbox, "the name of a mailbox");

/** Special uses that settings can name in place of a mailbox (RFC 6154 §2). */
const specialUses = ["\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"];

/** Days that messages are kept, by names of mailboxes or special uses; 0 for no limit. */
export const retentionDays: Type<Map<string, number>> = map(
  int(0, 36_500),
  (s) =>
    s.startsWith("\\")
      ? specialUses.includes(s) ? undefined : `is not one of ${specialUses.join(", ")}`
      : isInbox(s) && s !== "Inbox"
      ? 'must be written "Inbox"'
      : checkMailbox(s),
);

/** True if a mailbox is the inbox, in any case (RFC 9051 §5.1). */
export function isInbox(mailbox: string): boolean {
  return mailbox.toLowerCase() === "inbox";
}

/** Path of a file or folder, with `/` on all systems. */
export const fileText: Type<string> = text(
  // deno-lint-ignore no-control-regex
  (s) => /[\u0000-\u001f]/.test(s) ? "has a control character" : undefined,
  "the path of a file",
);

/** TCP port; 0 means the service's default. */
export const port: Type<number> = int(0, 65535);
/** A number of bytes or items. */
export const count: Type<number> = int(0);

/** URL of an HTTP service. */
export const httpUrlText: Type<string> = text((s) => {
  const url = URL.canParse(s) ? new URL(s) : undefined;
  if (!url) return "is not a URL";
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return "must be a URL starting with http:// or https://";
  }
  return undefined;
}, "a URL");

/** Origin of web pages (RFC 6454), with * as port for all ports; or * for all. */
export const originText: Type<string> = text((s) => {
  if (s === "*") return undefined;
  const plain = s.replace(/:\*$/, "");
  return URL.parse(plain)?.origin === plain
    ? undefined
    : "must be an origin such as https://mail.example.org or http://localhost:*, or *";
}, "an origin, or *");

/** Text for answers of SMTP and IMAP: printable ASCII, at most 256 characters. */
export const checkAnswer: TextCheck = (s) => {
  if (s.length > 256) return "is longer than 256 characters";
  if (!/^[ -~]*$/.test(s)) return "must be printable ASCII";
  return undefined;
};
export const answerText: Type<string> = text(checkAnswer);

/** Path of an HTTP service: starts and ends with a slash; a missing final one is added. */
export const servicePathText: Type<string> = withFinalSlash(
  text((s) => s.startsWith("/") ? undefined : "must start with a slash", "the path of a URL"),
);

function withFinalSlash(type: Type<string>): Type<string> {
  const slashed: Type<string> = {
    ...type,
    read(node, line, report) {
      const path = type.read(node, line, report);
      return path === "" || path.endsWith("/") ? path : `${path}/`;
    },
    update(old, value) {
      return slashed.read(old, 0, () => {}) === value ? old : slashed.toNode(value);
    },
  };
  return slashed;
}
