/**
 * The message in which a journal keeps another one: the envelope as text, and the message itself as an attachment, so
 * that recipients missing from the header are known too.
 *
 * @module
 */
import { encrypted, readEncryptionKey } from "../../encryption/mod.ts";
import { textField } from "../../mail/compose.ts";
import { formatDate } from "../../mail/header/date.ts";
import { readRange, removeFile, writeTempFile } from "../../platform/files.ts";

/** What is copied. */
export interface Journaled {
  direction: "incoming" | "outgoing";
  /** Address of the envelope; "" for reports. */
  mailFrom: string;
  recipients: readonly string[];
  /** The account that sent it. */
  account?: string;
  /** Text in front of the file's content. */
  prefix: Uint8Array;
  file: string;
  fileSize: number;
  messageId: string;
  subject: string;
  /** Its header has UTF-8 (RFC 6532): then it is a message/global. */
  utf8: boolean;
  has8bit: boolean;
  binary: boolean;
}

/** A file that is on disk, and what removes it. */
export interface ReportFile {
  path: string;
  size: number;
  remove(): void;
}

/** Bytes copied at a time. */
const piece = 256 * 1024;
const encoder = new TextEncoder();
/** Characters of a subject repeated in the copy's own subject. */
const maxSubject = 200;

/** Line ends would begin another line of the text. */
const oneLine = (text: string) => text.replace(/[\r\n]+/g, " ");

/** Everything before the message: header, envelope, and the start of the attachment. */
function head(
  journaled: Journaled,
  from: string,
  to: string,
  boundary: string,
  messageId: string,
): string {
  const envelope = [
    `Direction: ${journaled.direction}`,
    `Sender: ${journaled.mailFrom === "" ? "<>" : oneLine(journaled.mailFrom)}`,
    ...(journaled.account === undefined ? [] : [`Account: ${journaled.account}`]),
    ...journaled.recipients.map((r) => `Recipient: ${oneLine(r)}`),
    `Message-ID: ${oneLine(journaled.messageId)}`,
  ];
  const subject = oneLine(journaled.subject).slice(0, maxSubject);
  return [
    `From: <${from}>`,
    `To: <${to}>`,
    textField("Subject", `Journal: ${subject}`, { smtputf8: false }).trimEnd(),
    `Date: ${formatDate(new Date())}`,
    `Message-ID: <${messageId}>`,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    ...envelope,
    "",
    `--${boundary}`,
    `Content-Type: message/${journaled.utf8 ? "global" : "rfc822"}`,
    `Content-Transfer-Encoding: ${
      journaled.binary ? "binary" : journaled.has8bit || journaled.utf8 ? "8bit" : "7bit"
    }`,
    "Content-Disposition: attachment",
    "",
    "",
  ].join("\r\n");
}

/**
 * Writes the copy, durable; encrypted if there is a key.
 * @throws KeyError, file errors
 */
export async function writeReport(
  journaled: Journaled,
  o: { from: string; to: string; host: string; tempDir: string; key?: string },
): Promise<ReportFile> {
  const boundary = `journal-${crypto.randomUUID()}`;
  const start = encoder.encode(
    head(journaled, o.from, o.to, boundary, `${crypto.randomUUID()}@${o.host}`),
  );
  const plain = await written(
    o.tempDir,
    copied(journaled, start, encoder.encode(`\r\n--${boundary}--\r\n`)),
  );
  if (o.key === undefined) return plain;
  try {
    const now = Date.now();
    const key = await readEncryptionKey(o.key, now);
    const file = await Deno.open(plain.path, { read: true });
    try {
      const headerSize = headerLength(start);
      const read = (from: number, to: number) => readRange(file, from, to);
      return await written(o.tempDir, encrypted({ size: plain.size, headerSize, read }, key, now));
    } finally {
      file.close();
    }
  } finally {
    plain.remove();
  }
}

/** Bytes of the header with its empty line. */
function headerLength(start: Uint8Array): number {
  for (let at = 0; at + 3 < start.length; at++) {
    if (start[at] === 13 && start[at + 1] === 10 && start[at + 2] === 13) return at + 4;
  }
  return start.length;
}

async function* copied(
  journaled: Journaled,
  start: Uint8Array,
  end: Uint8Array,
): AsyncGenerator<Uint8Array> {
  yield start;
  yield journaled.prefix;
  const file = await Deno.open(journaled.file, { read: true });
  try {
    for (let at = 0; at < journaled.fileSize; at += piece) {
      yield readRange(file, at, Math.min(journaled.fileSize, at + piece));
    }
  } finally {
    file.close();
  }
  yield end;
}

async function written(dir: string, pieces: AsyncIterable<Uint8Array>): Promise<ReportFile> {
  // The prefix of all messages in transit: after a crash, the next start removes them.
  const made = await writeTempFile(dir, "smtp-journal-", pieces);
  return { ...made, remove: () => removeFile(made.path) };
}
