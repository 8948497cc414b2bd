/** Handlers of the calls. @module */
import { asMailboxId } from "../../store/ids.ts";
import type { CallName, calls } from "../../../webmail/api/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { type CallHandlers, HttpError, UserError, type WebRequest } from "../http/mod.ts";
import type { FoundSession } from "../login/mod.ts";
import * as actions from "./list/actions.ts";
import type { AddressBooks } from "./sending/address_book.ts";
import type { ComposeContext } from "./sending/compose.ts";
import {
  messageIdOf,
  oneAfterTheOther,
  openDraft,
  putDraft,
  quotedHtml,
  saveDraft,
} from "./sending/drafts.ts";
import { missing, rethrow } from "./errors.ts";
import type { EventConnections } from "./list/event_stream.ts";
import type { SharedStreams } from "./list/shared_stream.ts";
import { joinStream, leaveStream } from "./list/streams.ts";
import { bitsFromUses } from "./list/flags.ts";
import { messageHandlers } from "./message_handlers.ts";
import { mailboxItem } from "./list/items.ts";
import { inMail, openMail, requireReadable } from "./others/mail.ts";
import { answerTo } from "./sending/invitation.ts";
import { unsubscribe } from "./reading/unsubscribe.ts";
import { domainSecurity } from "./sending/recipient_security.ts";
import { checkSendAt, sendOrSchedule } from "./scheduled/schedule.ts";
import type { WebmailServices } from "./services.ts";
import { calendarHandlers } from "./calendar/handlers.ts";
import { contactHandlers } from "./contacts/handlers.ts";
import { ruleHandlers } from "./rules/handlers.ts";
import { saveSenderView, saveWebmailSettings, webmailSettings } from "./settings.ts";
import { targetUids } from "./list/targets.ts";
import type { UndoLog } from "./list/undo.ts";
import type { Scheduler } from "./scheduled/scheduler.ts";
import type { Snoozed } from "./scheduled/snoozed.ts";
import { subscriptionKeys, type Subscriptions } from "./push/subscriptions.ts";
import type { SendingServices } from "./sending/send.ts";
import type { Unfinished } from "./sending/unfinished.ts";
import type { Uploads } from "./sending/uploads.ts";

/** Kept while the server runs, for all accounts. */
export interface WebmailState {
  services: WebmailServices;
  connections: EventConnections;
  shared: SharedStreams;
  uploads: Uploads;
  undo: UndoLog;
  books: AddressBooks;
  scheduler: Scheduler;
  unfinished: Unfinished;
  snoozed: Snoozed;
  subscriptions: Subscriptions;
  /** For files that are being written. */
  tempDir: string;
}

/** Everything needed to write a message of an account. */
export function composeContext(
  state: Pick<WebmailState, "services" | "uploads" | "tempDir">,
  account: Account,
): ComposeContext {
  const { services, uploads, tempDir } = state;
  const { hostname, maxMessageSize } = services;
  const mailWith: ComposeContext["mailWith"] = async (id) => {
    const opened = await openMail(services, account, id, "message");
    try {
      requireReadable(opened.mail, opened.id);
      return opened;
    } catch (err) {
      opened.mail.release();
      throw err;
    }
  };
  return { account, uploads, tempDir, hostname, maxMessageSize, mailWith };
}

/** The caller. Calls that work without a session ignore it. */
export interface CallContext {
  req: WebRequest;
  session: FoundSession | undefined;
  account: Account | undefined;
  /** Of the answer. */
  cookies: string[];
}

type Handlers = CallHandlers<typeof calls, CallContext>;

/** Calls that work without a session. */
export const openCalls: readonly CallName[] = [
  "Login",
  "PasskeyChallenge",
  "PasskeyLogin",
  "Session",
  "Logout",
];

/** The handlers of all calls. */
export function callHandlers(state: WebmailState): Handlers {
  const { services, connections } = state;
  const of = (ctx: CallContext): { account: Account; session: FoundSession } => {
    if (ctx.account === undefined || ctx.session === undefined) {
      throw new HttpError(401, "not logged in");
    }
    return { account: ctx.account, session: ctx.session };
  };
  const compose = (account: Account): ComposeContext => composeContext(state, account);
  const sending = (ctx: CallContext): SendingServices => ({
    services,
    unfinished: state.unfinished,
    log: ctx.req.log,
  });
  const mailbox = (account: Account, id: number) => {
    const m = account.mailbox(asMailboxId(id));
    if (m === undefined) throw missing("mailbox");
    return m;
  };
  const connection = (ctx: CallContext, sseId: string) => {
    const c = connections.find(of(ctx).account.name, sseId);
    if (c === undefined) throw missing("view");
    return c;
  };
  const endSession = (account: string, id: number, reason: string) => {
    connections.endSession(account, id, reason);
    state.shared.endSession(account, id);
  };

  const handlers: Handlers = {
    async Login(r, ctx) {
      const { account, cookie } = await services.login.login(ctx.req, {
        username: r.username,
        password: r.password,
        code: r.totp,
      });
      ctx.cookies.push(cookie);
      return { account, loginAddress: r.username };
    },
    PasskeyChallenge: () => ({ challenge: services.login.challenge() }),
    async PasskeyLogin(r, ctx) {
      const { account, login, cookie } = await services.login.loginWithPasskey(ctx.req, r);
      ctx.cookies.push(cookie);
      return { account, loginAddress: login };
    },
    Session(_r, ctx) {
      const s = ctx.session;
      return { who: s === undefined ? null : { account: s.account, loginAddress: s.login } };
    },
    Logout(_r, ctx) {
      const s = ctx.session;
      ctx.cookies.push(services.login.logout(ctx.req));
      if (s !== undefined) endSession(s.account, s.id, "logged out");
      return {};
    },
    SessionsList(_r, ctx) {
      const { session } = of(ctx);
      return {
        sessions: services.sessions.list(session.account).map((s) => ({
          id: s.id,
          service: s.service,
          created: s.created,
          lastUsed: s.lastUsed,
          userAgent: s.userAgent,
          remoteIp: s.remoteIp,
          current: s.id === session.id,
        })),
      };
    },
    SessionRevoke(r, ctx) {
      const { session } = of(ctx);
      if (!services.sessions.end(session.account, r.id)) throw missing("session");
      endSession(session.account, r.id, "logged out from elsewhere");
      return {};
    },

    async EventsJoin(r, ctx) {
      await joinStream(state, ctx.req, of(ctx).session, r);
      return {};
    },
    EventsLeave(r, ctx) {
      leaveStream(state, of(ctx).session, r);
      return {};
    },
    ViewSet(r, ctx) {
      connection(ctx, r.sseId).setView(r.view);
      return {};
    },
    ViewMore(r, ctx) {
      if (!connection(ctx, r.sseId).loadMore(r.viewId, r.page)) throw missing("view");
      return {};
    },

    async ViewThreads(r, ctx) {
      const threads = await connection(ctx, r.sseId).whole(r.viewId, r.threadIds);
      if (threads === undefined) throw missing("view");
      return { threads };
    },

    GroupwareFollow(r, ctx) {
      connection(ctx, r.sseId).groupware = r.follow ? new Map() : undefined;
      return {};
    },

    ...messageHandlers(state, (ctx) => {
      const { account, session } = of(ctx);
      return { account, login: session.login, signal: ctx.req.signal };
    }),
    async Unsubscribe(r, ctx) {
      await unsubscribe(services, of(ctx).account, r.id);
      return {};
    },
    InvitationAnswer: (r, ctx) => answerTo(sending(ctx), compose(of(ctx).account), r),

    MailboxCreate: async (r, ctx) => ({
      mailbox: mailboxItem((await of(ctx).account.createMailbox(r.name)).mailbox),
    }),
    async MailboxRename(r, ctx) {
      const { account } = of(ctx);
      const m = mailbox(account, r.id);
      if (m.name === "Inbox") throw new UserError("the Inbox can't be renamed");
      await account.renameMailbox(m.name, r.name);
      return {};
    },
    async MailboxDelete(r, ctx) {
      const { account } = of(ctx);
      const m = mailbox(account, r.id);
      if (m.name === "Inbox") throw new UserError("the Inbox can't be removed");
      if (account.mailboxes().some((c) => c.name.startsWith(`${m.name}/`))) {
        throw new UserError(`${m.name} has mailboxes below it: remove those first`);
      }
      // In batches, so that a large mailbox doesn't hold up others.
      await actions.expungeMessages(account, new Map([[m.id, account.uids(m.id)]]));
      await account.deleteMailbox(m.name);
      return {};
    },
    async MailboxSetSpecialUse(r, ctx) {
      await actions.setSpecialUse(of(ctx).account, asMailboxId(r.id), bitsFromUses(r.specialUse));
      return {};
    },

    AddressComplete: (r, ctx) => state.books.complete(of(ctx).account, r.text),
    RecipientSecurity: (r) => domainSecurity(services, r.address),
    MessageQuote: (r, ctx) =>
      inMail(services, of(ctx).account, r.id, "message", (mail, id) => {
        requireReadable(mail, id);
        return quotedHtml(mail.account, id, r.style, mail.base);
      }),
    DraftSave: (r, ctx) =>
      saveDraft(compose(of(ctx).account), r, (a, id) => state.unfinished.wasSent(a, id)),
    async DraftGet(r, ctx) {
      const { account } = of(ctx);
      const opened = await openDraft(account, r.id);
      if (opened.key === null) return opened;
      const id = messageIdOf(compose(account), opened.key);
      const wasSent = () => state.unfinished.wasSent(account, id);
      if (!await oneAfterTheOther(account, id, wasSent)) return opened;
      if (account.message(r.id) === undefined) throw missing("draft");
      // A copy of a sent message: it is a different message.
      return { ...opened, key: null };
    },
    async DraftDiscard(r, ctx) {
      const { account } = of(ctx);
      const found = await targetUids(account, { ids: [r.id] }, [], ctx.req.signal);
      await actions.expungeMessages(account, found);
      return {};
    },
    async Send(r, ctx) {
      const { account } = of(ctx);
      const sent = await sendOrSchedule(sending(ctx), compose(account), r, state.scheduler);
      state.books.forget(account.name);
      return sent;
    },
    async SendCancel(r, ctx) {
      return { draftId: await state.scheduler.cancel(of(ctx).account, r.id) };
    },
    async SendReschedule(r, ctx) {
      const { account } = of(ctx);
      const { scheduler } = state;
      checkSendAt(r.sendAt);
      const before = await scheduler.forget(account, r.id);
      const { composition, key, options } = await openDraft(account, r.id);
      const { draftId } = await putDraft(compose(account), r.id, composition, {
        key: key ?? undefined,
        options: { ...options, sendAt: r.sendAt },
        mailbox: await scheduler.mailbox(account),
        received: r.sendAt,
      });
      await scheduler.add(account, { ...before, message: draftId, due: r.sendAt });
      return { id: draftId };
    },

    PushKey: () => ({ key: state.subscriptions.key.public }),
    async PushSubscribe(r, ctx) {
      const { account, session } = of(ctx);
      await state.subscriptions.add({
        ...subscriptionKeys(r),
        endpoint: r.endpoint,
        account: account.name,
        session: session.id,
        mailboxes: r.mailboxes,
      });
      return {};
    },
    PushUnsubscribe(r, ctx) {
      state.subscriptions.remove(of(ctx).account.name, r.endpoint);
      return {};
    },

    ...calendarHandlers(services, (ctx) => {
      const { account, session } = of(ctx);
      return { account, loginAddress: session.login };
    }),
    ...ruleHandlers(state, (ctx) => of(ctx).account),
    ...contactHandlers(state, (ctx) => of(ctx).account),

    SettingsGet: (_r, ctx) => ({ settings: webmailSettings(of(ctx).account) }),
    async SettingsSet(r, ctx) {
      const { account } = of(ctx);
      await saveWebmailSettings(account, r.settings);
      connections.tell(account.name, { kind: "settings", settings: r.settings });
      return {};
    },
    async SenderViewSet(r, ctx) {
      await saveSenderView(of(ctx).account, r.address, r.view);
      return {};
    },
  };
  return withStoreErrors(handlers);
}

/** Refusals of the store become answers for the user. */
function withStoreErrors(handlers: Handlers): Handlers {
  const wrapped: Record<string, unknown> = {};
  for (const [name, handler] of Object.entries(handlers)) {
    const fn = handler as (r: unknown, ctx: CallContext) => unknown;
    wrapped[name] = async (r: unknown, ctx: CallContext) => {
      try {
        return await fn(r, ctx);
      } catch (err) {
        rethrow(err);
      }
    };
  }
  return wrapped as Handlers;
}
