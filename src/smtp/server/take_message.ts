/**
 * From the last byte of a message to the answer.
 *
 * @module
 */
import type { Delivered, IncomingMessage, Recipient } from "./backend.ts";
import { DataReader, type LineReader } from "./data_reader.ts";
import { SmtpError } from "./errors.ts";
import { LineRepairer } from "./line_repair.ts";
import type { MessageFile } from "./message_file.ts";
import * as metrics from "./metrics.ts";
import type { OpenTransaction, Session } from "./session.ts";
import { receivedHeader, returnPathHeader } from "./trace_headers.ts";

/** The reader of a message's lines: strict, or lenient for developers. @param dots true for DATA */
export function lineReader(
  session: Session,
  put: (bytes: Uint8Array) => void,
  dots: boolean,
): LineReader {
  return session.options.lenient ? new LineRepairer(put, dots) : new DataReader(put, dots);
}

/** Refuses messages with invalid line ends. */
export function checkLineEnds(session: Session, reader: LineReader, file: MessageFile): void {
  if (reader.bareLineEnd !== undefined) {
    metrics.smuggling.inc({ kind: session.kind });
    session.log.info("bare line end in message", { which: reader.bareLineEnd });
    file.refuse(
      new SmtpError(
        550,
        "5.2",
        `bare ${reader.bareLineEnd.toUpperCase()} in message, only CRLF may end a line`,
      ),
    );
  }
  // RFC 5321 §4.5.3.1.6
  if (session.pedantic && reader.longestLine > 998) {
    file.refuse(new SmtpError(550, "6.0", "line of more than 998 bytes in message"));
  }
}

/** Hands a complete message over and answers. The caller discards the file, whatever happens. */
export async function finishMessage(
  session: Session,
  transaction: OpenTransaction,
  file: MessageFile,
  repairedLineEnds: boolean,
): Promise<void> {
  if (!session.options.lmtp) return await handOver(session, transaction, file, repairedLineEnds);
  // RFC 2033 §4.2: an answer for each recipient, even if there is only one.
  try {
    await handOver(session, transaction, file, repairedLineEnds);
  } catch (e) {
    if (!(e instanceof SmtpError)) throw e;
    for (const _ of transaction.recipients) session.reply(e.code, e.enhanced, e.message);
  }
}

/** The same with SMTP's single answer, or LMTP's answers for recipients with different outcomes. */
async function handOver(
  session: Session,
  transaction: OpenTransaction,
  file: MessageFile,
  repairedLineEnds: boolean,
): Promise<void> {
  const count = (result: "accepted" | "refused" | "tempfail" | "error", n: number) => {
    if (n > 0) metrics.messages.inc({ kind: session.kind, result }, n);
  };
  const n = transaction.recipients.length;
  const received = Date.now();
  try {
    await file.finish();
    if (file.refusal !== undefined) {
      if (file.refusal.cause !== undefined) {
        session.log.error("message could not be stored", { err: file.refusal });
      }
      throw file.refusal;
    }
    checkContent(session, transaction, file);
  } catch (e) {
    count(e instanceof SmtpError && !e.temporary ? "refused" : "error", n);
    throw e;
  }
  const { hostname, backend } = session.options;
  const message: IncomingMessage = {
    file: file.path,
    synced: file.synced,
    size: file.size,
    headerSize: file.headerSize,
    has8bit: file.has8bit,
    repairedLineEnds,
    headerHas8bit: file.headerHas8bit,
    observer: file.observer,
    received,
    receivedHeader: (recipient) =>
      receivedHeader(session, transaction, hostname, received, recipient),
    returnPathHeader: () => returnPathHeader(transaction),
  };
  let delivered: Delivered;
  try {
    delivered = await backend.deliver(session, transaction, message);
    // RFC 5321 §7.8, G1: durable before anyone is told that it was accepted.
    await file.synced;
  } catch (e) {
    if (e instanceof SmtpError) count(e.temporary ? "tempfail" : "refused", n);
    else count("error", n);
    throw e;
  }
  const failures: { recipient: Recipient; error: SmtpError }[] = [];
  for (const [i, recipient] of transaction.recipients.entries()) {
    const error = delivered.outcomes[i];
    if (error !== undefined) failures.push({ recipient, error });
  }
  count("accepted", n - failures.length);
  count("tempfail", failures.filter((f) => f.error.temporary).length);
  count("refused", failures.filter((f) => !f.error.temporary).length);
  if (session.options.lmtp) {
    for (const error of delivered.outcomes) {
      if (error === undefined) session.reply(250, "0.0", "message accepted");
      else session.reply(error.code, error.enhanced, error.message);
    }
    return;
  }
  if (failures.length === n) throw oneAnswer(failures.map((f) => f.error));
  if (failures.length > 0) await backend.failed?.(session, transaction, message, failures);
  session.accepted();
  session.log.info("message accepted", {
    size: file.size,
    recipients: n,
    failed: failures.length,
    username: session.username,
  });
  session.reply(250, "0.0", delivered.text ?? "message accepted");
}

function checkContent(session: Session, transaction: OpenTransaction, file: MessageFile): void {
  if (!session.pedantic) return;
  // RFC 6152 §3, RFC 6531 §3.5: a client must announce what it sends.
  if (file.has8bit && transaction.body === "7bit" && !transaction.smtpUtf8) {
    throw new SmtpError(554, "6.1", "8-bit message without BODY=8BITMIME");
  }
  if (file.headerHas8bit && !transaction.smtpUtf8) {
    throw new SmtpError(554, "6.7", "header beyond ASCII without SMTPUTF8");
  }
}

/**
 * The single answer for recipients refused for different reasons: a temporary one, if trying again helps any of
 * them.
 */
function oneAnswer(errors: SmtpError[]): SmtpError {
  return errors.find((e) => e.temporary) ?? errors[0];
}
