/** Reporting to senders what happened to their messages (RFC 3464). @module */
import { domainToASCII } from "node:url";
import type { Config } from "../../config/mod.ts";
import { Log } from "../../log/mod.ts";
import { flattenAddresses, parseAddressList } from "../../mail/address/address.ts";
import { composeDsn } from "../../mail/dsn/dsn.ts";
import { headersNeedUtf8 } from "../../mail/structure/structure.ts";
import { withTempFile } from "../../platform/files.ts";
import type { Attempt, DsnEvent, Queue } from "../../queue/mod.ts";
import { type Address, addressText, SmtpError } from "../../smtp/server/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { describeFile } from "../../store/messages/describe.ts";
import type { Srs } from "../../senderauth/mod.ts";
import { originalSender } from "./returned.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import { hostDomain } from "../host_domain.ts";
import { deliverToSelf } from "../smtp_backend.ts";
import { joined } from "../../platform/bytes.ts";

const log = new Log("dsn");

/** Largest original in bytes that a DSN quotes completely; of larger ones it quotes only the header. */
const maxQuoted = 10 * 1024 * 1024;
const maxQuotedHeader = 256 * 1024;

/** What is needed to make DSNs. */
export interface DsnServices {
  config: Config;
  accounts: Accounts;
  tempDir: string;
  /** For senders of forwarded messages, at other servers. */
  queue: () => Queue;
  srs: Srs;
}

/** An envelope's address, parsed. */
export function addressOf(text: string): Address {
  const [a] = flattenAddresses(parseAddressList(text));
  const domain = a?.domain ?? "";
  return { localpart: a?.localpart ?? text, domain, asciiDomain: domainToASCII(domain) || domain };
}

/** The SMTP reply in the form for a DSN. */
function diagnostic(attempt: Attempt): string {
  const code = attempt.text.startsWith(`${attempt.enhanced} `) ? "" : `${attempt.enhanced} `;
  return `${attempt.code} ${code}${attempt.text}`;
}

/** Makes the DSN and delivers it: durable when it resolves. */
export async function deliverDsn(services: DsnServices, event: DsnEvent): Promise<void> {
  const { message } = event;
  // RFC 3461 §4.3: RET applies to failures. A report can't contain binary content.
  let whole = event.action === "failed" && message.ret === "full" && !message.binary &&
    message.fileSize <= maxQuoted;
  let file: Uint8Array;
  try {
    file = whole
      ? await Deno.readFile(message.path)
      : headerOf(await readStart(message.path, maxQuotedHeader));
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
    // The sender is notified all the same, especially if the message was lost.
    log.error("file of a queued message is missing; its sender is told", {
      id: message.id,
      path: message.path,
    });
    file = new Uint8Array(0);
    whole = false;
  }
  // Senders must not learn where the owner of a local address forwards mail.
  const returned =
    originalSender(services.config, services.srs, addressOf(message.mailFrom)) !== undefined;
  const hostname = services.config.static.Hostname;
  const messageId = `${crypto.randomUUID()}@${hostname}`;
  const bytes = composeDsn({
    action: event.action,
    reportingMta: hostname,
    to: addressText(senderOf(services, message.mailFrom)),
    arrival: new Date(message.queued),
    date: new Date(),
    messageId,
    envelopeId: message.envelopeId,
    holdRequest: message.holdRequest,
    originalMessageId: message.messageId,
    originalSubject: message.subject,
    recipients: event.recipients.map(({ item, result, retryUntil }) => {
      const hidden = returned || isForwarded(services.config, item);
      return {
        ...(hidden ? named(item) : { finalRecipient: item.address }),
        originalRecipient: item.originalRecipient,
        status: result.enhanced,
        remoteMta: hidden ? undefined : result.remoteMta,
        diagnostic: hidden ? hiding(diagnostic(result), item.address) : diagnostic(result),
        lastAttempt: new Date(result.time),
        retryUntil: retryUntil === undefined ? undefined : new Date(retryUntil),
      };
    }),
    original: joined([message.prefix, file]),
    originalIsWhole: whole,
    smtputf8: message.smtputf8,
  });
  await withTempFile(
    services.tempDir,
    "dsn-",
    bytes,
    (path) => handOn(services, event, path, bytes, messageId),
  );
}

/** Whether it is an outside address to which mail for a local one is forwarded. */
function isForwarded(config: Config, item: DsnEvent["recipients"][number]["item"]): boolean {
  const original = item.originalRecipient;
  return original !== undefined &&
    config.domain(addressOf(original.address).domain) !== undefined &&
    config.domain(addressOf(item.address).domain) === undefined;
}

/** The address that the sender wrote to. */
function named(item: DsnEvent["recipients"][number]["item"]): { finalRecipient: string } {
  return { finalRecipient: item.originalRecipient?.address ?? item.address };
}

/** A reply with the address in it, and parts of that, removed. */
function hiding(text: string, address: string): string {
  const at = address.lastIndexOf("@");
  const parts = [address, address.slice(0, at), address.slice(at + 1)];
  let out = text;
  for (const p of parts) {
    if (p.length < 3) continue;
    for (let i = out.toLowerCase().indexOf(p.toLowerCase()); i >= 0;) {
      out = `${out.slice(0, i)}(recipient)${out.slice(i + p.length)}`;
      i = out.toLowerCase().indexOf(p.toLowerCase(), i + 11);
    }
  }
  return out;
}

/** Who gets the report; for a forwarded message, its original sender. */
function senderOf(services: DsnServices, mailFrom: string): Address {
  const given = addressOf(mailFrom);
  return originalSender(services.config, services.srs, given) ?? given;
}

/** To the sender's mailbox, or its server. */
async function handOn(
  services: DsnServices,
  event: DsnEvent,
  path: string,
  bytes: Uint8Array,
  messageId: string,
): Promise<void> {
  const { message } = event;
  const sender = senderOf(services, message.mailFrom);
  const found = services.config.lookupAddress(sender.localpart, sender.domain ?? "");
  const atOther = found.kind === "account" && !services.config.isHere(found.account);
  if (found.kind === "unknownDomain" || found.kind === "relay" || atOther) {
    // A message that was forwarded for an outside sender, or whose sender is on another server by Relay, or an account
    // that has moved to another node.
    const has8bit = bytes.some((b) => b >= 128);
    await queueOutgoing({ config: services.config, queue: services.queue() }, {
      senderAccount: message.senderAccount,
      fromDomain: hostDomain(services.config),
      mailFrom: "",
      recipients: [{ address: addressText(sender), notify: ["never"] }],
      file: path,
      fileSize: bytes.length,
      prefix: new Uint8Array(0),
      smtputf8: headersNeedUtf8(bytes),
      has8bit,
      requireTls: message.requireTls,
      tlsOptional: message.tlsOptional,
      messageId: `<${messageId}>`,
      subject: "delivery report",
      isDsn: true,
    });
    return;
  }
  try {
    await deliverToSelf(services, sender, undefined, {
      file: path,
      fileSize: bytes.length,
      prefix: new TextEncoder().encode("Return-Path: <>\r\n"),
    }, await describeFile(path));
  } catch (err) {
    if (!(err instanceof SmtpError) || err.temporary) throw err;
    // The address no longer exists: there is nobody to notify.
    log.warn("sender of a message is no more, dropping the report", {
      id: message.id,
      account: message.senderAccount,
      action: event.action,
    });
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
