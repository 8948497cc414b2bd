/** Invitations, answers and cancellations as mail (iMIP, RFC 6047). @module */
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

function subjectOf(m: CalendarMail, part: Component): string {
  const summary = unescapeText(valueOf(part, "SUMMARY") ?? "").slice(0, 200) || "(no title)";
  if (m.method === "CANCEL") return `Cancelled: ${summary}`;
  if (m.method === "REQUEST") return `Invitation: ${summary}`;
  const me = attendeesOf(m.message).get(m.from);
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

function words(m: CalendarMail, part: Component): string {
  const of = (name: string) => unescapeText(valueOf(part, name) ?? "").trim();
  const when = whenText(m.message);
  const recurs = property(part, "RRULE") === undefined ? "" : ", and again";
  const lines = [
    subjectOf(m, part),
    "",
    when === "" ? "" : `When:  ${when}${recurs}`,
    of("LOCATION") === "" ? "" : `Where: ${of("LOCATION")}`,
    m.method === "REPLY" || of("DESCRIPTION") === "" ? "" : `\n${of("DESCRIPTION")}`,
  ];
  return `${lines.filter((x, i) => x !== "" || i === 1).join("\n")}\n`;
}

/** The message as bytes, with its Message-ID. */
export function composeCalendarMail(
  config: Config,
  m: CalendarMail,
  now: Date,
): { bytes: Uint8Array; messageId: string; subject: string } {
  const [part] = partsOf(m.message);
  const subject = subjectOf(m, part);
  const messageId = `<${crypto.randomUUID()}@${config.static.Hostname}>`;
  const data = new TextEncoder().encode(writeComponent(m.message));
  const calendar = composePart({
    type: "text/calendar",
    params: { charset: "utf-8", method: m.method },
    data,
  });
  const alternative = composeMultipart("alternative", [composeText(words(m, part)), calendar]);
  const name = config.account(m.account)?.FullName ?? "";
  const person = (address: string, name = "") => {
    const at = address.lastIndexOf("@");
    return { name, localpart: address.slice(0, at), domain: address.slice(at + 1) };
  };
  const options = { smtputf8: false };
  const fields = [
    addressField("From", [person(m.from, name)], options),
    addressField("To", [person(m.to)], options),
    textField("Subject", subject, options),
    `Date: ${now.toUTCString().replace("GMT", "+0000")}\r\n`,
    `Message-ID: ${messageId}\r\n`,
    "MIME-Version: 1.0\r\n",
    ...alternative.fields,
  ];
  return { bytes: joinMessage(fields, alternative.body), messageId, subject };
}

/** Queues a message of an event; durable when it resolves. @throws SmtpError */
export async function sendCalendarMail(s: CalendarMailServices, m: CalendarMail): Promise<void> {
  const { bytes, messageId, subject } = composeCalendarMail(s.config, m, new Date());
  await withTempFile(s.tempDir, "event-", bytes, (path) =>
    queueOutgoing(s, {
      senderAccount: m.account,
      fromDomain: m.from.slice(m.from.lastIndexOf("@") + 1),
      mailFrom: m.from,
      recipients: [{ address: m.to }],
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
