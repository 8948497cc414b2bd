/** What the queue needs of the rest of the server: delivery, and telling senders. @module */
import type { Config } from "../config/mod.ts";
import { Log } from "../log/mod.ts";
import { flattenAddresses, parseAddressList } from "../mail/address.ts";
import { composeDsn } from "../mail/dsn.ts";
import { createTemp, removeFile } from "../platform/files.ts";
import {
  type Attempt,
  type Deliverer,
  type DsnEvent,
  localDeliverer,
  type QueueOptions,
  type Result,
} from "../queue/mod.ts";
import { type Address, SmtpError } from "../smtp/server/mod.ts";
import type { Accounts } from "../store/accounts.ts";
import { describeFile } from "../store/describe.ts";
import { StoreError } from "../store/types.ts";
import { deliverToSelf } from "./smtp_backend.ts";

/** Bytes of an original that a DSN quotes whole; of a bigger one only the header. */
const maxQuoted = 10 * 1024 * 1024;
const maxQuotedHeader = 256 * 1024;

export function queueServices(s: {
  config: Config;
  accounts: Accounts;
  local: boolean;
  tempDir: string;
}): QueueOptions {
  const log = new Log("queue");
  const deliverer: Deliverer = localDeliverer(async (message, item): Promise<Result> => {
    try {
      await deliverToSelf(
        s,
        addressOf(item.address),
        message.mailFrom === "" ? undefined : addressOf(message.mailFrom),
        {
          file: message.path,
          fileSize: message.fileSize,
          prefix: prefixWith(
            `Return-Path: <${message.mailFrom}>\r\nDelivered-To: ${item.address}\r\n`,
            message.prefix,
          ),
        },
        await describeFile(message.path),
      );
      return { kind: "delivered" };
    } catch (err) {
      return failure(err);
    }
  });
  return {
    log,
    deliverer,
    onDsn: (event) => deliverDsn(s, event),
  };
}

function addressOf(text: string): Address {
  const [a] = flattenAddresses(parseAddressList(text));
  return { localpart: a?.localpart ?? text, domain: a?.domain ?? "" } as Address;
}

function prefixWith(text: string, prefix: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(text);
  const r = new Uint8Array(head.length + prefix.length);
  r.set(head);
  r.set(prefix, head.length);
  return r;
}

function failure(err: unknown): Result {
  if (err instanceof SmtpError) {
    return {
      kind: err.code < 500 ? "temporary" : "permanent",
      code: err.code,
      enhanced: `${Math.floor(err.code / 100)}.${err.enhanced}`,
      text: err.message,
    };
  }
  if (err instanceof StoreError && err.code === "overQuota") {
    return { kind: "temporary", code: 452, enhanced: "4.2.2", text: "mailbox is full" };
  }
  const text = err instanceof Error ? err.message : String(err);
  return { kind: "temporary", code: 451, enhanced: "4.3.0", text };
}

/** The SMTP answer as a DSN quotes it. */
function diagnostic(a: Attempt): string {
  return `${a.code} ${a.enhanced} ${a.text}`;
}

/** Delivers a DSN to the sender, who is one of our accounts. */
async function deliverDsn(
  s: { config: Config; accounts: Accounts; tempDir: string },
  e: DsnEvent,
): Promise<void> {
  const { message } = e;
  const whole = message.ret === "full" && message.fileSize <= maxQuoted;
  const file = whole
    ? await Deno.readFile(message.path)
    : headerOf(await readStart(message.path, maxQuotedHeader));
  const original = joined(message.prefix, file);
  const bytes = composeDsn({
    action: e.action,
    reportingMta: s.config.static.Hostname,
    to: message.mailFrom,
    arrival: new Date(message.queued),
    date: new Date(),
    messageId: `${crypto.randomUUID()}@${s.config.static.Hostname}`,
    envelopeId: message.envelopeId,
    originalMessageId: message.messageId,
    originalSubject: message.subject,
    recipients: e.recipients.map(({ item, result, retryUntil }) => ({
      finalRecipient: item.address,
      originalRecipient: item.originalRecipient,
      status: result.enhanced,
      diagnostic: diagnostic(result),
      lastAttempt: new Date(result.time),
      retryUntil: retryUntil === undefined ? undefined : new Date(retryUntil),
    })),
    original,
    originalIsWhole: whole,
    smtputf8: message.smtputf8,
  });
  const { path, file: out } = await createTemp(s.tempDir, "dsn-");
  try {
    try {
      for (let at = 0; at < bytes.length;) at += await out.write(bytes.subarray(at));
      await out.sync();
    } finally {
      out.close();
    }
    await deliverToSelf(s, addressOf(message.mailFrom), undefined, {
      file: path,
      fileSize: bytes.length,
      prefix: new TextEncoder().encode("Return-Path: <>\r\n"),
    }, await describeFile(path));
  } finally {
    removeFile(path);
  }
}

/** The first bytes of a file. */
async function readStart(path: string, max: number): Promise<Uint8Array> {
  const f = await Deno.open(path, { read: true });
  try {
    const out = new Uint8Array(max);
    let n = 0;
    while (n < max) {
      const got = await f.read(out.subarray(n));
      if (got === null) break;
      n += got;
    }
    return out.subarray(0, n);
  } finally {
    f.close();
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const r = new Uint8Array(a.length + b.length);
  r.set(a);
  r.set(b, a.length);
  return r;
}

/** A message's header, up to the empty line. */
function headerOf(file: Uint8Array): Uint8Array {
  for (let at = 0; at < file.length;) {
    if (file[at] === 10 || (file[at] === 13 && file[at + 1] === 10)) return file.subarray(0, at);
    const end = file.indexOf(10, at);
    if (end < 0) break;
    at = end + 1;
  }
  return file;
}
