/**
 * Messages that wait to be sent: for some seconds in which sending can be called off, or until a time.
 *
 * Crash safety. The draft is on disk before its row, and the row before the page is told that the message
 * waits. Sending it is done as for any other (sending/unfinished.ts): what a start finds cut off is brought
 * to its end before it is looked for here what is due.
 *
 * @module
 */
import type { Log } from "../../../log/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import type { Mailbox } from "../../../store/types.ts";
import { HttpError, UserError } from "../../http/mod.ts";
import { mailboxForUse } from "../list/actions.ts";
import type { ComposeContext } from "../sending/compose.ts";
import { isDraft, oneAfterTheOther, openDraft, putDraft } from "../sending/drafts.ts";
import { finishSent, send } from "../sending/send.ts";
import type { Unfinished } from "../sending/unfinished.ts";
import type { WebmailServices } from "../services.ts";
import type { Scheduled, ScheduledRows } from "../sending/rows.ts";

/** Milliseconds between attempts that failed for a reason that may pass. */
const retryAfter = 60_000;
/** Attempts that there are. */
const maxAttempts = 30;
/** Messages of an account that wait. */
const maxWaiting = 1000;
/** The longest that a timer is set for: clocks are changed, and computers sleep. */
const maxTimer = 60_000;

/** Name of the mailbox for messages that are sent later. */
export const scheduledMailbox = "Scheduled";

/** What the scheduler needs. */
export interface SchedulerOptions {
  services: WebmailServices;
  rows: ScheduledRows;
  unfinished: Unfinished;
  compose: (account: Account) => ComposeContext;
  log: Log;
  /** A message could not be sent, and is a draft again. */
  onFailed: (account: string, draftId: number, subject: string, why: string) => void;
  /** A draft waits until this time, or (null) no more. */
  onWaits: (account: string, draftId: number, at: number | null) => void;
  /** It was sent. */
  onSent: (account: string) => void;
}

export class Scheduler {
  readonly #o: SchedulerOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  /** The one that is being sent. */
  #now: string | undefined;
  #closed = false;

  constructor(options: SchedulerOptions) {
    this.#o = options;
  }

  /** Begins to send what is due. */
  start(): void {
    this.#wake();
  }

  /** When a message is sent; undefined if it doesn't wait, or was moved away. */
  timeOf(account: Account, id: number): number | undefined {
    const s = this.#o.rows.find(account.name, id);
    return s !== undefined && account.message(id)?.mailboxId === s.mailbox ? s.due : undefined;
  }

  /** Where messages wait that are sent later. */
  async mailbox(account: Account): Promise<Mailbox> {
    return account.mailboxByName(scheduledMailbox) ??
      (await account.createMailbox(scheduledMailbox)).mailbox;
  }

  /** Lets a draft wait. Durable when it resolves. @throws UserError */
  async add(
    account: Account,
    s: Pick<Scheduled, "message" | "due" | "requireTls" | "archiveThread" | "messageId">,
  ): Promise<void> {
    if (this.#o.rows.count(account.name) >= maxWaiting) {
      throw new UserError(`${maxWaiting} messages wait to be sent: that is as many as may`);
    }
    const mailbox = account.message(s.message)?.mailboxId;
    if (mailbox === undefined) throw new UserError("the draft is gone");
    await this.#o.rows.add({ ...s, account: account.name, mailbox });
    this.#o.onWaits(account.name, s.message, s.due);
    this.#wake();
  }

  /** Forgets that a draft waits. @throws HttpError 409 if it is being sent, or was. */
  async forget(account: Account, id: number): Promise<Scheduled> {
    const s = this.#o.rows.find(account.name, id);
    if (this.#now === `${account.name} ${id}` || s === undefined || !isDraft(account, id)) {
      throw new HttpError(409, "this message waits no more: it was sent, or changed");
    }
    await this.#o.rows.remove(account.name, id);
    this.#o.onWaits(account.name, id, null);
    return s;
  }

  /** Makes one a draft again, like any other. */
  async cancel(account: Account, id: number): Promise<number> {
    await this.forget(account, id);
    return await this.#toDrafts(account, id, "");
  }

  async #toDrafts(account: Account, id: number, failure: string): Promise<number> {
    const { composition, key, options } = await openDraft(account, id);
    const ctx = this.#o.compose(account);
    const { draftId } = await putDraft(ctx, id, composition, {
      key: key ?? undefined,
      options,
      failure,
    });
    return draftId;
  }

  #wake(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#run().catch((err) => {
      this.#o.log.error("sending what is due", { err: err as Error });
    }).finally(() => {
      this.#running = undefined;
      if (this.#closed) return;
      const [next] = this.#again ? [] : this.#o.rows.next(1);
      if (this.#again) {
        this.#again = false;
        this.#wake();
      } else if (next !== undefined) {
        const wait = Math.max(0, Math.min(maxTimer, next.due - Date.now()));
        this.#timer = setTimeout(() => this.#wake(), wait);
      }
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      const [s] = this.#o.rows.next(1);
      if (this.#closed || s === undefined || s.due > Date.now()) return;
      this.#now = `${s.account} ${s.message}`;
      try {
        await this.#send(s);
      } finally {
        this.#now = undefined;
      }
    }
  }

  /** Sends one; afterwards its row is gone, or due later. */
  async #send(scheduled: Scheduled): Promise<void> {
    const { services, rows } = this.#o;
    if (services.config.account(scheduled.account) === undefined) {
      return await rows.remove(scheduled.account, scheduled.message);
    }
    let account: Account | undefined;
    try {
      account = await services.accounts.open(scheduled.account);
      const opened = account;
      const sent = await oneAfterTheOther(
        account,
        scheduled.messageId,
        () => this.#submit(opened, scheduled),
      );
      await rows.remove(scheduled.account, scheduled.message);
      if (sent) this.#o.onSent(scheduled.account);
    } catch (err) {
      await this.#failed(account, scheduled, err);
    } finally {
      account?.close();
    }
  }

  /** False if it is not to be sent any more. */
  async #submit(account: Account, scheduled: Scheduled): Promise<boolean> {
    const { services, unfinished, log } = this.#o;
    const { messageId } = scheduled;
    await unfinished.settle(account, messageId);
    const m = account.message(scheduled.message);
    // Removed, moved away, or written on elsewhere.
    if (
      m === undefined || m.mailboxId !== scheduled.mailbox || !isDraft(account, scheduled.message)
    ) return false;
    const { composition } = await openDraft(account, scheduled.message);
    const request = { ...scheduled, composition, draftId: scheduled.message };
    const sending = { services, unfinished, log };
    // It was sent by a version that noted less.
    const go = services.wasSubmitted(account.name, messageId) ? finishSent : send;
    await go(sending, this.#o.compose(account), request, messageId);
    return true;
  }

  async #failed(account: Account | undefined, scheduled: Scheduled, err: unknown): Promise<void> {
    const { rows, log } = this.#o;
    const refused = err instanceof HttpError;
    log.error("sending a message that waited", { account: scheduled.account, err: err as Error });
    if (account === undefined || !refused && scheduled.failures < maxAttempts) {
      return rows.postpone(scheduled, Date.now() + retryAfter);
    }
    await rows.remove(scheduled.account, scheduled.message);
    const why = refused ? err.message : "an error of the server, which its log tells";
    await mailboxForUse(account, "drafts");
    const draftId = await this.#toDrafts(account, scheduled.message, why);
    const { composition } = await openDraft(account, draftId);
    this.#o.onFailed(scheduled.account, draftId, composition.subject, why);
  }

  /** Stops; what is being sent is finished. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#o.rows.close();
  }
}
