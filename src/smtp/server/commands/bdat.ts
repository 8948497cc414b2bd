/** BDAT (RFC 3030). */
import { SmtpError } from "../errors.ts";
import { MessageFile } from "../message_file.ts";
import { isDigits } from "../parameters.ts";
import type { Session } from "../session.ts";
import { checkLineEnds, finishMessage, lineReader } from "../take_message.ts";
import { checkProgress, readyForMessage } from "./data.ts";

const chunkSize = 64 * 1024;

export async function bdat(s: Session, args: string): Promise<void> {
  const { size, last } = parse(args);
  // A chunk is there whether it is wanted or not; only huge ones aren't waited for.
  if (size > s.limits.size + 1024 * 1024) {
    throw new SmtpError(552, "3.4", `message larger than ${s.limits.size} bytes`, { close: true });
  }
  try {
    begin(s);
  } catch (e) {
    await skip(s, size);
    throw e;
  }
  const message = s.chunked!;
  const { file, reader } = message;
  await receive(s, size);
  if (!last) {
    if (file.refusal !== undefined) {
      const refusal = file.refusal;
      await s.dropTransaction();
      throw refusal;
    }
    s.reply(250, "0.0", `${size} bytes received`);
    return;
  }
  try {
    if (reader !== undefined) checkLineEnds(s, reader, file);
    if (s.log.enabled("trace")) s.log.trace("trace", `C: (message of ${file.size} bytes)`);
    await finishMessage(s, s.transaction!, file, reader?.repaired === true);
  } finally {
    await s.dropTransaction();
  }
}

/** RFC 3030 §2: size and perhaps LAST. Where that can't be read, nobody knows where the next command is. */
function parse(args: string): { size: number; last: boolean } {
  const [digits, word, ...more] = args.split(" ");
  const last = word?.toUpperCase() === "LAST";
  if (!isDigits(digits) || digits.length > 20 || more.length > 0 || (word !== undefined && !last)) {
    throw new SmtpError(501, "5.4", "size and LAST expected", { close: true });
  }
  return { size: Number(digits), last };
}

/** Makes sure that a message has begun. */
function begin(s: Session): void {
  if (s.chunked !== undefined) return;
  const t = readyForMessage(s);
  const observer = s.options.backend.startMessage?.(s, t);
  const file = new MessageFile(s.options.tmpDir, s.limits, observer);
  const put = (bytes: Uint8Array) => file.put(bytes);
  s.conn.mailUnderWay = true;
  s.chunked = {
    file,
    // Only BINARYMIME frees a message from lines (RFC 3030 §3).
    reader: t.body === "binarymime" ? undefined : lineReader(s, put, false),
    started: performance.now(),
  };
}

async function receive(s: Session, size: number): Promise<void> {
  const { file, reader, started } = s.chunked!;
  const deadline = started + s.limits.messageTime;
  s.conn.readTimeout = s.limits.dataTimeout;
  // The answer to the command before may be what the peer waits for.
  if (s.conn.buffered < size) await s.conn.flush();
  for (let left = size; left > 0;) {
    const chunk = await s.conn.readSome(Math.min(left, chunkSize));
    left -= chunk.length;
    s.traceData(chunk);
    if (reader === undefined) file.put(chunk);
    else reader.push(chunk);
    await file.room();
    checkProgress(s, file, deadline);
  }
}

async function skip(s: Session, size: number): Promise<void> {
  s.conn.readTimeout = s.limits.dataTimeout;
  if (s.conn.buffered < size) await s.conn.flush();
  for (let left = size; left > 0;) {
    left -= (await s.conn.readSome(Math.min(left, chunkSize))).length;
  }
}
