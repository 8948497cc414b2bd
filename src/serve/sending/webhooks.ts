/** Webhooks of the running server: what accounts are notified of, and when. @module */
import type { Config } from "../../config/mod.ts";
import { Log } from "../../log/mod.ts";
import { parseDsn } from "../../mail/dsn/parse.ts";
import type { Outbound } from "../../net/mod.ts";
import type { OutgoingEvent, Queue, RetiredItem } from "../../queue/mod.ts";
import { type NewHook, Webhooks } from "../../queue/webhooks/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { deliveryRecord } from "../../store/account/delivery_facts.ts";
import type { Message } from "../../store/types.ts";
import { recipientOfSender } from "./unique_sender.ts";
import { type MessageContent, openContent } from "../../web/webmail/reading/content.ts";
import {
  inReplyTo,
  isAutomated,
  messageForm,
  messageMeta,
  structureForm,
} from "../../web/webapi/message_form.ts";

/** Bytes of a delivery report that are read. */
const maxDsn = 1024 * 1024;

/** What an outgoing webhook gets besides the event itself. */
interface Told {
  account: string;
  event: string;
  dsn: boolean;
  suppressing: boolean;
  queueMsgId: number;
  fromId: string;
  messageId: string;
  subject: string;
  code: number;
  enhanced: string;
  error: string;
  extra: Record<string, string>;
}

function outgoingHook(config: Config, told: Told): NewHook | undefined {
  const hook = config.account(told.account)?.OutgoingWebhook;
  if (!hook) return undefined;
  if (hook.Events.length > 0 && !(hook.Events as readonly string[]).includes(told.event)) {
    return undefined;
  }
  return {
    account: told.account,
    url: hook.URL,
    authorization: hook.Authorization,
    event: told.event,
    queueMsgId: told.queueMsgId,
    fromId: told.fromId,
    messageId: told.messageId,
    subject: told.subject,
    payload: JSON.stringify({
      Version: 0,
      Event: told.event,
      DSN: told.dsn,
      Suppressing: told.suppressing,
      QueueMsgID: told.queueMsgId,
      FromID: told.fromId,
      MessageID: told.messageId,
      Subject: told.subject,
      WebhookQueued: new Date().toISOString(),
      SMTPCode: told.code,
      SMTPEnhancedCode: told.enhanced,
      Error: told.error,
      Extra: told.extra,
    }),
  };
}

/** What is reported of a queued recipient. */
function ofEvent(event: OutgoingEvent, queue: Queue): Told {
  const { message, item, attempt } = event;
  return {
    account: message.senderAccount,
    event: event.kind,
    dsn: false,
    suppressing: event.kind === "failed" &&
      queue.suppressesAfter(message.senderAccount, item, attempt),
    queueMsgId: item.id,
    fromId: item.fromId,
    messageId: message.messageId,
    subject: message.subject,
    // As in the original: delivered messages have no codes.
    code: attempt.kind === "delivered" ? 0 : attempt.code,
    enhanced: attempt.kind === "delivered" ? "" : attempt.enhanced,
    error: attempt.kind === "delivered" ? "" : attempt.text,
    extra: message.extra,
  };
}

/** What a message to a unique sender address means for the recipient it was made for. */
function ofAnswer(content: MessageContent, sent: RetiredItem, suppressing: boolean): Told {
  const bytes = content.reader.read(0, Math.min(content.reader.size, maxDsn));
  const dsn = parseDsn(bytes);
  const r = dsn?.recipients[0];
  return {
    account: sent.account,
    event: r?.action ?? "unrecognized",
    dsn: r !== undefined,
    suppressing,
    queueMsgId: sent.id,
    fromId: sent.fromId,
    messageId: sent.messageKey,
    subject: sent.subject,
    code: 0,
    enhanced: r?.status ?? "",
    error: r?.diagnosticCode?.value ?? "",
    extra: sent.extra,
  };
}

export class ServerWebhooks {
  readonly hooks: Webhooks;
  readonly #config: Config;
  readonly #log: Log;
  readonly #queue: () => Queue;

  private constructor(config: Config, hooks: Webhooks, log: Log, queue: () => Queue) {
    this.#config = config;
    this.hooks = hooks;
    this.#log = log;
    this.#queue = queue;
  }

  static async open(
    config: Config,
    outbound: Outbound,
    queue: () => Queue,
  ): Promise<ServerWebhooks> {
    const log = new Log("webhook");
    const hooks = await Webhooks.open(config.dataDir, {
      log,
      outbound,
      retiredPeriod: (account) => config.account(account)?.KeepRetiredWebhookPeriod ?? 0,
    });
    return new ServerWebhooks(config, hooks, log, queue);
  }

  /** Reports an event of the queue. Our own DSNs belong to nobody. */
  async outgoing(event: OutgoingEvent): Promise<void> {
    if (event.message.isDsn) return;
    const hook = outgoingHook(this.#config, ofEvent(event, this.#queue()));
    if (hook) await this.hooks.add(hook);
  }

  /**
   * Reports a received message. Never throws: it is delivered whatever happens to the call.
   * @param suppressing it is a report that has put recipients on the suppression list
   */
  async incoming(account: Account, message: Message, suppressing = false): Promise<void> {
    const conf = this.#config.account(account.name);
    if (!conf?.IncomingWebhook && !conf?.OutgoingWebhook) return;
    try {
      const c = openContent(account, message.id);
      try {
        const sent = this.#answered(account, message.id);
        const hook = sent
          ? outgoingHook(this.#config, ofAnswer(c, sent, suppressing))
          : this.#incomingHook(account, c);
        if (hook) await this.hooks.add(hook);
      } finally {
        c.close();
      }
    } catch (err) {
      this.#log.error("telling of an incoming message", {
        err: err as Error,
        account: account.name,
        id: message.id,
      });
    }
  }

  /** The recipient whose unique sender address a message went to. */
  #answered(account: Account, id: number): RetiredItem | undefined {
    const to = deliveryRecord(account.db, id)?.rcptTo ?? "";
    const found = recipientOfSender(this.#config, this.#queue(), to);
    return found?.account === account.name ? found : undefined;
  }

  #incomingHook(account: Account, content: MessageContent): NewHook | undefined {
    const hook = this.#config.account(account.name)?.IncomingWebhook;
    if (!hook) return undefined;
    const form = messageForm(account, content);
    const meta = messageMeta(account, content);
    const d = deliveryRecord(account.db, content.message.id);
    return {
      account: account.name,
      url: hook.URL,
      authorization: hook.Authorization,
      event: "incoming",
      queueMsgId: 0,
      fromId: "",
      messageId: form.MessageID,
      subject: form.Subject,
      payload: JSON.stringify({
        Version: 0,
        ...form,
        InReplyTo: inReplyTo(content),
        Structure: structureForm(content),
        Meta: {
          MsgID: content.message.id,
          MailFrom: meta.MailFrom,
          MailFromValidated: meta.MailFromValidated,
          MailFromValidation: d?.mailFromValidation ?? "",
          MsgFromValidated: meta.MsgFromValidated,
          MsgFromValidation: d?.msgFromValidation ?? "",
          RcptTo: meta.RcptTo,
          DKIMVerifiedDomains: meta.DKIMVerifiedDomains,
          RemoteIP: meta.RemoteIP,
          Received: new Date(content.message.received).toISOString(),
          MailboxName: meta.MailboxName,
          Automated: isAutomated(content, d),
        },
      }),
    };
  }
}
