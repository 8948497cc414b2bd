/** Sending a report as a message of this host. @module */
import type { Config } from "../../config/mod.ts";
import {
  composeMultipart,
  composePart,
  composeText,
  foldField,
  joinMessage,
} from "../../mail/compose.ts";
import { formatDate } from "../../mail/header/date.ts";
import { withTempFile } from "../../platform/files.ts";
import type { Queue } from "../../queue/mod.ts";
import type { ReportAttachment } from "../../reports/mod.ts";
import { hostDomain } from "../host_domain.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import { reportExtra } from "./undeliverable.ts";

export interface ReportServices {
  config: Config;
  queue: Queue;
  tempDir: string;
}

export interface ReportMessage {
  /** Address of this host. */
  from: string;
  recipients: readonly string[];
  attachment: ReportAttachment;
  /** What the message says to people. */
  text: string;
  /** Subtype of multipart, with its parameters. */
  multipart: [subtype: string, params: Record<string, string>];
  /** Further fields. */
  headers?: readonly [string, string][];
  /** RFC 8460 §3: reports about TLS must get through where TLS does not. */
  tlsOptional?: boolean;
}

/** Bytes of a report's message, without the fields that sending adds. */
export function reportMessage(m: ReportMessage, messageId: string, now: Date): Uint8Array {
  const body = composeMultipart(m.multipart[0], [
    composeText(m.text),
    composePart({
      type: m.attachment.contentType,
      fileName: m.attachment.fileName,
      data: m.attachment.data,
      encoding: "base64",
    }),
  ], m.multipart[1]);
  const fields = [
    foldField("From", `<${m.from}>`),
    foldField("To", m.recipients.map((a) => `<${a}>`).join(", ")),
    foldField("Subject", m.attachment.subject),
    foldField("Date", formatDate(now)),
    foldField("Message-ID", messageId),
    foldField("Auto-Submitted", "auto-generated"),
    ...(m.tlsOptional ? [foldField("TLS-Required", "No")] : []),
    ...(m.headers ?? []).map(([name, value]) => foldField(name, value)),
    "MIME-Version: 1.0\r\n",
    ...body.fields,
  ];
  return joinMessage(fields, body.body);
}

/** Queues it, signed for the host's domain; on disk when it resolves. */
export async function sendReport(s: ReportServices, m: ReportMessage): Promise<void> {
  const messageId = `<${crypto.randomUUID()}@${s.config.static.Hostname}>`;
  const bytes = reportMessage(m, messageId, new Date());
  await withTempFile(s.tempDir, "report-", bytes, (path) =>
    queueOutgoing(s, {
      // After what people have written.
      priority: -1,
      senderAccount: s.config.static.Postmaster.Account,
      fromDomain: hostDomain(s.config),
      mailFrom: m.from,
      recipients: m.recipients.map((address) => ({ address, notify: ["never"] })),
      file: path,
      fileSize: bytes.length,
      prefix: new Uint8Array(0),
      smtputf8: false,
      has8bit: false,
      requireTls: false,
      tlsOptional: m.tlsOptional,
      messageId,
      subject: m.attachment.subject,
      // No doing of the postmaster's: not counted, and failures are told to nobody.
      isDsn: true,
      extra: reportExtra,
    }));
}
