/** Webhooks of an account: settings, an example, and pending and past calls. @module */
import type { webhookCalls } from "../../../webmail/account/webhook_api.ts";
import { type Account as AccountConfig, outgoingWebhookEvents } from "../../config/mod.ts";
import type { Hook, NewHook, RetiredHook, Webhooks } from "../../queue/webhooks/mod.ts";
import { type CallHandlers, HttpError, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";

/** Calls shown, of pending and of past ones each. */
const maxShown = 100;

/** Simultaneous test calls of an account. */
const testing = new Set<string>();

interface Options {
  hooks: Webhooks | undefined;
  settings(context: PageContext): AccountConfig;
  change(context: PageContext, fn: (config: AccountConfig) => void): Promise<void>;
}

function shown(h: Hook | RetiredHook) {
  const last = h.results.at(-1);
  return {
    id: h.id,
    event: h.event,
    subject: h.subject,
    attempts: h.attempts,
    time: "left" in h ? h.left : h.nextAttempt,
    state: "outcome" in h ? h.outcome : "waits",
    last: last === undefined ? "" : last.error || String(last.code),
  };
}

/** @throws UserError */
function checkedUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new UserError("the URL must start with https:// or http://");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new UserError("put name and password into the field for authorization, not into the URL");
  }
  return parsed.href;
}

/** The stored authorization if it was not typed again: nothing for a different receiver. */
function keptAuthorization(
  typed: string | null,
  url: string,
  before: { URL: string; Authorization: string } | undefined | null,
): string {
  if (typed !== null) return typed;
  return before && URL.parse(before.URL)?.origin === URL.parse(url)?.origin
    ? before.Authorization
    : "";
}

/** A made-up message, in the form of both kinds of webhooks. */
function example(account: string, url: string, authorization: string, incoming: boolean): NewHook {
  const messageId = "<example@example.org>";
  const subject = "Example";
  const sender = [{ Name: "Example", Address: "sender@example.org" }];
  const payload = incoming
    ? {
      Version: 0,
      From: sender,
      To: [{ Name: "", Address: "recipient@example.org" }],
      CC: [],
      BCC: [],
      ReplyTo: [],
      MessageID: messageId,
      References: [],
      Date: new Date().toISOString(),
      Subject: subject,
      Text: "This is an example.",
      HTML: "",
      InReplyTo: "",
      Structure: {
        ContentType: "text/plain",
        ContentTypeParams: { charset: "utf-8" },
        ContentID: "",
        ContentDisposition: "",
        Filename: "",
        DecodedSize: 19,
        Parts: [],
      },
      Meta: {
        MsgID: 1,
        MailFrom: "sender@example.org",
        MailFromValidated: true,
        MailFromValidation: "pass",
        MsgFromValidated: true,
        MsgFromValidation: "strict",
        RcptTo: "recipient@example.org",
        DKIMVerifiedDomains: ["example.org"],
        RemoteIP: "192.0.2.1",
        Received: new Date().toISOString(),
        MailboxName: "Inbox",
        Automated: false,
      },
    }
    : {
      Version: 0,
      Event: "delivered",
      DSN: false,
      Suppressing: false,
      QueueMsgID: 1,
      FromID: "",
      MessageID: messageId,
      Subject: subject,
      WebhookQueued: new Date().toISOString(),
      SMTPCode: 0,
      SMTPEnhancedCode: "",
      Error: "",
      Extra: {},
    };
  return {
    account,
    url,
    authorization,
    event: incoming ? "incoming" : "delivered",
    queueMsgId: 1,
    fromId: "",
    messageId,
    subject,
    payload: JSON.stringify(payload),
  };
}

/** Handlers of the page's calls. */
export function webhookHandlers(options: Options): CallHandlers<typeof webhookCalls, PageContext> {
  const hooksOf = (): Webhooks => {
    if (options.hooks === undefined) throw new HttpError(503, "webhooks are not served here");
    return options.hooks;
  };
  return {
    Webhooks(_r, context) {
      const a = options.settings(context);
      const account = context.session!.account;
      const hooks = hooksOf();
      const { OutgoingWebhook: out, IncomingWebhook: into } = a;
      return {
        outgoing: out
          ? { url: out.URL, hasAuthorization: out.Authorization !== "", events: [...out.Events] }
          : null,
        incoming: into ? { url: into.URL, hasAuthorization: into.Authorization !== "" } : null,
        events: [...outgoingWebhookEvents],
        secret: hooks.secret(account),
        calls: [
          ...hooks.list({ account }, maxShown).map(shown),
          ...hooks.retired({ account }, maxShown).map(shown),
        ],
      };
    },
    async OutgoingWebhookSet({ webhook }, context) {
      await options.change(context, (value) => {
        const events = outgoingWebhookEvents.filter((e) => webhook?.events.includes(e));
        value.OutgoingWebhook = webhook === null ? undefined : {
          URL: checkedUrl(webhook.url),
          Authorization: keptAuthorization(
            webhook.authorization,
            webhook.url,
            value.OutgoingWebhook,
          ),
          Events: events,
        };
      });
      return {};
    },
    async IncomingWebhookSet({ webhook }, context) {
      await options.change(context, (value) => {
        value.IncomingWebhook = webhook === null ? undefined : {
          URL: checkedUrl(webhook.url),
          Authorization: keptAuthorization(
            webhook.authorization,
            webhook.url,
            value.IncomingWebhook,
          ),
        };
      });
      return {};
    },
    async WebhookTest({ kind }, context) {
      const a = options.settings(context);
      const account = context.session!.account;
      const set = kind === "incoming" ? a.IncomingWebhook : a.OutgoingWebhook;
      if (!set) throw new UserError("there is no URL to call: set one first");
      if (testing.has(account)) throw new UserError("an example is being called already");
      testing.add(account);
      try {
        const r = await hooksOf().example(
          example(account, set.URL, set.Authorization, kind === "incoming"),
        );
        // Without the answer: users must not read pages of the server's own network this way.
        return { code: r.code, error: r.error, took: r.took };
      } finally {
        testing.delete(account);
      }
    },
    async WebhookAct({ id, action }, context) {
      const filter = { ids: [id], account: context.session!.account };
      const n = action === "now"
        ? await hooksOf().schedule(filter, { time: Date.now() })
        : await hooksOf().cancel(filter);
      if (n === 0) throw new HttpError(404, "the call is no longer in the queue");
      return {};
    },
  };
}
