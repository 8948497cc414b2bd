/** Giving a queued message to a server, once a session stands. @module */
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
/** Bytes of a message that is encoded for a server that takes only 7-bit text; larger ones bounce. */
const maxConverted = 16 * 1024 * 1024;
/** Milliseconds for which the answer of a server that has the whole message is waited for at the end. */
const finalGrace = 5_000;

/** What a session has to have for that. */
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
    // A small file is read faster than a thread is asked to read it.
    const bytes = Deno.readFileSync(m.path);
    if (bytes.length > 0) yield bytes;
    return;
  }
  const file = await Deno.open(m.path, { read: true });
  try {
    for (;;) {
      // Not one buffer for all: what was given on may not be sent yet.
      const piece = new Uint8Array(pieceSize);
      const n = await file.read(piece);
      if (n === null) return;
      yield piece.subarray(0, n);
    }
  } finally {
    file.close();
  }
}

/** A message as a server can take it. */
interface Form {
  size: number;
  body: Envelope["body"];
  bytes: MessageSource;
}

/** The message as it is; for a server that takes only 7-bit text encoded, if that can be. */
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

/** What to say to a server about a message. */
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

/** Whether the server says that there are too many recipients in the transaction (RFC 5321 §4.5.3.1.10). */
function tooMany(outcome: RecipientOutcome): boolean {
  return outcome instanceof SmtpClientError && outcome.phase === "rcpt" &&
    outcome.kind === "reply" &&
    (outcome.code === 452 || outcome.enhanced === "4.5.3");
}

/** What a message is handed over with. */
export interface HandOver {
  message: QueueMessage;
  /** REQUIRETLS is passed on. */
  requireTls: boolean;
  /** Ends it; but a server that has the whole message is waited for, for a moment. */
  signal: AbortSignal;
  progress: (step: Progress) => void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Signs a message that was changed as it was signed before. */
  signAgain?: (message: Uint8Array) => Promise<Uint8Array>;
}

/**
 * Sends the message for all of the recipients, in as many transactions as the server's limits ask for.
 * @returns outcomes in the order of the items; undefined for those that were not tried, as the session
 * ended before.
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

/** Recipients of one transaction: those that the server can't have must not spoil it for the others. */
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
  // RFC 9422: all recipients are of one domain, so RCPTDOMAINMAX is kept whatever it is.
  let batch = client.extensions.limits.rcptMax;
  while (left.length > 0 && (outcomes.size === 0 || client.usable)) {
    const part = left.slice(0, batch);
    left = left.slice(part.length);
    const got = await client.send(envelopeOf(message, form, part, requireTls, now()), form.bytes);
    const taken = got.filter((o) => !(o instanceof SmtpClientError)).length;
    for (const [i, o] of got.entries()) {
      // The rest goes with the next transaction, if this one has brought something.
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

/** Whether a session that was kept turned out to be dead before anything was asked of it. */
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
  // RFC 3461 §5.2.2: who has DSN tells the sender; for others it is us who say that it was passed on.
  const asked = item.notify?.includes("success") === true;
  return {
    kind: "delivered",
    code: outcome.code,
    enhanced: outcome.enhanced || "2.0.0",
    text: replyText(outcome) || "accepted",
    remoteMta,
    relayed: !asked || client.extensions.dsn ? "told" : "untold",
    // "return" goes only to servers that watch it on.
    unwatched: deliverBy && (deliverBy.trace || client.extensions.deliverBy === undefined),
  };
}
