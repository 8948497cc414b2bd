/**
 * The backend of the submission listeners: users' mail goes to the queue. Incoming mail is handled by
 * receiving.ts.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";
import { deliveryFacts } from "../delivery/facts.ts";
import { cidString, type Log } from "../log/mod.ts";
import { headerField, splitHeader } from "../mail/header/header.ts";
import { counter } from "../metrics/mod.ts";
import type { Queue } from "../queue/mod.ts";
import type { Scanners } from "../scanning/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import {
  type Address,
  type Delivered,
  type IncomingMessage,
  type SmtpBackend,
  SmtpError,
  type SmtpSession,
  type Transaction,
} from "../smtp/server/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { EmailDescription } from "../store/messages/describe.ts";
import { ParsingObserver } from "./arrival/arrived.ts";
import { loginAccount } from "./logins.ts";
import type { OpenLogins } from "./open_logins.ts";
import { checkAuthors, checkSendAs } from "./sending/authors.ts";
import { behalfField } from "./sending/delegates.ts";
import { queueOutgoing } from "./sending/outgoing.ts";
import { submittedMessage } from "./sending/submission.ts";
import { storeFailure } from "./receiving/failure.ts";
import { targetsOf } from "./receiving/targets.ts";
import type { ServerWebhooks } from "./sending/webhooks.ts";

const submissions = counter(
  "mox_smtpserver_submission_total",
  "Submitted messages, by result.",
  { result: ["ok", "refused", "error"] },
);

/** Services used by the backend. */
export interface MailServices {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  log: Log;
  sasl: SaslBackend;
  hostname: string;
  openLogins: OpenLogins;
  scanners?: Scanners;
}

/** For ports 587 and 465: queues users' messages. @param scanners of the listener */
export function submissionBackend(
  services: MailServices,
  scanners: readonly string[] = [],
): SmtpBackend {
  const accountOf = (session: SmtpSession): string => {
    const name = session.username === undefined
      ? undefined
      : loginAccount(services.config, session.username);
    if (name === undefined) throw new SmtpError(530, "7.0", "log in first");
    return name;
  };
  return {
    sasl: services.sasl,
    authenticated(session, username, credential): Promise<void> {
      const account = loginAccount(services.config, username);
      if (account === undefined) {
        return Promise.reject(new SmtpError(535, "7.8", "this account may not log in"));
      }
      const end = (reason: string) => session.end(reason);
      session.state = services.openLogins.add({ account, login: username, credential, end });
      return Promise.resolve();
    },
    disconnected(session): Promise<void> {
      (session.state as (() => void) | undefined)?.();
      return Promise.resolve();
    },
    checkMailFrom(session, transaction): Promise<void> {
      return Promise.resolve().then(() => {
        const account = accountOf(session);
        const from = transaction.mailFrom;
        if (from) checkSendAs(services.config, account, from.localpart, from.domain ?? "");
      });
    },
    checkRecipient(): Promise<undefined> {
      return Promise.resolve(undefined);
    },
    startMessage: () => new ParsingObserver(),
    async deliver(session, transaction, message): Promise<Delivered> {
      const account = accountOf(session);
      try {
        const ids = await submit(services, session, account, transaction, message, scanners);
        submissions.inc({ result: "ok" });
        return {
          outcomes: transaction.recipients.map(() => undefined),
          text: ids.length > 0 ? `queued as ${ids.join(" ")}` : "message taken",
        };
      } catch (err) {
        const failure = storeFailure(err, session.log);
        submissions.inc({ result: err instanceof SmtpError ? "refused" : "error" });
        throw failure;
      }
    },
  };
}

async function submit(
  services: MailServices,
  session: SmtpSession,
  account: string,
  transaction: Transaction,
  message: IncomingMessage,
  scanners: readonly string[],
): Promise<number[]> {
  const { parsed } = message.observer as ParsingObserver;
  const header = parsed.root.header ?? new Uint8Array(0);
  const fields = splitHeader(header);
  const senders = checkAuthors(services.config, account, header, fields);
  let prefix = message.receivedHeader();
  // RFC 6409 §8: Date and Message-ID are added if they are missing.
  if (headerField(fields, "date") === undefined) {
    prefix += `Date: ${new Date(message.received).toUTCString().replace("GMT", "+0000")}\r\n`;
  }
  let messageId = headerField(fields, "message-id");
  if (messageId === undefined) {
    messageId = `<${crypto.randomUUID()}@${services.hostname}>`;
    prefix += `Message-ID: ${messageId}\r\n`;
  }
  if (headerField(fields, "sender") === undefined) {
    prefix += behalfField(services.config, account, senders, session.username);
  }
  await message.synced;
  return await queueOutgoing(services, {
    author: `${senders[0].localpart}@${senders[0].domain}`,
    senderAccount: account,
    fromDomain: senders[0].domain,
    ...submittedMessage(transaction, message, fields, parsed.utf8Headers),
    utf8Allowed: transaction.smtpUtf8,
    parsed,
    prefix: new TextEncoder().encode(prefix),
    messageId,
    scan: {
      scanners,
      session: {
        remoteIp: session.remoteIp,
        remotePort: session.remotePort,
        hello: session.hello.name,
        tls: session.tls,
        id: cidString(session.cid),
      },
      login: session.username,
    },
  }).then((ids) => {
    session.log.info("queued", { account, ids: ids.join(","), size: message.size });
    return ids;
  });
}

/** Delivers a message file to a local address, as localserve does with all sent mail. */
export async function deliverToSelf(
  s: Pick<MailServices, "config" | "accounts"> & { webhooks?: ServerWebhooks },
  recipient: Address,
  mailFrom: Address | undefined,
  m: { file: string; fileSize: number; prefix: Uint8Array },
  description?: EmailDescription,
): Promise<void> {
  for (const target of targetsOf(s.config, recipient)) {
    const account = await s.accounts.open(target.account);
    try {
      const delivered = await account.deliver(target.destination.Mailbox || "Inbox", {
        ...m,
        fileSynced: true,
        description,
        facts: description && deliveryFacts(
          {
            remoteIp: "127.0.0.1",
            ehlo: "localhost",
            mailFrom,
            rcptTo: { localpart: recipient.localpart, domain: recipient.domain ?? "" },
            tlsVersion: "",
            requireTls: false,
          },
          description,
          undefined,
        ),
      });
      await s.webhooks?.incoming(account, delivered);
    } finally {
      account.close();
    }
  }
}
