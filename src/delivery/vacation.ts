/**
 * The reply of an account whose user is away (RFC 3834): who gets one, and its contents.
 *
 * @module
 */
import * as v from "valibot";
import { composeText, foldField, joinMessage, textField } from "../mail/compose.ts";
import { flattenAddresses, parseAddressList } from "../mail/address/address.ts";
import { formatAddress, type WrittenAddress } from "../mail/address/format.ts";
import { formatDate } from "../mail/header/date.ts";
import type { HeaderField } from "../mail/header/header.ts";
import type { Summary } from "../store/types.ts";

/** Most characters of a reply. */
export const maxVacationText = 20_000;
const time = v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15)));

export const Vacation = v.object({
  enabled: v.boolean(),
  /** If empty: "Auto: " and the message's subject. */
  subject: v.pipe(v.string(), v.maxLength(500)),
  text: v.pipe(v.string(), v.maxLength(maxVacationText)),
  /** Milliseconds since the epoch from and until which it is sent; null for no end on that side. */
  from: time,
  until: time,
  /** Days during which a sender gets no second reply. */
  days: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(365)),
});
export type Vacation = v.InferOutput<typeof Vacation>;

/** Name of the account setting. */
export const vacationSetting = "vacation";

const off: Vacation = { enabled: false, subject: "", text: "", from: null, until: null, days: 7 };

/** The stored setting; off if there is none. */
export function readVacation(stored: unknown): Vacation {
  const r = v.safeParse(Vacation, stored);
  return r.success ? r.output : off;
}

/** Whether replies are sent at a time. */
export function isAway(vacation: Vacation, now: number): boolean {
  return vacation.enabled && (vacation.from === null || now >= vacation.from) &&
    (vacation.until === null || now < vacation.until);
}

/** Senders whose mail no person reads. */
const robots =
  /^(?:owner-.*|.*-(?:request|owner|bounces?|relay)|bounces?(?:[+=-].*)?|mailer-daemon|listserv|majordomo|postmaster|(?:no|do[._-]?not)[._-]?reply(?:[+=._-].*)?)$/i;
const listFields = new Set([
  "list-id",
  "list-help",
  "list-post",
  "list-subscribe",
  "list-unsubscribe",
  "list-owner",
  "list-archive",
  "mailing-list",
  "feedback-id",
]);

/** Recipients of a message resent by hand (RFC 5322 §3.6.6). */
const resentFields = new Set(["resent-to", "resent-cc", "resent-bcc"]);

/** The facts that decide about a reply. */
export interface Occasion {
  /** Undefined for the null reverse path. */
  mailFrom: { localpart: string; domain: string } | undefined;
  /** SPF or DKIM vouches for the domain of `mailFrom`. */
  verified: boolean;
  fields: readonly HeaderField[];
  summary: Summary;
  /** Whether an address is one of the account that answers. */
  isOwn(address: string): boolean;
}

/** Why a message gets no reply (RFC 3834 §2); undefined if it gets one. */
export function noReplyReason(occasion: Occasion): string | undefined {
  const { mailFrom, fields, summary } = occasion;
  if (mailFrom === undefined) return "null reverse path";
  if (robots.test(mailFrom.localpart)) return "sender is a program";
  if (occasion.isOwn(`${mailFrom.localpart}@${mailFrom.domain}`)) return "from the account itself";
  // A reply to a forged sender would bother somebody who wrote nothing.
  if (!occasion.verified) return "sender is not verified";
  for (const f of fields) {
    const value = f.value.trim().toLowerCase();
    if (listFields.has(f.name)) return "mailing list";
    if (f.name === "auto-submitted" && !/^no\b/.test(value)) return "automatic message";
    if (f.name === "precedence" && /^(?:bulk|list|junk)\b/.test(value)) return "bulk mail";
    if (f.name === "x-auto-response-suppress" && /\b(?:all|oof|autoreply)\b/.test(value)) {
      return "sender asks for no automatic answers";
    }
    if (f.name === "x-spam-flag" && value === "yes") return "junk";
  }
  const named = [...summary.to, ...summary.cc, ...summary.bcc].map((a) => a.address);
  // RFC 5230 §4.5 includes the fields of a message resent by hand.
  const resent = fields.filter((f) => resentFields.has(f.name)).flatMap((f) =>
    flattenAddresses(parseAddressList(f.value)).map((a) => `${a.localpart}@${a.domain}`)
  );
  if (![...named, ...resent].some((a) => occasion.isOwn(a))) return "account is not in To or Cc";
  return undefined;
}

/** The parts of a reply. */
export interface Reply {
  vacation: Vacation;
  from: WrittenAddress;
  to: WrittenAddress;
  /** Summary of the message being answered. */
  summary: Summary;
  messageId: string;
  now: Date;
  smtputf8: boolean;
}

/** The complete reply (RFC 3834 §3). @throws AddressError */
export function composeReply(reply: Reply): Uint8Array {
  const { vacation, summary } = reply;
  const body = composeText(vacation.text);
  const o = { smtputf8: reply.smtputf8 };
  const references = [...summary.references, summary.messageId].filter((id) => id !== "");
  return joinMessage([
    foldField("From", formatAddress(reply.from, o)),
    foldField("To", formatAddress(reply.to, o)),
    textField("Subject", vacation.subject || `Auto: ${summary.subject}`, o),
    foldField("Date", formatDate(reply.now)),
    foldField("Message-ID", `<${reply.messageId}>`),
    ...(summary.messageId === "" ? [] : [foldField("In-Reply-To", `<${summary.messageId}>`)]),
    ...(references.length === 0
      ? []
      : [foldField("References", references.slice(-20).map((id) => `<${id}>`).join(" "))]),
    "Auto-Submitted: auto-replied\r\n",
    "X-Auto-Response-Suppress: All\r\n",
    "MIME-Version: 1.0\r\n",
    ...body.fields,
  ], body.body);
}
