/**
 * What stands behind the SMTP listeners: incoming mail goes to accounts, submitted mail to the queue.
 *
 * @module
 */
import type { AddressLookup, Config, Destination } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import { flattenAddresses, parseAddressList } from "../mail/address.ts";
import { headerField, splitHeader } from "../mail/header.ts";
import { StructureParser } from "../mail/structure.ts";
import { counter } from "../metrics/mod.ts";
import { networksOf } from "../net/mod.ts";
import type { Queue } from "../queue/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import {
  type Address,
  addressText,
  type Delivered,
  type IncomingMessage,
  type MessageObserver,
  type Outcome,
  type Recipient,
  type SmtpBackend,
  SmtpError,
  type SmtpSession,
  type Transaction,
} from "../smtp/server/mod.ts";
import type { Accounts } from "../store/accounts.ts";
import { describe, type EmailDescription, organizationalDomain } from "../store/describe.ts";
import { type DeliveryFacts, StoreError } from "../store/types.ts";
import { loginAccount } from "./logins.ts";
import { queueOutgoing } from "./outgoing.ts";
import { submittedMessage } from "./submission.ts";

const deliveries = counter(
  "mox_smtpserver_delivery_total",
  "Recipients of incoming messages, by result.",
  { result: ["delivered", "refused", "error"] },
);
const submissions = counter(
  "mox_smtpserver_submission_total",
  "Submitted messages, by result.",
  { result: ["ok", "refused", "error"] },
);

/** What the backend works with. */
export interface MailServices {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  log: Log;
  sasl: SaslBackend;
  hostname: string;
}

/** Where a recipient's mail goes. */
interface Target {
  account: string;
  destination: Destination;
}

/** Parses while the message arrives, so that nothing has to be read twice. */
class ParsingObserver implements MessageObserver {
  readonly parser = new StructureParser();
  push(bytes: Uint8Array): void {
    this.parser.write(bytes);
  }
  finish(): void {}
}

/** Describes a message that has arrived, from what was parsed while it did. */
function describeIncoming(message: IncomingMessage): EmailDescription {
  const file = Deno.openSync(message.file, { read: true });
  try {
    return describe((message.observer as ParsingObserver).parser.end(), (from, to) => {
      file.seekSync(from, Deno.SeekMode.Start);
      const out = new Uint8Array(to - from);
      return out.subarray(0, file.readSync(out) ?? 0);
    });
  } finally {
    file.close();
  }
}

/** What is known of a message without asking anyone. */
function localFacts(
  session: { remoteIp: string; ehlo: string; tlsVersion: string },
  mailFrom: Address | undefined,
  rcptTo: Address,
  requireTls: boolean,
  d: EmailDescription,
): DeliveryFacts {
  const from = d.summary.from[0]?.address ?? "";
  const at = from.lastIndexOf("@");
  const fromDomain = at < 0 ? "" : from.slice(at + 1);
  return {
    remoteIp: session.remoteIp,
    networks: networksOf(session.remoteIp) as [string, string, string],
    ehloDomain: session.ehlo,
    mailFromLocalpart: mailFrom?.localpart ?? "",
    mailFromDomain: mailFrom?.domain ?? "",
    rcptToLocalpart: rcptTo.localpart,
    rcptToDomain: rcptTo.domain ?? "",
    msgFromLocalpart: at < 0 ? from : from.slice(0, at),
    msgFromDomain: fromDomain,
    msgFromOrgDomain: fromDomain === "" ? "" : organizationalDomain(fromDomain),
    ehloValidated: false,
    mailFromValidated: false,
    msgFromValidated: false,
    ehloValidation: "none",
    mailFromValidation: "none",
    msgFromValidation: "none",
    dkimDomains: [],
    isForward: false,
    isMailingList: false,
    receivedTlsVersion: session.tlsVersion,
    receivedRequireTls: requireTls,
  };
}

/** The accounts behind an address; throws the SMTP answer for addresses that lead nowhere. */
export function targetsOf(config: Config, address: Address): Target[] {
  const found: AddressLookup = config.lookupAddress(address.localpart, address.domain ?? "");
  switch (found.kind) {
    case "account":
      return [{ account: found.account, destination: found.destination }];
    case "alias": {
      const targets = new Map<string, Target>();
      for (const m of found.alias.members) {
        targets.set(m.account, { account: m.account, destination: m.destination });
      }
      return [...targets.values()];
    }
    case "disabledDomain":
      throw new SmtpError(450, "2.1", "domain is disabled for now");
    case "unknownDomain":
      throw new SmtpError(550, "7.1", "no mail for this domain here, and no relaying");
    default:
      throw new SmtpError(550, "1.1", "no such address here");
  }
}

/** The answer for what went wrong in the store. */
function storeFailure(err: unknown, log: Log): SmtpError {
  if (err instanceof SmtpError) return err;
  if (err instanceof StoreError && err.code === "overQuota") {
    return new SmtpError(452, "2.2", "mailbox is full");
  }
  log.error("delivering message", { err: err as Error });
  return new SmtpError(451, "3.0", "could not store the message, try again later");
}

/** Behind port 25: messages for our own addresses. */
export function receivingBackend(s: MailServices): SmtpBackend {
  return {
    checkRecipient(_session, _transaction, recipient): Promise<Target[]> {
      return Promise.resolve().then(() => targetsOf(s.config, recipient.address));
    },
    startMessage: () => new ParsingObserver(),
    async deliver(session, transaction, message): Promise<Delivered> {
      const description = describeIncoming(message);
      const outcomes: Outcome[] = await Promise.all(
        transaction.recipients.map((r) =>
          deliverTo(s, session, transaction, message, description, r)
        ),
      );
      return { outcomes };
    },
  };
}

async function deliverTo(
  s: MailServices,
  session: SmtpSession,
  transaction: Transaction,
  message: IncomingMessage,
  description: EmailDescription,
  recipient: Recipient,
): Promise<Outcome> {
  const prefix = new TextEncoder().encode(
    message.returnPathHeader() + message.receivedHeader(recipient.address),
  );
  const facts = localFacts(
    {
      remoteIp: session.remoteIp,
      ehlo: session.hello.name,
      tlsVersion: session.tls?.version ?? "",
    },
    transaction.mailFrom,
    recipient.address,
    transaction.requireTls,
    description,
  );
  let failure: SmtpError | undefined;
  let delivered = 0;
  for (const target of recipient.handle as Target[]) {
    try {
      const account = await s.accounts.open(target.account);
      try {
        await account.deliver(target.destination.Mailbox || "Inbox", {
          file: message.file,
          fileSynced: message.synced,
          fileSize: message.size,
          prefix,
          description,
          received: message.received,
          facts,
        });
        delivered++;
      } finally {
        account.close();
      }
      deliveries.inc({ result: "delivered" });
      session.log.info("delivered", {
        account: target.account,
        from: transaction.mailFrom ? addressText(transaction.mailFrom) : "",
        to: addressText(recipient.address),
        size: message.size,
      });
    } catch (err) {
      failure = storeFailure(err, session.log);
      deliveries.inc({ result: "error" });
    }
  }
  // Members of a list that got it must not get it again because of one that didn't.
  return delivered > 0 ? undefined : failure;
}

/** Behind ports 587 and 465: messages of our users, into the queue. */
export function submissionBackend(s: MailServices): SmtpBackend {
  const accountOf = (session: SmtpSession): string => {
    const name = session.username === undefined
      ? undefined
      : loginAccount(s.config, session.username);
    if (name === undefined) throw new SmtpError(530, "7.0", "log in first");
    return name;
  };
  return {
    sasl: s.sasl,
    checkMailFrom(session, transaction): Promise<void> {
      return Promise.resolve().then(() => {
        const account = accountOf(session);
        const from = transaction.mailFrom;
        if (from) checkOwnAddress(s.config, account, from.localpart, from.domain ?? "");
      });
    },
    checkRecipient(): Promise<undefined> {
      return Promise.resolve(undefined);
    },
    startMessage: () => new ParsingObserver(),
    async deliver(session, transaction, message): Promise<Delivered> {
      const account = accountOf(session);
      try {
        const ids = await submit(s, session, account, transaction, message);
        submissions.inc({ result: "ok" });
        return {
          outcomes: transaction.recipients.map(() => undefined),
          text: `queued as ${ids.join(" ")}`,
        };
      } catch (err) {
        const failure = storeFailure(err, session.log);
        submissions.inc({ result: err instanceof SmtpError ? "refused" : "error" });
        throw failure;
      }
    },
  };
}

function checkOwnAddress(config: Config, account: string, localpart: string, domain: string): void {
  switch (config.mayUseFrom(account, localpart, domain)) {
    case "yes":
      return;
    case "disabledDomain":
      throw new SmtpError(550, "7.1", "the sender's domain is disabled");
    default:
      // Localserve takes any sender.
      if (config.acceptAllAccount === account) return;
      throw new SmtpError(550, "7.1", `${localpart}@${domain} is not an address of your account`);
  }
}

async function submit(
  s: MailServices,
  session: SmtpSession,
  account: string,
  transaction: Transaction,
  message: IncomingMessage,
): Promise<number[]> {
  const parsed = (message.observer as ParsingObserver).parser.end();
  const fields = splitHeader(parsed.root.header ?? new Uint8Array(0));
  const from = fields.filter((f) => f.name === "from");
  // RFC 6409 §6.1: a submission without exactly one From is not a message.
  const senders = from.length === 1 ? flattenAddresses(parseAddressList(from[0].value)) : [];
  if (senders.length === 0) {
    throw new SmtpError(550, "6.0", "message needs one From header field with an address");
  }
  for (const a of senders) checkOwnAddress(s.config, account, a.localpart, a.domain);
  let prefix = message.receivedHeader();
  // RFC 6409 §8: Date and Message-ID are added if they are missing.
  if (headerField(fields, "date") === undefined) {
    prefix += `Date: ${new Date(message.received).toUTCString().replace("GMT", "+0000")}\r\n`;
  }
  let messageId = headerField(fields, "message-id");
  if (messageId === undefined) {
    messageId = `<${crypto.randomUUID()}@${s.hostname}>`;
    prefix += `Message-ID: ${messageId}\r\n`;
  }
  await message.synced;
  return await queueOutgoing(s, {
    senderAccount: account,
    fromDomain: senders[0].domain,
    ...submittedMessage(transaction, message, fields),
    prefix: new TextEncoder().encode(prefix),
    messageId,
  }).then((ids) => {
    session.log.info("queued", { account, ids: ids.join(","), size: message.size });
    return ids;
  });
}

/** Delivers a message file to a local address, as localserve does with all that is sent. */
export async function deliverToSelf(
  s: Pick<MailServices, "config" | "accounts">,
  recipient: Address,
  mailFrom: Address | undefined,
  m: { file: string; fileSize: number; prefix: Uint8Array },
  description?: EmailDescription,
): Promise<void> {
  for (const target of targetsOf(s.config, recipient)) {
    const account = await s.accounts.open(target.account);
    try {
      await account.deliver(target.destination.Mailbox || "Inbox", {
        ...m,
        fileSynced: true,
        description,
        facts: description &&
          localFacts(
            { remoteIp: "127.0.0.1", ehlo: "localhost", tlsVersion: "" },
            mailFrom,
            recipient,
            false,
            description,
          ),
      });
    } finally {
      account.close();
    }
  }
}
