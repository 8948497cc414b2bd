/**
 * Scanning incoming messages before they are judged: scanners may refuse them, and may change message, sender and
 * recipients.
 *
 * @module
 */
import type { ScanFindings } from "../../delivery/analysis_types.ts";
import type { ScanEnvelope, Scanned, Scanners } from "../../scanning/mod.ts";
import { cidString } from "../../log/mod.ts";
import { readRange } from "../../platform/files.ts";
import {
  addressText,
  type IncomingMessage,
  type Outcome,
  parsePath,
  PathError,
  type Recipient,
  SmtpError,
  type SmtpSession,
  type Transaction,
} from "../../smtp/server/mod.ts";
import type { Arrived } from "../arrival/arrived.ts";
import { ParsingObserver } from "../arrival/arrived.ts";
import type { Sender } from "../arrival/sender.ts";
import { refuseIfAsked } from "../scanning.ts";
import type { Route } from "../arrival/plan.ts";

/** A message after scanning. */
export interface ScannedIncoming {
  /** Nobody gets it, and its sender isn't notified. */
  discarded: boolean;
  transaction: Transaction;
  /** The same as before, if nothing was changed. */
  message: IncomingMessage;
  findings: ScanFindings;
  /** Outcomes for the recipients of the sender, from those of `transaction`. */
  outcomes(of: readonly Outcome[]): Outcome[];
  remove(): void;
}

export interface IncomingScan {
  scanners: Scanners;
  names: readonly string[];
  /** Of this server. */
  hostname: string;
  /** Where an address leads; throws SmtpError if it isn't local. */
  routeOf: (address: Recipient["address"]) => Route;
}

/** Runs the scanners. @throws SmtpError if they refuse the message; file errors */
export async function scanIncoming(
  scan: IncomingScan,
  session: SmtpSession,
  transaction: Transaction,
  message: IncomingMessage,
  arrived: Arrived,
  sender: Sender,
): Promise<ScannedIncoming> {
  const envelope: ScanEnvelope = {
    hostname: scan.hostname,
    remoteIp: session.remoteIp,
    remotePort: session.remotePort,
    remoteName: sender.auth?.iprev.name,
    hello: session.hello.name,
    tls: session.tls,
    mailFrom: transaction.mailFrom ? addressText(transaction.mailFrom) : "",
    recipients: transaction.recipients.map((r) => addressText(r.address)),
    id: cidString(session.cid),
  };
  const scanned = await scan.scanners.scan(scan.names, envelope, {
    size: arrived.size,
    headerSize: arrived.root.bodyOffset,
    read: arrived.read,
  });
  try {
    session.log.info("scanned", {
      action: scanned.action,
      said: scanned.facts.map((f) => `${f.scanner}: ${f.text}`).join("; "),
    });
    refuseIfAsked(scanned);
    return await asLeft(scan, session, transaction, message, envelope, scanned);
  } catch (err) {
    scanned.remove();
    throw err;
  }
}

async function asLeft(
  scan: IncomingScan,
  session: SmtpSession,
  t: Transaction,
  message: IncomingMessage,
  envelope: ScanEnvelope,
  scanned: Scanned,
): Promise<ScannedIncoming> {
  const removed = new Set(scanned.removeRecipients.map((a) => a.toLowerCase()));
  const stays = (_: Recipient, i: number) =>
    !scanned.refusedRecipients.has(i) && !removed.has(envelope.recipients[i].toLowerCase());
  const kept = t.recipients.filter(stays);
  const mailFrom = scanned.mailFrom === undefined
    ? t.mailFrom
    : parsed(scanned.mailFrom, session, "sender");
  const transaction: Transaction = {
    mailFrom,
    body: t.body,
    smtpUtf8: t.smtpUtf8,
    requireTls: t.requireTls,
    declaredSize: t.declaredSize,
    ret: t.ret,
    envelopeId: t.envelopeId,
    holdUntil: t.holdUntil,
    holdRequest: t.holdRequest,
    recipients: [...kept, ...added(scan, session, kept, scanned.addRecipients)],
    handle: t.handle,
  };
  const changed = await changedMessage(message, scanned);
  return {
    discarded: scanned.action === "discard",
    transaction,
    message: scanned.mailFrom === undefined ? changed : {
      ...changed,
      returnPathHeader: () => `Return-Path: <${scanned.mailFrom}>\r\n`,
    },
    findings: findingsOf(scanned),
    outcomes(of) {
      let next = 0;
      return t.recipients.map((recipient, i) => {
        const refused = scanned.refusedRecipients.get(i);
        if (refused) return new SmtpError(refused.code, refused.enhanced, refused.text);
        return stays(recipient, i) ? of[next++] : undefined;
      });
    },
    remove: () => scanned.remove(),
  };
}

/** Added recipients: local addresses only, as nobody may relay. */
function added(
  scan: IncomingScan,
  session: SmtpSession,
  kept: readonly Recipient[],
  addresses: readonly string[],
): Recipient[] {
  const there = new Set(kept.map((r) => addressText(r.address).toLowerCase()));
  return addresses.flatMap((text) => {
    if (there.has(text.toLowerCase())) return [];
    there.add(text.toLowerCase());
    const address = parsed(text, session, "recipient");
    if (!address) return [];
    try {
      const handle = scan.routeOf(address);
      // Nobody gets reports about it.
      return [{ address, notify: ["never" as const], handle }];
    } catch (err) {
      if (!(err instanceof SmtpError)) throw err;
      session.log.warn("recipient of a scanner is none of ours, and left out", { to: text });
      return [];
    }
  });
}

function parsed(text: string, session: SmtpSession, what: string) {
  try {
    return parsePath(`<${text}>`, { pedantic: false, utf8: true }).address;
  } catch (err) {
    if (!(err instanceof PathError)) throw err;
    session.log.warn(`address of a scanner is none, and left out`, { address: text, what });
    return undefined;
  }
}

/** The message in its new file, parsed again. */
async function changedMessage(
  message: IncomingMessage,
  scanned: Scanned,
): Promise<IncomingMessage> {
  const { changed } = scanned;
  if (!changed) return message;
  const parser = new ParsingObserver();
  const file = await Deno.open(changed.path, { read: true });
  let has8bit = false, headerHas8bit = false;
  try {
    for (let at = 0; at < changed.size; at += 64 * 1024) {
      const piece = readRange(file, at, Math.min(changed.size, at + 64 * 1024));
      parser.push(piece);
      const high = piece.findIndex((b) => b >= 128);
      has8bit ||= high >= 0;
      headerHas8bit ||= high >= 0 && at + high < changed.headerSize;
    }
  } finally {
    file.close();
  }
  return {
    ...message,
    file: changed.path,
    synced: Promise.resolve(),
    size: changed.size,
    headerSize: changed.headerSize,
    has8bit,
    headerHas8bit,
    observer: parser,
  };
}

function findingsOf(scanned: Scanned): ScanFindings {
  return {
    texts: scanned.facts.map((f) => `scanner ${f.scanner}: ${f.text}`),
    junk: scanned.action === "junk",
    quarantine: scanned.quarantine,
    spamScore: scanned.spamScore,
    virus: scanned.virus,
  };
}
