/** BDAT (RFC 3030). */
import { giveBack } from "../../../platform/bytes.ts";
import { SmtpError } from "../errors.ts";
import { MessageFile } from "../message_file.ts";
import { isDigits } from "../parameters.ts";
import type { Session } from "../session.ts";
import { checkLineEnds, finishMessage, lineReader } from "../take_message.ts";
import { checkProgress, readyForMessage } from "./data.ts";

const chunkSize = 64 * 1024;

export async function bdat(session: Session, args: string): Promise<void> {
  const { size, last } = parse(session.wordsOf(args));
  // A chunk arrives whether wanted or not; only huge ones aren't read.
  if (size > session.limits.size + 1024 * 1024) {
    throw new SmtpError(552, "3.4", `message larger than ${session.limits.size} bytes`, {
      close: true,
    });
  }
  try {
    begin(session);
  } catch (e) {
    await skip(session, size);
    throw e;
  }
  const message = session.chunked!;
  const { file, reader } = message;
  await receive(session, size);
  if (!last) {
    if (file.refusal !== undefined) {
      const refusal = file.refusal;
      await session.dropTransaction();
      throw refusal;
    }
    session.reply(250, "0.0", `${size} bytes received`);
    return;
  }
  try {
    if (reader !== undefined) checkLineEnds(session, reader, file);
    if (session.log.enabled("trace")) {
      session.log.trace("trace", `C: (message of ${file.size} bytes)`);
    }
    await finishMessage(session, session.transaction!, file, reader?.repaired === true);
  } finally {
    await session.dropTransaction();
  }
}

/** RFC 3030 §2: size and perhaps LAST. If that can't be parsed, the start of the next command is unknown. */
function parse(words: readonly string[]): { size: number; last: boolean } {
  const [digits, word, ...more] = words;
  const last = word?.toUpperCase() === "LAST";
  if (!isDigits(digits) || digits.length > 20 || more.length > 0 || (word !== undefined && !last)) {
    throw new SmtpError(501, "5.4", "size and LAST expected", { close: true });
  }
  return { size: Number(digits), last };
}

/** Makes sure that a message has begun. */
function begin(session: Session): void {
  if (session.chunked !== undefined) return;
  const t = readyForMessage(session);
  const observer = session.options.backend.startMessage?.(session, t);
  const file = new MessageFile(session.options.tmpDir, session.limits, observer);
  const put = (bytes: Uint8Array) => file.put(bytes);
  session.conn.mailUnderWay = true;
  session.chunked = {
    file,
    // Only BINARYMIME frees a message from lines (RFC 3030 §3).
    reader: t.body === "binarymime" ? undefined : lineReader(session, put, false),
    started: performance.now(),
  };
}

async function receive(session: Session, size: number): Promise<void> {
  const { file, reader, started } = session.chunked!;
  const deadline = started + session.limits.messageTime;
  session.conn.readTimeout = session.limits.dataTimeout;
  // The peer may be waiting for the answer to the previous command.
  if (session.conn.buffered < size) await session.conn.flush();
  for (let left = size; left > 0;) {
    const chunk = await session.conn.readSome(Math.min(left, chunkSize));
    left -= chunk.length;
    session.traceData(chunk);
    if (reader === undefined) file.put(chunk);
    else reader.push(chunk);
    // The file has a copy.
    giveBack(chunk);
    await file.room();
    checkProgress(session, file, deadline);
  }
}

async function skip(session: Session, size: number): Promise<void> {
  session.conn.readTimeout = session.limits.dataTimeout;
  if (session.conn.buffered < size) await session.conn.flush();
  for (let left = size; left > 0;) {
    left -= (await session.conn.readSome(Math.min(left, chunkSize))).length;
  }
}
