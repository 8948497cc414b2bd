/** Handing a queued message to a server over an established session. @module */
import { toSevenBit } from "../../mail/outgoing/seven_bit.ts";
import {
  type Envelope,
  type MessageSource,
  needsUtf8,
  type Progress,
  type RecipientOutcome,
  replyText,
  type SmtpClient,
  SmtpClientError,
} from "../../smtp/client/mod.ts";
import { byParameter } from "../deliver_by.ts";
import { failureOf } from "../failure.ts";
import type { QueueItem, QueueMessage, Result } from "../types.ts";

/** Bytes read from a message file at a time. */
const pieceSize = 64 * 1024;
/** Most bytes of a message that is encoded for a server without 8BITMIME; larger ones bounce. */
const maxConverted = 16 * 1024 * 1024;
/** Milliseconds to wait at the end for the answer of a server that has the whole message. */
const finalGrace = 5_000;

/** The parts of a session needed for that. */
export type Session = Pick<
  SmtpClient,
  "extensions" | "usable" | "send" | "giveUp" | "onProgress"
>;

/** The bytes of a queued message. */
export async function* messageBytes(
  m: Pick<QueueMessage, "path" | "prefix" | "fileSize">,
): AsyncGenerator<Uint8Array> {
  if (m.prefix.length > 0) yield m.prefix;
  if (m.fileSize <= pieceSize) {
    // Reading a small file is faster than handing the read to a thread.
    const bytes = Deno.readFileSync(m.path);
    if (bytes.length > 0) yield bytes;
    return;
  }
  const file = await Deno.open(m.path, { read: true });
  try {
    for (;;) {
      // A new buffer for each piece: the previous one may not be sent yet.
      const piece = new Uint8Array(pieceSize);
      const n = await file.read(piece);
      if (n === null) return;
      yield piece.subarray(0, n);
    }
  } finally {
    file.close();
  }
}

/** A message in a form that a server accepts. */
interface Form {
  size: number;
  body: Envelope["body"];
  bytes: MessageSource;
}

/** The unchanged message; for a server that accepts only 7-bit text, encoded if possible. */
async function formFor(client: Session, h: HandOver): Promise<Form> {
  const { message: m } = h;
  const x = client.extensions;
  const size = m.prefix.length + m.fileSize;
  const body = m.binary ? "binary" : m.has8bit ? "8bit" : "7bit";
  const takes = body === "7bit" ||
    (body === "8bit" ? x.eightBitMime : x.binaryMime && x.chunking);
  if (!takes && size <= maxConverted) {
    const pieces = await Array.fromAsync(messageBytes(m));
    const converted = toSevenBit(
      new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer()),
    );
    if (converted) {
      const bytes = await h.signAgain?.(converted) ?? converted;
      return { size: bytes.length, body: "7bit", bytes: () => [bytes].values() };
    }
  }
  return { size, body, bytes: () => messageBytes(m) };
}

/** The envelope of a message for a server. */
function envelopeOf(
  message: QueueMessage,
  form: Form,
  items: readonly QueueItem[],
  requireTls: boolean,
  now: number,
): Envelope {
  return {
    mailFrom: message.mailFrom,
    recipients: items.map((item) => ({
      address: item.address,
      notify: item.notify,
      originalRecipient: item.originalRecipient,
    })),
    size: form.size,
    body: form.body,
    smtpUtf8: message.smtputf8,
    requireTls,
    ret: message.ret,
    envelopeId: message.envelopeId,
    deliverBy: message.deliverBy && byParameter(message.deliverBy, now),
  };
}

/** Whether the server reports too many recipients in the transaction (RFC 5321 §4.5.3.1.10). */
function tooMany(outcome: RecipientOutcome): boolean {
  return outcome instanceof SmtpClientError && outcome.phase === "rcpt" &&
    outcome.kind === "reply" &&
    (outcome.code === 452 || outcome.enhanced === "4.5.3");
}

/** Data for handing a message over. */
export interface HandOver {
  message: QueueMessage;
  /** REQUIRETLS is passed on. */
  requireTls: boolean;
  /** Ends it; but a server that has the whole message is given a moment to answer. */
  signal: AbortSignal;
  progress: (step: Progress) => void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Signs again a message that was signed before and then changed. */
  signAgain?: (message: Uint8Array) => Promise<Uint8Array>;
}

/**
 * Sends the message for all of the recipients, in as many transactions as the server's limits require.
 * @returns outcomes in the order of the items; undefined for those not tried because the session ended.
 */
export async function handOver(
  client: Session,
  h: HandOver,
  items: readonly QueueItem[],
): Promise<(RecipientOutcome | undefined)[]> {
  const stop = () => client.giveUp(finalGrace);
  h.signal.addEventListener("abort", stop);
  client.onProgress = h.progress;
  try {
    const outcomes = new Map<QueueItem, RecipientOutcome>();
    const form = await formFor(client, h);
    for (const group of together(client, items)) {
      await handOverGroup(client, h, form, group, outcomes);
    }
    return items.map((i) => outcomes.get(i));
  } finally {
    h.signal.removeEventListener("abort", stop);
    client.onProgress = () => {};
  }
}

/** Recipients of one transaction: those unsuited for the server must not affect the others. */
function together(client: Session, items: readonly QueueItem[]): (readonly QueueItem[])[] {
  if (client.extensions.smtpUtf8) return [items];
  const utf8 = items.filter((i) => needsUtf8(i.address));
  if (utf8.length === 0 || utf8.length === items.length) return [items];
  return [items.filter((i) => !utf8.includes(i)), utf8];
}

async function handOverGroup(
  client: Session,
  { message, requireTls, now }: HandOver,
  form: Form,
  items: readonly QueueItem[],
  outcomes: Map<QueueItem, RecipientOutcome>,
): Promise<void> {
  let left = [...items];
  // RFC 9422: all recipients are of one domain, so any RCPTDOMAINMAX is met.
  let batch = client.extensions.limits.rcptMax;
  while (left.length > 0 && (outcomes.size === 0 || client.usable)) {
    const part = left.slice(0, batch);
    left = left.slice(part.length);
    const got = await client.send(envelopeOf(message, form, part, requireTls, now()), form.bytes);
    const taken = got.filter((o) => !(o instanceof SmtpClientError)).length;
    for (const [i, o] of got.entries()) {
      // The rest goes into the next transaction, if this one achieved something.
      if (taken > 0 && tooMany(o)) left.push(part[i]);
      else outcomes.set(part[i], o);
    }
    if (taken > 0 && got.some(tooMany)) batch = taken;
  }
}

/** The connection ended, or is about to. */
export function lost(err: SmtpClientError): boolean {
  return err.kind === "network" || err.kind === "timeout" || err.code === 421;
}

/** Whether a kept session turned out to be dead before anything was sent on it. */
export function wasDead(outcomes: readonly (RecipientOutcome | undefined)[]): boolean {
  return outcomes.every((o) => o instanceof SmtpClientError && o.phase === "mail" && lost(o));
}

/** An outcome as the queue's result. */
export function resultOf(
  outcome: RecipientOutcome,
  { deliverBy }: Pick<QueueMessage, "deliverBy">,
  item: QueueItem,
  client: Session,
  remoteMta: string,
): Result {
  if (outcome instanceof SmtpClientError) return failureOf(outcome, remoteMta);
  // RFC 3461 §5.2.2: a server with DSN notifies the sender; for others we report that the message was relayed.
  const asked = item.notify?.includes("success") === true;
  return {
    kind: "delivered",
    code: outcome.code,
    enhanced: outcome.enhanced || "2.0.0",
    text: replyText(outcome) || "accepted",
    remoteMta,
    relayed: !asked || client.extensions.dsn ? "told" : "untold",
    // "return" is sent only to servers that continue to enforce it.
    unwatched: deliverBy && (deliverBy.trace || client.extensions.deliverBy === undefined),
  };
}
