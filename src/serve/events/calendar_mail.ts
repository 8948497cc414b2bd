/** Invitations, replies and cancellations as mail (iMIP, RFC 6047). @module */
import type { Config } from "../../config/mod.ts";
import type { CalendarMail } from "../../groupware/scheduler.ts";
import {
  addressField,
  composeMultipart,
  composePart,
  composeText,
  joinMessage,
  textField,
} from "../../mail/compose.ts";
import {
  type Component,
  param,
  property,
  unescapeText,
  valueOf,
  writeComponent,
} from "../../mail/contentline/component.ts";
import { attendeesOf, partsOf } from "../../mail/calendar/itip.ts";
import { Series } from "../../mail/calendar/series.ts";
import { withTempFile } from "../../platform/files.ts";
import type { Queue } from "../../queue/mod.ts";
import { queueOutgoing } from "../sending/outgoing.ts";

export interface CalendarMailServices {
  config: Config;
  queue: Queue;
  tempDir: string;
}

const answers: Record<string, string> = {
  ACCEPTED: "Accepted",
  DECLINED: "Declined",
  TENTATIVE: "Tentative",
};

function subjectOf(mail: CalendarMail, part: Component): string {
  const summary = unescapeText(valueOf(part, "SUMMARY") ?? "").slice(0, 200) || "(no title)";
  if (mail.method === "CANCEL") return `Cancelled: ${summary}`;
  if (mail.method === "REQUEST") return `Invitation: ${summary}`;
  const me = attendeesOf(mail.message).get(mail.from);
  const status = (me && param(me, "PARTSTAT"))?.toUpperCase() ?? "";
  return `${answers[status] ?? "Answer"}: ${summary}`;
}

/** When an event is, in its own zone. */
function whenText(message: Component): string {
  try {
    const series = new Series(message);
    const [i] = series.instances(-Infinity, Infinity, 1);
    if (i?.startTime === undefined) return "";
    const { startTime: t, endTime } = i;
    const date = new Date(t.wall).toLocaleDateString("en-GB", {
      timeZone: "UTC",
      weekday: "long",
      day: "numeric",
      month: "long",
      year: "numeric",
    });
    if (t.date) return date;
    const clock = (wall: number) => new Date(wall).toISOString().slice(11, 16);
    const end = endTime === undefined ? "" : `-${clock(endTime.wall)}`;
    return `${date}, ${clock(t.wall)}${end}${t.zone === "" ? "" : ` (${t.zone})`}`;
  } catch {
    return "";
  }
}

function words(mail: CalendarMail, part: Component): string {
  const of = (name: string) => unescapeText(valueOf(part, name) ?? "").trim();
  const when = whenText(mail.message);
  const recurs = property(part, "RRULE") === undefined ? "" : ", and again";
  const lines = [
    subjectOf(mail, part),
    "",
    when === "" ? "" : `When:  ${when}${recurs}`,
    of("LOCATION") === "" ? "" : `Where: ${of("LOCATION")}`,
    mail.method === "REPLY" || of("DESCRIPTION") === "" ? "" : `\n${of("DESCRIPTION")}`,
  ];
  return `${lines.filter((x, i) => x !== "" || i === 1).join("\n")}\n`;
}

/** The message as bytes, with its Message-ID. */
export function composeCalendarMail(
  config: Config,
  mail: CalendarMail,
  now: Date,
): { bytes: Uint8Array; messageId: string; subject: string } {
  const [part] = partsOf(mail.message);
  const subject = subjectOf(mail, part);
  const messageId = `<${crypto.randomUUID()}@${config.static.Hostname}>`;
  const data = new TextEncoder().encode(writeComponent(mail.message));
  const calendar = composePart({
    type: "text/calendar",
    params: { charset: "utf-8", method: mail.method },
    data,
  });
  const alternative = composeMultipart("alternative", [composeText(words(mail, part)), calendar]);
  const name = config.account(mail.account)?.FullName ?? "";
  const person = (address: string, name = "") => {
    const at = address.lastIndexOf("@");
    return { name, localpart: address.slice(0, at), domain: address.slice(at + 1) };
  };
  const options = { smtputf8: false };
  const fields = [
    addressField("From", [person(mail.from, name)], options),
    addressField("To", [person(mail.to)], options),
    textField("Subject", subject, options),
    `Date: ${now.toUTCString().replace("GMT", "+0000")}\r\n`,
    `Message-ID: ${messageId}\r\n`,
    "MIME-Version: 1.0\r\n",
    ...alternative.fields,
  ];
  return { bytes: joinMessage(fields, alternative.body), messageId, subject };
}

/** Queues a message of an event; durable when it resolves. @throws SmtpError */
export async function sendCalendarMail(
  services: CalendarMailServices,
  mail: CalendarMail,
): Promise<void> {
  const { bytes, messageId, subject } = composeCalendarMail(services.config, mail, new Date());
  await withTempFile(services.tempDir, "event-", bytes, (path) =>
    queueOutgoing(services, {
      senderAccount: mail.account,
      fromDomain: mail.from.slice(mail.from.lastIndexOf("@") + 1),
      mailFrom: mail.from,
      recipients: [{ address: mail.to }],
      file: path,
      fileSize: bytes.length,
      prefix: new Uint8Array(0),
      smtputf8: false,
      has8bit: false,
      requireTls: false,
      messageId,
      subject,
      scan: {},
    }));
}
