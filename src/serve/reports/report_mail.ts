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
  /** The text for human readers. */
  text: string;
  /** Subtype of multipart, with its parameters. */
  multipart: [subtype: string, params: Record<string, string>];
  /** Further fields. */
  headers?: readonly [string, string][];
  /** RFC 8460 §3: reports about TLS must get through even if TLS fails. */
  tlsOptional?: boolean;
}

/** Bytes of a report's message, without the fields added on sending. */
export function reportMessage(message: ReportMessage, messageId: string, now: Date): Uint8Array {
  const body = composeMultipart(message.multipart[0], [
    composeText(message.text),
    composePart({
      type: message.attachment.contentType,
      fileName: message.attachment.fileName,
      data: message.attachment.data,
      encoding: "base64",
    }),
  ], message.multipart[1]);
  const fields = [
    foldField("From", `<${message.from}>`),
    foldField("To", message.recipients.map((a) => `<${a}>`).join(", ")),
    foldField("Subject", message.attachment.subject),
    foldField("Date", formatDate(now)),
    foldField("Message-ID", messageId),
    foldField("Auto-Submitted", "auto-generated"),
    ...(message.tlsOptional ? [foldField("TLS-Required", "No")] : []),
    ...(message.headers ?? []).map(([name, value]) => foldField(name, value)),
    "MIME-Version: 1.0\r\n",
    ...body.fields,
  ];
  return joinMessage(fields, body.body);
}

/** Queues the report, signed for the host's domain; on disk when it resolves. */
export async function sendReport(services: ReportServices, message: ReportMessage): Promise<void> {
  const messageId = `<${crypto.randomUUID()}@${services.config.static.Hostname}>`;
  const bytes = reportMessage(message, messageId, new Date());
  await withTempFile(services.tempDir, "report-", bytes, (path) =>
    queueOutgoing(services, {
      // Lower priority than mail that people have written.
      priority: -1,
      senderAccount: services.config.static.Postmaster.Account,
      fromDomain: hostDomain(services.config),
      mailFrom: message.from,
      recipients: message.recipients.map((address) => ({ address, notify: ["never"] })),
      file: path,
      fileSize: bytes.length,
      prefix: new Uint8Array(0),
      smtputf8: false,
      has8bit: false,
      requireTls: false,
      tlsOptional: message.tlsOptional,
      messageId,
      subject: message.attachment.subject,
      // Not sent by the postmaster personally: not counted, and failures are not reported.
      isDsn: true,
      extra: reportExtra,
    }));
}
