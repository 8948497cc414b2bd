/** Messages written by scripts: vacation replies (RFC 5230) and notifications (RFC 5436). @module */
import { composeReply, noReplyReason } from "../../delivery/vacation.ts";
import { composeText, foldField, joinMessage, textField } from "../../mail/compose.ts";
import { formatAddress, formatAddressList } from "../../mail/address/format.ts";
import { formatDate } from "../../mail/header/date.ts";
import {
  type MailAddress,
  type Notification,
  oneAddress,
  parseMailto,
  type Vacation,
} from "../../sieve/mod.ts";
import { addressText, needsUtf8 } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { organizationalDomain } from "../../store/messages/describe.ts";
import type { Account as AccountConfig } from "../../config/mod.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";

/** A message to send. */
export interface Written {
  bytes: Uint8Array;
  to: string[];
  messageId: string;
  subject: string;
  smtputf8: boolean;
}

const encoder = new TextEncoder();

/** The reply, or why there is none. */
export function vacationReply(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  account: Account,
  conf: AccountConfig,
  vacation: Vacation,
): Written | string {
  const { mailFrom } = incoming.transaction;
  const { fields, summary } = incoming.arrived.description;
  const facts = incoming.sender.factsFor(plan.recipient.address);
  const given = new Set(vacation.addresses.map((a) => a.toLowerCase()));
  const organization = mailFrom && organizationalDomain(mailFrom.domain);
  const reason = plan.alias && given.size === 0 ? "to an alias" : noReplyReason({
    mailFrom,
    // Localserve verifies nobody.
    verified: incoming.sender.auth === undefined || facts.mailFromValidation === "pass" ||
      facts.dkimDomains.some((d) => organizationalDomain(d) === organization),
    fields,
    summary,
    isOwn: (a) => given.has(a.toLowerCase()) || services.config.accountFor(a) === account.name,
  });
  if (reason !== undefined || !mailFrom) return reason ?? "null reverse path";
  const own = plan.recipient.address;
  // Other addresses would be a forgery.
  const wanted = vacation.from === undefined ? undefined : oneAddress(vacation.from);
  const allowed =
    wanted && services.config.accountFor(`${wanted.localpart}@${wanted.domain}`) === account.name
      ? wanted
      : undefined;
  const messageId = `${crypto.randomUUID()}@${services.config.static.Hostname}`;
  const smtputf8 = needsUtf8(mailFrom) || needsUtf8(own);
  const destination = plan.targets.find((t) => t.account === account.name)?.destination;
  const subject = vacation.subject ?? `Auto: ${summary.subject}`;
  const bytes = composeReply({
    vacation: {
      enabled: true,
      subject,
      text: vacation.mime ? "" : vacation.reason,
      from: null,
      until: null,
      days: 1,
    },
    from: {
      name: destination?.FullName || conf.FullName,
      ...allowed ?? { localpart: own.localpart, domain: own.domain },
    },
    to: { name: "", ...mailFrom },
    summary,
    messageId,
    now: new Date(services.now()),
    smtputf8,
  });
  return {
    bytes: vacation.mime ? withMimeBody(bytes, vacation.reason) : bytes,
    to: [addressText(mailFrom)],
    messageId,
    subject,
    smtputf8,
  };
}

/** RFC 5230 §4.4: the text starts with the content's header fields and an empty line. */
function withMimeBody(message: Uint8Array, entity: string): Uint8Array {
  const header = new TextDecoder().decode(message).split("\r\n\r\n", 1)[0].split(/\r\n(?![ \t])/)
    .filter((f) => !/^content-/i.test(f));
  const text = entity.replace(/\r?\n/g, "\r\n");
  const at = text.startsWith("\r\n") ? 0 : text.indexOf("\r\n\r\n");
  const fields = at <= 0
    ? []
    : text.slice(0, at).split(/\r\n(?![ \t])/).filter((f) => /^content-/i.test(f));
  const body = at < 0 ? text : text.slice(at).replace(/^(?:\r\n){1,2}/, "");
  return encoder.encode(`${[...header, ...fields].join("\r\n")}\r\n\r\n${body}`);
}

/** The notification, or why there is none (RFC 5436 §2.7). */
export function notification(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  account: Account,
  n: Notification,
): Written | string {
  const uri = parseMailto(n.method);
  if (typeof uri === "string") return uri;
  const { fields, summary } = incoming.arrived.description;
  // RFC 5436 §2.7.1: never about automatic replies, and never in a loop.
  if (fields.some((f) => f.name === "auto-submitted" && !/^no\b/i.test(f.value.trim()))) {
    return "automatic message";
  }
  const own = plan.recipient.address;
  const wanted = n.from === undefined ? undefined : oneAddress(n.from);
  const from =
    wanted && services.config.accountFor(`${wanted.localpart}@${wanted.domain}`) === account.name
      ? wanted
      : { localpart: own.localpart, domain: own.domain };
  const list = (
    addresses: readonly string[],
  ): { name: string; localpart: string; domain: string }[] =>
    addresses.map((a) => ({ name: "", ...(oneAddress(a) as MailAddress) }));
  const messageId = `${crypto.randomUUID()}@${services.config.static.Hostname}`;
  const sender = summary.from[0]?.address ?? "";
  const subject = n.message ?? uri.subject ?? `New message from ${sender}: ${summary.subject}`;
  const text = uri.body ?? `From: ${sender}\nSubject: ${summary.subject}\n`;
  const body = composeText(text);
  const o = { smtputf8: /[^\p{ASCII}]/u.test([...uri.to, ...uri.cc].join("") + from.localpart) };
  const bytes = joinMessage([
    foldField("From", formatAddress({ name: "", ...from }, o)),
    ...(uri.to.length > 0 ? [foldField("To", formatAddressList(list(uri.to), o))] : []),
    ...(uri.cc.length > 0 ? [foldField("Cc", formatAddressList(list(uri.cc), o))] : []),
    textField("Subject", subject.slice(0, 500), o),
    foldField("Date", formatDate(new Date(services.now()))),
    foldField("Message-ID", `<${messageId}>`),
    foldField(
      "Auto-Submitted",
      `auto-notified; owner-email="${addressText(own).replace(/["\\]/g, "\\$&")}"`,
    ),
    ...(n.importance === 2 ? [] : [foldField("Importance", n.importance === 1 ? "high" : "low")]),
    ...uri.fields.filter(([name]) =>
      !/^(?:importance|message-id|references|in-reply-to)$/i.test(name)
    )
      .map(([name, value]) => textField(name, value, o)),
    "MIME-Version: 1.0\r\n",
    ...body.fields,
  ], body.body);
  return {
    bytes,
    to: [...uri.to, ...uri.cc, ...uri.bcc],
    messageId,
    subject,
    smtputf8: o.smtputf8,
  };
}
