/** Messages of local programs (`mox sendmail`), into the queue. @module */
import { flattenAddresses, parseAddressList } from "../../mail/address/address.ts";
import { fieldsNamed, strictAuthors } from "../../mail/address/author.ts";
import { headerField, splitHeader } from "../../mail/header/header.ts";
import { parseMessage } from "../../mail/structure/structure.ts";
import { withTempFile } from "../../platform/files.ts";
import { ControlError } from "../control/control.ts";
import { type OutgoingServices, queueOutgoing } from "./outgoing.ts";
import { priorityOf } from "./submission.ts";

/** What sendmail passes on. */
export interface ProgramMessage {
  /** "" for the account's own address. */
  from: string;
  recipients: string[];
  /** Recipients come from To, Cc and Bcc (-t). */
  fromHeader: boolean;
  /** The message, each byte a character. */
  message: string;
}

/** Line ends as SMTP has them; a message without a header gets an empty one. */
export function normalize(text: string): string {
  const lines = text.replace(/\r\n|\r|\n/g, "\r\n");
  const first = lines.slice(0, lines.indexOf("\r\n"));
  return /^[\x21-\x39\x3b-\x7e]+[ \t]*:/.test(first) || lines.startsWith("\r\n")
    ? lines
    : `\r\n${lines}`;
}

/** Queues a program's message. @throws ControlError with a message for the user. */
export async function submitFromProgram(
  s: OutgoingServices & { tempDir: string },
  message: ProgramMessage,
): Promise<string[]> {
  const text = normalize(message.message);
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const parsed = parseMessage(bytes);
  const fields = splitHeader(parsed.root.header ?? new Uint8Array(0));
  const from5322 = fieldsNamed(fields, "from");
  const authors = from5322.length === 1 ? strictAuthors(from5322[0].value) : undefined;
  if (from5322.length > 1) throw new ControlError("message has several From header fields");
  if (authors && "problem" in authors) {
    throw new ControlError(`the From header field can be read in several ways: ${authors.problem}`);
  }
  const addressesOf = (name: string) =>
    fields.filter((f) => f.name === name).flatMap((f) =>
      flattenAddresses(parseAddressList(f.value)).map((a) => `${a.localpart}@${a.domain}`)
    );
  const recipients = [...message.recipients];
  if (message.fromHeader) {
    for (const name of ["to", "cc", "bcc"]) recipients.push(...addressesOf(name));
  }
  if (recipients.length === 0) throw new ControlError("no recipients");
  const from = message.from || addressesOf("from")[0] || "";
  const account = from === ""
    ? s.config.acceptAllAccount
    : s.config.accountFor(from) ?? s.config.acceptAllAccount;
  if (account === undefined) {
    throw new ControlError(
      from === ""
        ? "no sender: use -f or a From header"
        : `${from} is not an address of an account`,
    );
  }
  let prefix = "";
  if (headerField(fields, "date") === undefined) {
    prefix += `Date: ${new Date().toUTCString().replace("GMT", "+0000")}\r\n`;
  }
  let messageId = headerField(fields, "message-id");
  if (messageId === undefined) {
    messageId = `<${crypto.randomUUID()}@${s.config.static.Hostname}>`;
    prefix += `Message-ID: ${messageId}\r\n`;
  }
  const sender = from || s.config.accountAddresses(account).find((a) => !a.startsWith("@")) || "";
  if (headerField(fields, "from") === undefined) prefix += `From: <${sender}>\r\n`;
  const ids = await withTempFile(s.tempDir, "sendmail-", bytes, (path) =>
    queueOutgoing(s, {
      senderAccount: account,
      fromDomain: (addressesOf("from")[0] ?? sender).split("@").at(-1)!,
      mailFrom: sender,
      recipients: recipients.map((address) => ({ address })),
      file: path,
      fileSize: bytes.length,
      prefix: new TextEncoder().encode(prefix),
      smtputf8: parsed.utf8Headers,
      utf8Allowed: false,
      parsed,
      has8bit: bytes.some((b) => b >= 128),
      requireTls: false,
      messageId,
      subject: headerField(fields, "subject"),
      priority: priorityOf(fields),
      scan: {},
    }));
  return ids.map(String);
}
