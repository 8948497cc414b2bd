/** Handlers of the calls about messages: those of the user's own account, and those that others share. @module */
import type { calls, Target } from "../../../webmail/api/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { asMailboxId, type MailboxId } from "../../store/ids.ts";
import { type CallHandlers, HttpError, UserError } from "../http/mod.ts";
import { rejectsMailboxes } from "./identities.ts";
import { idThere, messageFrom, numberOf } from "./others/ids.ts";
import {
  inMail,
  type Mail,
  mailboxFor,
  mayRead,
  ownMail,
  requireOwn,
  requireReadable,
  requireRights,
} from "./others/mail.ts";
import { moveAcross } from "./list/move_across.ts";
import { sharedMessage } from "./others/reading.ts";
import { pageId } from "./others/numbers.ts";
import { parsedMessage } from "./reading/message.ts";
import type { Scheduler } from "./scheduled/scheduler.ts";
import { type Snoozed, snoozedMailbox, type SnoozedMessage } from "./scheduled/snoozed.ts";
import { importMessage } from "./sending/import_message.ts";
import type { Uploads } from "./sending/uploads.ts";
import type { WebmailServices } from "./services.ts";
import { checkSignature } from "./signature.ts";
import * as actions from "./list/actions.ts";
import { rightsForFlags } from "./list/flags.ts";
import { conversationItems, messageItem } from "./list/items.ts";
import type { Noted } from "./list/noted.ts";
import { countTargets, type TargetUids, targetUids } from "./list/targets.ts";
import type { UndoLog } from "./list/undo.ts";

interface State {
  services: WebmailServices;
  uploads: Uploads;
  undo: UndoLog;
  scheduler: Scheduler;
  snoozed: Snoozed;
  tempDir: string;
}

/** The caller. */
interface Caller {
  account: Account;
  /** Address. */
  login: string;
  signal: AbortSignal;
}

type MessageCalls = Pick<
  typeof calls,
  | "MessageGet"
  | "MessageItems"
  | "ThreadGet"
  | "FlagsSet"
  | "Move"
  | "MoveTo"
  | "Delete"
  | "Snooze"
  | "MessageImport"
  | "Undo"
  | "QueryCount"
  | "ThreadMute"
  | "ThreadCollapse"
  | "SignatureCheck"
  | "MailboxEmpty"
>;

/** The messages named, as their account has them. @throws UserError for those of several accounts */
function targetThere(target: Target): { id: number; there: Target } {
  if ("query" in target) {
    const { mailboxId } = target.query;
    if (mailboxId === null) return { id: 0, there: target };
    return { id: mailboxId, there: { query: { ...target.query, mailboxId: idThere(mailboxId) } } };
  }
  const [id] = target.ids;
  if (target.ids.some((other) => numberOf(other) !== numberOf(id))) {
    throw new UserError("these messages are in mailboxes of different people: choose some of one");
  }
  return { id, there: { ids: target.ids.map(idThere) } };
}

/** The handlers; `callerOf` identifies the caller. */
export function messageHandlers<C>(
  state: State,
  callerOf: (ctx: C) => Caller,
): CallHandlers<MessageCalls, C> {
  const { services, undo } = state;
  const rejects = (account: Account) => rejectsMailboxes(services.config, account.name);
  const noted =
    (account: Account, login: string): Noted => async (cause, mailboxId, uids, changedFlags = []) =>
      await services.noteChange?.({
        ...{ account, login, cause, mailboxId, uids, changedFlags },
      });

  /** Works with the messages of a target, in the mail they belong to. */
  const inTarget = <T>(
    { account: user, signal }: Caller,
    target: Target,
    fn: (mail: Mail, found: TargetUids) => T | Promise<T>,
  ): Promise<T> => {
    const { id, there } = targetThere(target);
    return inMail(services, user, id, "mailbox", async (mail) => {
      const { account } = mail;
      return await fn(
        mail,
        await targetUids(account, there, rejects(account), signal, mayRead(mail)),
      );
    });
  };
  /** The same for what only works with the user's own mail. */
  const inOwn = <T>(
    caller: Caller,
    target: Target,
    what: string,
    fn: (found: TargetUids) => Promise<T>,
  ): Promise<T> =>
    inTarget(caller, target, (mail, found) => {
      requireOwn(mail, what);
      return fn(found);
    });
  const requireAll = (mail: Mail, ids: Iterable<MailboxId>, letters: string) => {
    for (const id of ids) requireRights(mail, id, letters);
  };
  /** Moves are undone by whoever made them. */
  const undoOf = (user: Account): Pick<UndoLog, "add"> => ({
    add: (account, to, moved) => undo.add(account, to, moved, user.name),
  });

  async function move(
    { account: user, login }: Caller,
    from: Mail,
    found: TargetUids,
    to: Mail,
    mailboxId: number,
  ) {
    const mailbox = mailboxFor(to, mailboxId, "i");
    if (from.base === to.base) found.delete(mailbox.id);
    requireAll(from, found.keys(), "te");
    const note = noted(to.account, login);
    return from.base === to.base
      ? await actions.moveMessages(from.account, found, mailbox, undoOf(user), note)
      : await moveAcross(from, found, to, mailbox, note);
  }

  return {
    async MessageGet(r, ctx) {
      const { account } = callerOf(ctx);
      return await inMail(services, account, r.id, "message", async (mail, id) => {
        requireReadable(mail, id);
        const m = await parsedMessage(services.config, mail.account, id);
        if (mail.base === 0) return { ...m, sendAt: state.scheduler.timeOf(account, id) ?? null };
        return sharedMessage(services.config, account, mail, m);
      });
    },
    async MessageItems(r, ctx) {
      const { account } = callerOf(ctx);
      const items = [];
      for (const [, ids] of Map.groupBy(r.ids, numberOf)) {
        try {
          items.push(
            ...await inMail(services, account, ids[0], "message", (mail) => {
              const readable = mayRead(mail);
              return ids.map((id) => messageItem(mail.account, idThere(id)))
                .filter((m) => m !== undefined)
                .filter((m) => readable(asMailboxId(m.mailboxId)))
                .map((m) => messageFrom(mail.base, m));
            }),
          );
        } catch (err) {
          // Nobody shares these any more.
          if (!(err instanceof HttpError && err.status === 404)) throw err;
        }
      }
      const order = new Map(r.ids.map((id, i) => [id, i]));
      return { items: items.sort((a, b) => order.get(a.id)! - order.get(b.id)!) };
    },
    async ThreadGet(r, ctx) {
      const { account } = callerOf(ctx);
      return await inMail(services, account, r.id, "message", (mail, id) => ({
        items: conversationItems(mail.account, id, rejects(mail.account), mayRead(mail))
          .map((m) => messageFrom(mail.base, m)),
      }));
    },
    async FlagsSet(r, ctx) {
      const caller = callerOf(ctx);
      return await inTarget(caller, r.target, (mail, found) => {
        requireAll(mail, found.keys(), rightsForFlags(r));
        return actions.setFlags(mail.account, found, r, noted(mail.account, caller.login));
      });
    },
    async Move(r, ctx) {
      const caller = callerOf(ctx);
      return await inTarget(
        caller,
        r.target,
        (from, found) =>
          inMail(
            services,
            caller.account,
            r.mailboxId,
            "mailbox",
            (to, id) => move(caller, from, found, to, id),
          ),
      );
    },
    async MoveTo(r, ctx) {
      const caller = callerOf(ctx);
      const { account, login } = caller;
      return await inOwn(caller, r.target, "this", async (found) => {
        const to = await actions.mailboxForUse(account, r.specialUse);
        return await actions.moveMessages(account, found, to, undo, noted(account, login));
      });
    },
    async Delete(r, ctx) {
      const caller = callerOf(ctx);
      const { account, login } = caller;
      const forever = r.forever ?? false;
      return await inTarget(caller, r.target, async (mail, found) => {
        const note = noted(account, login);
        if (mail.base === 0) {
          return actions.deleteMessages(account, found, forever, rejects(account), undo, note);
        }
        requireAll(mail, found.keys(), "te");
        if (forever) {
          return { count: await actions.expungeMessages(mail.account, found), undo: null };
        }
        // Deleted messages are in the trash of whoever deleted them.
        const trash = await actions.mailboxForUse(account, "trash");
        return await move(caller, mail, found, ownMail(account), trash.id);
      });
    },
    async Snooze(r, ctx) {
      const caller = callerOf(ctx);
      const { account, login } = caller;
      return await inOwn(caller, r.target, "snoozing", async (found) => {
        state.snoozed.check(account.name, countTargets(found), r.until);
        const put: SnoozedMessage[] = [];
        const to = account.mailboxByName(snoozedMailbox) ??
          (await account.createMailbox(snoozedMailbox)).mailbox;
        for (const [mailboxId, uids] of found) {
          account.fetch(mailboxId, uids, 0, (m) => {
            put.push({ message: m.id, mailbox: to.id, back: mailboxId });
          });
        }
        const note = noted(account, login);
        const done = await actions.moveMessages(account, found, to, undo, note);
        await state.snoozed.add(account.name, put.filter((m) => m.back !== to.id), r.until);
        return done;
      });
    },
    async MessageImport(r, ctx) {
      const { account, login } = callerOf(ctx);
      return await inMail(services, account, r.mailboxId, "mailbox", async (mail, id) => {
        const to = mailboxFor(mail, id, "i");
        const m = await importMessage(account.name, state.uploads, r.uploadId, {
          account: mail.account,
          mailboxId: to.id,
          rights: mail.rights(to.id),
        }, state.tempDir);
        await noted(mail.account, login)("APPEND", to.id, [m.uid]);
        return { id: m.id + mail.base };
      });
    },
    async Undo(r, ctx) {
      const { account, login } = callerOf(ctx);
      const done = undo.find(account.name, r.undo);
      const id = pageId(account, done.account, done.to);
      return await inMail(services, account, id, "mailbox", async (mail) => {
        requireAll(mail, [done.to], "rte");
        requireAll(mail, done.from, "i");
        const note = noted(mail.account, login);
        return { count: await undo.undo(mail.account, r.undo, note, account.name) };
      });
    },
    async QueryCount(r, ctx) {
      return await inTarget(callerOf(ctx), { query: r.query }, (_mail, found) => ({
        count: countTargets(found),
      }));
    },
    async ThreadMute(r, ctx) {
      const caller = callerOf(ctx);
      // What isn't to be heard of need not be seen either.
      const state = r.mute ? { muted: true, collapsed: true } : { muted: false };
      return await inOwn(caller, r.target, "muting", async (found) => {
        await actions.setThreads(caller.account, found, state);
        return {};
      });
    },
    async ThreadCollapse(r, ctx) {
      const { account } = callerOf(ctx);
      return await inTarget(callerOf(ctx), r.target, async (mail, found) => {
        // Which threads of others are open is not kept.
        if (mail.base === 0) await actions.setThreads(account, found, { collapsed: r.collapse });
        return {};
      });
    },
    async SignatureCheck(r, ctx) {
      const { account } = callerOf(ctx);
      return await inMail(services, account, r.id, "message", (mail, id) => {
        requireReadable(mail, id);
        return checkSignature(mail.account, id, services.authorities?.() ?? [], account);
      });
    },
    async MailboxEmpty(r, ctx) {
      const { account } = callerOf(ctx);
      return await inMail(services, account, r.id, "mailbox", async (mail, id) => {
        const m = mailboxFor(mail, id, "rte");
        const all = new Map([[m.id, mail.account.uids(m.id)]]);
        return { count: await actions.expungeMessages(mail.account, all) };
      });
    },
  };
}
