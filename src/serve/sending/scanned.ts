/**
 * Scanning users' mail before it is signed and queued. Mail that scanners object to is not sent: it is refused, or
 * held in the queue until an administrator decides.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { Log } from "../../log/mod.ts";
import { StructureParser } from "../../mail/structure/structure.ts";
import { joined } from "../../platform/bytes.ts";
import { readRange } from "../../platform/files.ts";
import type { NewQueueMessage } from "../../queue/mod.ts";
import type { ScanEnvelope, ScanMessage, Scanned, Scanners } from "../../scanning/mod.ts";
import { SmtpError } from "../../smtp/server/mod.ts";
import { refuseIfAsked } from "../scanning.ts";

const log = new Log("scanning");

/** What scanners get besides the message. */
export interface OutgoingScan {
  /** The listener's scanners; OutgoingScanners run after them. */
  scanners?: readonly string[];
  /** The session, for mail by SMTP. */
  session?: Pick<ScanEnvelope, "remoteIp" | "remotePort" | "hello" | "tls" | "id">;
  /** The login name; the account's name if not given. */
  login?: string;
}

type Leaving =
  & Pick<
    NewQueueMessage,
    | "senderAccount"
    | "mailFrom"
    | "recipients"
    | "file"
    | "fileSize"
    | "prefix"
    | "smtputf8"
    | "has8bit"
    | "hold"
  >
  & { scan?: OutgoingScan };

/** The properties that differ in a scanned message. */
export interface ScannedOutgoing {
  /** Nobody gets it, and its sender isn't notified. */
  discarded: boolean;
  message: Partial<Leaving>;
  remove(): void;
}

/** Scanners for a message, in their order. */
function scannersOf(config: Config, scan: OutgoingScan): string[] {
  return [...new Set([...scan.scanners ?? [], ...config.static.OutgoingScanners])];
}

/**
 * Runs the scanners; undefined if there are none.
 * @throws SmtpError if they refuse the message; file errors
 */
export async function scanOutgoing(
  s: { config: Config; scanners?: Scanners },
  leaving: Leaving,
): Promise<ScannedOutgoing | undefined> {
  if (!leaving.scan || !s.scanners) return undefined;
  const names = scannersOf(s.config, leaving.scan);
  if (names.length === 0) return undefined;
  const file = await Deno.open(leaving.file, { read: true });
  try {
    // This server's own Received field isn't passed to scanners, as other servers don't do so either.
    const own = receivedLength(leaving.prefix);
    const scanned = await s.scanners.scan(
      names,
      envelopeOf(s.config, leaving),
      view(leaving.prefix.subarray(own), file, leaving.fileSize),
    );
    try {
      return await asLeft(leaving, scanned, leaving.prefix.subarray(0, own));
    } catch (err) {
      scanned.remove();
      throw err;
    }
  } finally {
    file.close();
  }
}

function envelopeOf(config: Config, leaving: Leaving): ScanEnvelope {
  const scan = leaving.scan!;
  return {
    hostname: config.static.Hostname,
    remoteIp: "",
    remotePort: 0,
    hello: config.static.Hostname,
    id: crypto.randomUUID().slice(0, 8),
    ...scan.session,
    username: scan.login ?? leaving.senderAccount,
    mailFrom: leaving.mailFrom,
    recipients: leaving.recipients.map((r) => r.address),
  };
}

/** Bytes of a Received field at the start; 0 without one. */
function receivedLength(prefix: Uint8Array): number {
  if (!new TextDecoder().decode(prefix.subarray(0, 9)).toLowerCase().startsWith("received:")) {
    return 0;
  }
  for (let at = 0;;) {
    const end = prefix.indexOf(10, at);
    if (end < 0) return prefix.length;
    at = end + 1;
    if (prefix[at] !== 32 && prefix[at] !== 9) return at;
  }
}

/** Fields and a file behind them as one message. */
function view(fields: Uint8Array, file: Deno.FsFile, fileSize: number): ScanMessage {
  const read = (from: number, to: number): Uint8Array => {
    const n = fields.length;
    if (from >= n) return readRange(file, from - n, to - n);
    if (to <= n) return fields.subarray(from, to);
    return joined([fields.subarray(from), readRange(file, 0, to - n)]);
  };
  const size = fields.length + fileSize;
  return { size, headerSize: headerEnd(read, size), read };
}

/** Bytes of the header with its empty line; the whole size without one. */
function headerEnd(read: (from: number, to: number) => Uint8Array, size: number): number {
  let fresh = true;
  for (let at = 0; at < size; at += 64 * 1024) {
    const piece = read(at, Math.min(size, at + 64 * 1024));
    for (let i = 0; i < piece.length; i++) {
      const b = piece[i];
      if (b === 10) {
        if (fresh) return at + i + 1;
        fresh = true;
      } else if (b !== 13) fresh = false;
    }
  }
  return size;
}

async function asLeft(
  leaving: Leaving,
  scanned: Scanned,
  received: Uint8Array,
): Promise<ScannedOutgoing> {
  log.info("scanned", {
    account: leaving.senderAccount,
    action: scanned.action,
    hold: scanned.quarantine,
    said: scanned.facts.map((f) => `${f.scanner}: ${f.text}`).join("; "),
  });
  refuseIfAsked(scanned);
  const [refused] = scanned.refusedRecipients;
  if (refused) {
    const [i, reply] = refused;
    const text = `${leaving.recipients[i].address}: ${reply.text}`;
    throw new SmtpError(reply.code, reply.enhanced, text);
  }
  const removed = new Set(scanned.removeRecipients.map((a) => a.toLowerCase()));
  const recipients = leaving.recipients.filter((r) => !removed.has(r.address.toLowerCase()));
  const there = new Set(recipients.map((r) => r.address.toLowerCase()));
  for (const address of scanned.addRecipients) {
    if (there.has(address.toLowerCase())) continue;
    there.add(address.toLowerCase());
    recipients.push({ address, notify: ["never"] });
  }
  const message: Partial<Leaving> = {
    recipients,
    mailFrom: scanned.mailFrom ?? leaving.mailFrom,
    hold: leaving.hold || scanned.quarantine !== undefined,
    ...scanned.changed && await changedFile(leaving, scanned.changed.path, received),
  };
  return {
    discarded: scanned.action === "discard" || recipients.length === 0,
    message,
    remove: () => scanned.remove(),
  };
}

async function changedFile(leaving: Leaving, path: string, received: Uint8Array) {
  const file = await Deno.open(path, { read: true });
  try {
    const { size } = await file.stat();
    const parser = new StructureParser();
    let has8bit = false;
    for (let at = 0; at < size; at += 64 * 1024) {
      const piece = readRange(file, at, Math.min(size, at + 64 * 1024));
      parser.write(piece);
      has8bit ||= piece.some((b) => b >= 128);
    }
    const parsed = parser.end();
    return {
      file: path,
      fileSize: size,
      prefix: received,
      parsed,
      has8bit,
      smtputf8: leaving.smtputf8 || parsed.utf8Headers,
    };
  } finally {
    file.close();
  }
}
