/** DATA (RFC 5321 §4.1.1.4). */
import { giveBack } from "../../../platform/bytes.ts";
import { sequenceError, SmtpError } from "../errors.ts";
import { MessageFile } from "../message_file.ts";
import type { OpenTransaction, Session } from "../session.ts";
import { checkLineEnds, finishMessage, lineReader } from "../take_message.ts";

/** Bytes per read: as many as MessageFile has room for. */
const chunkSize = 64 * 1024;

/** The transaction, if a message may begin now. */
export function readyForMessage(session: Session): OpenTransaction {
  const t = session.transaction;
  if (t === undefined) throw sequenceError("MAIL first");
  if (t.recipients.length > 0) return t;
  // RFC 5321 §3.3: 554 where there were recipients, but none was accepted.
  if (session.refusedRecipients > 0) throw new SmtpError(554, "5.1", "no valid recipients");
  throw sequenceError("RCPT first");
}

export async function data(session: Session, args: string): Promise<void> {
  if (args !== "") throw new SmtpError(501, "5.4", "no arguments expected");
  if (session.chunked !== undefined) throw sequenceError("BDAT has begun already");
  const t = readyForMessage(session);
  // RFC 3030 §3
  if (t.body === "binarymime") throw sequenceError("BINARYMIME needs BDAT");
  const observer = session.options.backend.startMessage?.(session, t);
  const file = new MessageFile(session.options.tmpDir, session.limits, observer);
  session.conn.mailUnderWay = true;
  try {
    session.replyPlain(354, "send the message, end with a dot on a line of its own");
    await session.conn.flush();
    const repaired = await receive(session, file);
    await finishMessage(session, t, file, repaired);
  } finally {
    await file.discard();
    // RFC 5321 §4.1.1.4: whatever the result, the transaction is over.
    await session.dropTransaction();
  }
}

/** True if line ends were repaired. */
async function receive(session: Session, file: MessageFile): Promise<boolean> {
  const reader = lineReader(session, (bytes) => file.put(bytes), true);
  const deadline = performance.now() + session.limits.messageTime;
  session.conn.readTimeout = session.limits.dataTimeout;
  for (;;) {
    const chunk = await session.conn.readSome(chunkSize);
    const end = reader.push(chunk);
    session.traceData(end >= 0 ? chunk.subarray(0, end) : chunk);
    if (end >= 0) {
      session.conn.unread(chunk.subarray(end));
      break;
    }
    // The file has a copy.
    giveBack(chunk);
    await file.room();
    checkProgress(session, file, deadline);
  }
  checkLineEnds(session, reader, file);
  if (session.log.enabled("trace")) {
    session.log.trace("trace", `C: (message of ${file.size} bytes)`);
  }
  return reader.repaired;
}

/** Ends connections that never stop sending. */
export function checkProgress(session: Session, file: MessageFile, deadline: number): void {
  if (performance.now() > deadline) {
    throw new SmtpError(421, "4.2", "message takes too long", { close: true });
  }
  // An oversized message is read to its end, so that the peer gets the reason; but not forever.
  if (file.size > 2 * session.limits.size + 1024 * 1024) {
    throw new SmtpError(552, "3.4", `message larger than ${session.limits.size} bytes`, {
      close: true,
    });
  }
}
