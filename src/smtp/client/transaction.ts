/** One transaction: a message to recipients at one server. @module */
import { ConnectionError } from "../../net/mod.ts";
import { type Channel, connectionFailure, refusal } from "./channel.ts";
import { SmtpClientError } from "./errors.ts";
import type { Extensions } from "./extensions.ts";
import { DataEncoder } from "./output.ts";
import { mailCommand, rcptCommand, takesBy, transactionNeedsUtf8 } from "./parameters.ts";
import type { Reply } from "./reply.ts";
import type { Envelope, MessageSource, RecipientOutcome, Timeouts } from "./types.ts";

/** Recipients whose commands are sent in one go: their answers must fit into the server's buffers. */
const maxPipelined = 100;

/** State left by a transaction. */
export interface TransactionState {
  /** The server is still in an aborted transaction: RSET comes first. */
  open: boolean;
  /** RFC 2033 §4.2: after the message, each accepted recipient gets its own answer. */
  readonly lmtp: boolean;
}

/** Why the message can't be sent to this server at all; undefined if it can. */
function obstacle(envelope: Envelope, extensions: Extensions): SmtpClientError | undefined {
  const no = (code: number, enhanced: string, text: string) =>
    new SmtpClientError({ kind: "unsupported", phase: "mail", code, enhanced, text });
  for (const address of [envelope.mailFrom, ...envelope.recipients.map((r) => r.address)]) {
    // Whatever an address holds, it must not become a separate command.
    // deno-lint-ignore no-control-regex -- exactly those
    if (/[\x00-\x1f\x7f]/.test(address)) return no(553, "5.1.3", "address with control characters");
  }
  if (envelope.requireTls && !extensions.requireTls) {
    // RFC 8689 §4.2.1, §8.6: a permanent failure.
    return no(550, "5.7.30", "the message demands REQUIRETLS, and the server does not have it");
  }
  if (envelope.deliverBy?.mode === "return" && !takesBy(extensions, envelope.deliverBy)) {
    return extensions.deliverBy === undefined
      ? no(
        550,
        "5.3.3",
        "the message is to be delivered by a time, and the server has no DELIVERBY",
      )
      : no(
        550,
        "5.4.7",
        `the server takes messages to deliver within ${extensions.deliverBy} seconds at least`,
      );
  }
  if (extensions.size !== undefined && extensions.size > 0 && envelope.size > extensions.size) {
    return no(
      552,
      "5.3.4",
      `message of ${envelope.size} bytes, and the server takes ${extensions.size} at most`,
    );
  }
  if (transactionNeedsUtf8(envelope) && !extensions.smtpUtf8) {
    return no(550, "5.6.7", "the message needs SMTPUTF8, and the server does not have it");
  }
  if (envelope.body === "8bit" && !extensions.eightBitMime) {
    return no(554, "5.6.3", "the message has 8-bit text, and the server does not have 8BITMIME");
  }
  if (envelope.body === "binary" && !(extensions.binaryMime && extensions.chunking)) {
    return no(554, "5.6.3", "the message is binary, and the server does not have BINARYMIME");
  }
  return undefined;
}

/**
 * Sends a message to the recipients; the outcomes are in their order. Does not throw for anything that the
 * server or the network does: each recipient that isn't served gets the reason.
 */
export async function runTransaction(
  channel: Channel,
  extensions: Extensions,
  envelope: Envelope,
  message: MessageSource,
  timeouts: Timeouts,
  state: TransactionState,
): Promise<RecipientOutcome[]> {
  const n = envelope.recipients.length;
  const all = (o: RecipientOutcome) => new Array<RecipientOutcome>(n).fill(o);
  const no = obstacle(envelope, extensions);
  if (no) return all(no);
  const outcomes = new Array<RecipientOutcome | undefined>(n).fill(undefined);
  try {
    const accepted = await announce(channel, extensions, envelope, timeouts, state, outcomes);
    if (accepted) {
      await transmit(channel, envelope, message, timeouts);
      if (state.lmtp) await answersOfEach(channel, timeouts, outcomes);
      else {
        const reply = await answerToMessage(channel, timeouts);
        for (const [i, o] of outcomes.entries()) outcomes[i] = o ?? reply;
      }
      state.open = false;
    }
  } catch (err) {
    const failure = err instanceof SmtpClientError ? err : failedHere(err, channel);
    // Before the message a failure concerns all of them; individual refusals stay.
    for (const [i, o] of outcomes.entries()) outcomes[i] = o ?? failure;
    // The server refused the message itself: that ended the transaction.
    if (failure.phase === "message" && failure.kind === "reply") state.open = false;
  }
  return outcomes as RecipientOutcome[];
}

/**
 * Asks about a recipient and resets the transaction. Does not throw for anything that the server or the network
 * does.
 */
export async function askRecipient(
  channel: Channel,
  extensions: Extensions,
  address: string,
  timeouts: Timeouts,
  state: TransactionState,
): Promise<RecipientOutcome> {
  const recipient = { address };
  const envelope: Envelope = {
    mailFrom: "",
    recipients: [recipient],
    size: 0,
    body: "7bit",
    smtpUtf8: false,
  };
  const no = obstacle(envelope, extensions);
  if (no) return no;
  try {
    if (state.open) await channel.command("RSET", "mail", timeouts.mail);
    state.open = false;
    const mail = await channel.command(mailCommand(envelope, extensions), "mail", timeouts.mail);
    if (mail.code !== 250) throw refusal(mail, "mail");
    state.open = true;
    const rcpt = rcptCommand(recipient, transactionNeedsUtf8(envelope), extensions);
    const reply = await channel.command(rcpt, "rcpt", timeouts.rcpt);
    if (reply.code < 250 || reply.code > 252) throw refusal(reply, "rcpt");
    return reply;
  } catch (err) {
    return connectionFailure(err, "rcpt");
  }
}

/** Reading the message failed, not the server. The transaction can only be ended by breaking the connection. */
function failedHere(err: unknown, channel: Channel): SmtpClientError {
  channel.destroy();
  const text = err instanceof Error ? err.message : String(err);
  return new SmtpClientError(
    { kind: "cancelled", phase: "message", code: 451, enhanced: "4.3.0", text },
    { cause: err },
  );
}

/**
 * MAIL, RCPT and (except with BDAT) DATA. Outcomes of refused recipients are filled in.
 * @returns whether the message may follow.
 */
async function announce(
  channel: Channel,
  extensions: Extensions,
  envelope: Envelope,
  timeouts: Timeouts,
  state: TransactionState,
  outcomes: (RecipientOutcome | undefined)[],
): Promise<boolean> {
  const utf8 = transactionNeedsUtf8(envelope);
  const reset = state.open;
  const mail = mailCommand(envelope, extensions);
  const rcpts = envelope.recipients.map((r) => rcptCommand(r, utf8, extensions));
  const data = envelope.body !== "binary";
  const answer = async (line: string, phase: "mail" | "rcpt" | "data", timeout: number) =>
    await channel.command(line, phase, timeout);

  if (!extensions.pipelining) {
    if (reset) await answer("RSET", "mail", timeouts.mail);
    state.open = false;
    const reply = await answer(mail, "mail", timeouts.mail);
    if (reply.code !== 250) throw refusal(reply, "mail");
    state.open = true;
    for (const [i, rcpt] of rcpts.entries()) {
      taken(await answer(rcpt, "rcpt", timeouts.rcpt), i, outcomes);
    }
    if (outcomes.every((o) => o !== undefined)) return false;
    if (data) expectData(await answer("DATA", "data", timeouts.data));
    return true;
  }

  // RFC 2920: everything in one go, within what the server can answer before it must read more.
  if (reset) channel.write("RSET");
  channel.write(mail);
  let mailFailure: SmtpClientError | undefined;
  let first = true;
  for (let from = 0; from < rcpts.length; from += maxPipelined) {
    const part = rcpts.slice(from, from + maxPipelined);
    for (const line of part) channel.write(line);
    const last = from + part.length === rcpts.length;
    if (last && data) channel.write("DATA");
    await channel.flush("mail", timeouts.mail);
    if (first) {
      if (reset) await channel.read("mail", timeouts.mail);
      state.open = false;
      const reply = await channel.read("mail", timeouts.mail);
      if (reply.code === 250) state.open = true;
      else mailFailure = refusal(reply, "mail");
      first = false;
    }
    for (let i = from; i < from + part.length; i++) {
      const reply = await channel.read("rcpt", timeouts.rcpt);
      if (!mailFailure) taken(reply, i, outcomes);
    }
    // The rest would be refused as well.
    if (mailFailure && !last) throw mailFailure;
  }
  const none = mailFailure !== undefined || outcomes.every((o) => o !== undefined);
  if (!data) {
    if (mailFailure) throw mailFailure;
    return !none;
  }
  const reply = await channel.read("data", timeouts.data);
  if (none) {
    // RFC 2920 §3.1: a server that wants a message for nobody gets an empty one.
    if (reply.code === 354 && state.lmtp) {
      // RFC 2033 §4.2 forbids it: the number of answers that would follow is unknown.
      channel.destroy();
    } else if (reply.code === 354) {
      channel.write(".");
      await channel.flush("data", timeouts.block);
      await channel.read("message", timeouts.message);
      state.open = false;
    }
    if (mailFailure) throw mailFailure;
    return false;
  }
  expectData(reply);
  return true;
}

function taken(reply: Reply, i: number, outcomes: (RecipientOutcome | undefined)[]): void {
  // RFC 5321 §4.3.2: 250, or 251 where the server forwards; 252 belongs to VRFY, but occurs.
  if (reply.code < 250 || reply.code > 252) outcomes[i] = refusal(reply, "rcpt");
}

function expectData(reply: Reply): void {
  if (reply.code !== 354) throw refusal(reply, "data");
}

/** Sends the message; its answers are awaited afterwards. */
async function transmit(
  channel: Channel,
  envelope: Envelope,
  message: MessageSource,
  timeouts: Timeouts,
): Promise<void> {
  const conn = channel.connection;
  if (channel.log.enabled("trace")) {
    channel.log.trace("trace", "trace", { C: `(${envelope.size} bytes)` });
  }
  const binary = envelope.body === "binary";
  if (binary) channel.write(`BDAT ${envelope.size} LAST`);
  const encoder = new DataEncoder();
  let sent = 0;
  conn.writeTimeout = timeouts.block;
  for await (const bytes of message()) {
    sent += bytes.length;
    if (binary && sent > envelope.size) break;
    // The server will accept no more of it, and the part it has must not end like a complete message.
    if (conn.ended) return await lastWords(channel, closed(), timeouts);
    conn.write(binary ? bytes : encoder.encode(bytes));
    try {
      await conn.flush();
      channel.progress("alive");
    } catch (err) {
      // A server that rejects the message may say so and close before all of it was sent.
      return await lastWords(channel, err, timeouts);
    }
  }
  // A partial message must never look like a complete one.
  if (sent !== envelope.size) throw new Error(`message has ${sent} bytes, not ${envelope.size}`);
  if (!binary) conn.write(encoder.end());
  // From here on only the server knows whether it has all of it.
  channel.progress("committed");
  await channel.flush("message", timeouts.block);
}

/** The answer that accepts the message. @throws SmtpClientError for any other */
async function answerToMessage(channel: Channel, timeouts: Timeouts): Promise<Reply> {
  const reply = await channel.read("message", timeouts.message);
  // RFC 5321 §4.2.5: any 2xx accepts responsibility.
  if (reply.code < 200 || reply.code > 299) throw refusal(reply, "message");
  return reply;
}

/**
 * LMTP's answers, in the order in which the recipients were accepted. Received answers count, whatever happens
 * to the connection afterwards.
 */
async function answersOfEach(
  channel: Channel,
  timeouts: Timeouts,
  outcomes: (RecipientOutcome | undefined)[],
): Promise<void> {
  for (const [i, refused] of outcomes.entries()) {
    if (refused !== undefined) continue;
    // The server has the message, until its last answer.
    channel.progress("committed");
    try {
      outcomes[i] = await answerToMessage(channel, timeouts);
    } catch (err) {
      // A 421 or a break ends the session: no more answers come.
      if (channel.broken || !(err instanceof SmtpClientError)) throw err;
      outcomes[i] = err;
    }
  }
}

const closed = () => new ConnectionError("closed", "connection closed by the peer");

async function lastWords(channel: Channel, err: unknown, timeouts: Timeouts): Promise<never> {
  let reply: Reply;
  try {
    reply = await channel.read("message", Math.min(5_000, timeouts.message));
  } catch {
    channel.broken = true;
    throw connectionFailure(err, "message");
  }
  channel.broken = true;
  throw refusal(reply, "message");
}
