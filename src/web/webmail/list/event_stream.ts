/**
 * The event stream of one page: views as they are asked for, and changes as they happen.
 *
 * Events are made when the client has read the ones before (the stream's pull), so that a slow client
 * costs no memory: changes then wait in the account's listener, which has a bound of its own, beyond
 * which the connection ends and the page starts anew.
 *
 * @module
 */
import type { Change, Page, ServerEvent, Thread, View } from "../../../../webmail/api/mod.ts";
import { Log } from "../../../log/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { asMailboxId } from "../../../store/ids.ts";
import type { Listener } from "../../../store/types.ts";
import { tellChanges } from "./change_events.ts";
import { identities, rejectsMailboxes } from "../identities.ts";
import { mailboxItem } from "./items.ts";
import { ListView, ViewError, type ViewStep, type Wanted } from "./view.ts";
import { idThere, numberOf, partFrom, threadFrom } from "../others/ids.ts";
import { SharedMailboxes } from "./shared_mailboxes.ts";
import { type Mail, mayRead, ownMail } from "../others/mail.ts";
import type { WebmailServices, Who } from "../services.ts";
import { webmailSettings } from "../settings.ts";

/** Milliseconds without an event after which the page is told that the connection lives. */
export const aliveInterval = 20_000;
/** Milliseconds between events about the progress of a search. */
const progressInterval = 500;
/** Changes of one event. */
const maxChanges = 500;
/** ViewMore requests that wait. */
const maxWaiting = 20;

const gone = "this mailbox is gone";
const log = new Log("webmail");

/** A page's request for the list, with the account's ids. */
const wanted = ({ count, until, open }: Page): Wanted => ({
  count,
  until: until && idThere(until),
  open: open && idThere(open),
});

const encoder = new TextEncoder();

/** A value in the format of an event stream. */
export function eventBytes(value: unknown): Uint8Array {
  return encoder.encode(`data: ${JSON.stringify(value)}\n\n`);
}

/** How far what a user sees of an account's calendars and address books has come, as a text for each kind. */
export interface GroupwareStates {
  calendars: string;
  contacts: string;
}

/** The events of a page. */
export interface ToldEvents {
  /** Undefined at the end. */
  next(): Promise<ServerEvent | undefined>;
  /** Ends them. */
  finish(): void;
}

export class EventConnection {
  readonly sseId = crypto.randomUUID();
  readonly who: Who;
  readonly #account: Account;
  readonly #services: WebmailServices;
  readonly #listener: Listener;
  /** What others share. */
  readonly #shared: SharedMailboxes;
  #view: ListView | undefined;
  /** Where the view's messages are. */
  #mail: Mail;
  #viewId: number;
  /** Requested, not begun. */
  #nextView: View | undefined;
  #more: Wanted[] = [];
  #load: AsyncGenerator<ViewStep> | undefined;
  #lastProgress = 0;
  #sessionChecked = Date.now();
  /** Told by the server itself, not by the account. */
  #own: Change[] = [];
  #end: string | undefined;
  #closed = false;
  #wake: (() => void) | undefined;
  /** Id of the newest message that was reported. */
  #newestId: number;
  /** By account, what the page knows of calendars and address books; undefined while it shows none. */
  groupware: Map<string, GroupwareStates> | undefined;

  /** @param account in use until the stream is closed; the caller closes it then */
  constructor(account: Account, who: Who, services: WebmailServices, view: View) {
    this.#account = account;
    this.who = who;
    this.#services = services;
    this.#listener = account.listen();
    this.#listener.onPending = () => this.#wakeUp();
    this.#shared = new SharedMailboxes(services, account, log, () => this.#wakeUp());
    this.#mail = ownMail(account);
    this.#nextView = view;
    this.#viewId = view.viewId;
    this.#newestId = account.newestMessageId();
  }

  /** Shows another view. */
  setView(view: View): void {
    this.#nextView = view;
    this.#more = [];
    this.#wakeUp();
  }

  /** Loads more of the current view; a view set meanwhile is a different one. */
  loadMore(viewId: number, page: Page): boolean {
    if ((this.#nextView?.viewId ?? this.#viewId) !== viewId || this.#more.length >= maxWaiting) {
      return false;
    }
    this.#more.push(wanted(page));
    this.#wakeUp();
    return true;
  }

  /** Threads of the current view, whole; undefined if it is another view. */
  async whole(viewId: number, threadIds: readonly number[]): Promise<Thread[] | undefined> {
    const view = this.#view;
    const { base } = this.#mail;
    if (view === undefined || this.#nextView !== undefined || this.#viewId !== viewId) {
      return undefined;
    }
    const threads = await view.whole(threadIds.map(idThere));
    return threads.map((t) => threadFrom(base, t));
  }

  /** Reports a change that is not one of the account's. */
  tell(change: Change): void {
    if (this.#own.length < maxChanges) this.#own.push(change);
    this.#wakeUp();
  }

  /** What others share with the user has changed. */
  sharesChanged(): void {
    this.#shared.lookSoon();
    this.#wakeUp();
  }

  /** Whether the page shows mailboxes of this account, which belongs to another user. */
  follows(owner: string): boolean {
    return this.#shared.follows(owner);
  }

  /** Ends the stream; the page doesn't try again. */
  end(reason: string): void {
    this.#end = reason;
    this.#wakeUp();
  }

  /** Ends the stream without notice: the server stops, or the client is gone. */
  close(): void {
    this.#closed = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Waits for something to do; false if there was nothing for a while. */
  async #wait(): Promise<boolean> {
    if (this.#busy) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#wake = () => resolve(true);
    const timer = setTimeout(() => resolve(false), aliveInterval);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }

  get #busy(): boolean {
    return this.#closed || this.#end !== undefined || this.#nextView !== undefined ||
      this.#load !== undefined || this.#more.length > 0 || this.#own.length > 0 ||
      this.#listener.pending || this.#shared.pending || this.#shared.due;
  }

  /**
   * Its events, one at a time. `onClose` runs once, when nothing is told any more, `onError` before it where the
   * reason is a mistake of ours.
   */
  told(onClose: () => void, onError: (err: unknown) => void): ToldEvents {
    const events = this.#events();
    let open = true;
    const finish = () => {
      if (!open) return;
      open = false;
      this.close();
      this.#listener.close();
      this.#shared.close();
      onClose();
    };
    return {
      finish,
      next: async () => {
        try {
          const r = await events.next();
          if (!r.done) return r.value;
          finish();
          return undefined;
        } catch (err) {
          onError(err);
          finish();
          throw err;
        }
      },
    };
  }

  /** The body of an answer with its events; see {@link EventConnection.told}. */
  stream(onClose: () => void, onError: (err: unknown) => void): ReadableStream<Uint8Array> {
    const events = this.told(onClose, onError);
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const event = await events.next();
          if (event === undefined) controller.close();
          else controller.enqueue(eventBytes(event));
        } catch (err) {
          controller.error(err);
        }
      },
      cancel: () => events.finish(),
    }, { highWaterMark: 0 });
  }

  async *#events(): AsyncGenerator<ServerEvent> {
    await this.#shared.look();
    yield this.#start();
    while (!this.#closed) {
      if (this.#end !== undefined) {
        yield { kind: "end", reason: this.#end };
        return;
      }
      // Changes were dropped: only a new start can tell what is there.
      if (this.#listener.overflowed || this.#shared.overflowed) return;
      if (this.#shared.due) this.#own.push(...await this.#shared.look());
      yield* this.#changes();
      const lost = this.#lostView();
      if (lost !== undefined) yield lost;
      const failed = this.#beginLoad();
      if (failed !== undefined) yield failed;
      if (this.#load !== undefined) {
        const event = await this.#loadStep();
        if (event !== undefined) yield event;
        // Other clients are served between two steps.
        await new Promise((resolve) => setTimeout(resolve, 0));
        continue;
      }
      if (!(await this.#wait())) yield { kind: "alive" };
      this.checkSession();
    }
  }

  /** A session that was ended elsewhere, or an account that may not log in any more, ends its streams. */
  checkSession(now = false): void {
    if (!now && Date.now() - this.#sessionChecked < aliveInterval) return;
    this.#sessionChecked = Date.now();
    const { sessions, config } = this.#services;
    const open = sessions.list(this.who.account);
    const account = config.account(this.who.account);
    if (account === undefined || account.LoginDisabled) this.end("this account can't log in");
    else if (!open.some((s) => s.id === this.who.sessionId)) this.end("logged out");
  }

  #start(): ServerEvent {
    const { config, version, maxMessageSize } = this.#services;
    return {
      kind: "start",
      sseId: this.sseId,
      version,
      account: this.who.account,
      loginAddress: this.who.loginAddress,
      ...identities(config, this.who.account, this.who.loginAddress),
      mailboxes: [...this.#account.mailboxes().map(mailboxItem), ...this.#shared.list()],
      rejectsMailboxes: rejectsMailboxes(config, this.who.account),
      settings: webmailSettings(this.#account),
      maxMessageSize,
      quota: this.#account.quota().messageSize.limit ?? null,
      accountPage: this.who.accountPage ?? null,
      checks: this.#services.checksOf?.(this.who.account) ?? null,
    };
  }

  /** Begins what was asked for; an event if it can't be. */
  #beginLoad(): ServerEvent | undefined {
    const next = this.#nextView;
    if (next !== undefined) {
      this.#nextView = undefined;
      this.#load = undefined;
      this.#view = undefined;
      this.#viewId = next.viewId;
      try {
        this.#view = this.#open(next);
      } catch (err) {
        if (!(err instanceof ViewError)) throw err;
        return { kind: "viewError", viewId: next.viewId, message: err.message };
      }
      this.#more.unshift(wanted(next.page));
    }
    const view = this.#view;
    // More of a view that is stale or gone: the page will set another.
    if (view === undefined) this.#more = [];
    if (this.#load === undefined && view !== undefined) {
      const wanted = this.#more.shift();
      if (wanted !== undefined) {
        this.#load = view.load(wanted, () => this.#closed || this.#nextView !== undefined);
        this.#lastProgress = performance.now();
      }
    }
    return undefined;
  }

  /** @throws ViewError */
  #open(view: View): ListView {
    const { mailboxId } = view.query;
    const number = numberOf(mailboxId ?? 0);
    const mail = number === 0 ? ownMail(this.#account) : this.#shared.mail(number);
    if (mail === undefined) throw new ViewError(gone);
    this.#mail = mail;
    const { anchor } = view.page;
    const there: View = {
      ...view,
      query: { ...view.query, mailboxId: mailboxId && idThere(mailboxId) },
      page: { ...view.page, anchor: anchor && idThere(anchor) },
    };
    const rejects = rejectsMailboxes(this.#services.config, mail.account.name);
    return new ListView(mail.account, there, rejects, mayRead(mail));
  }

  /** The event for a view whose messages the user may no longer read. */
  #lostView(): ServerEvent | undefined {
    const id = this.#view?.query.mailboxId ?? null;
    if (id === null || this.#mail.base === 0) return undefined;
    const mailboxId = asMailboxId(id);
    // An account that shares nothing more is given back, and not to be asked.
    const there = this.#shared.mail(numberOf(this.#mail.base)) === this.#mail &&
      this.#mail.account.mailbox(mailboxId) !== undefined;
    if (there && mayRead(this.#mail)(mailboxId)) return undefined;
    this.#view = undefined;
    this.#load = undefined;
    return { kind: "viewError", viewId: this.#viewId, message: gone };
  }

  async #loadStep(): Promise<ServerEvent | undefined> {
    const r = await this.#load!.next();
    if (r.done) {
      this.#load = undefined;
      return undefined;
    }
    const { threads, done, end, total, looked, of } = r.value;
    const parts = r.value.parts.map((p) => partFrom(this.#mail.base, p));
    if (threads.length > 0 || done) {
      const { base } = this.#mail;
      const shown = threads.map((t) => threadFrom(base, t));
      return { kind: "view", viewId: this.#viewId, threads: shown, parts, done, end, total };
    }
    if (performance.now() - this.#lastProgress < progressInterval) return undefined;
    this.#lastProgress = performance.now();
    return { kind: "progress", viewId: this.#viewId, done: Math.min(looked, of), total: of };
  }

  async *#changes(): AsyncGenerator<ServerEvent> {
    const changes = this.#own.splice(0);
    const own = this.#mail.base === 0;
    if (this.#shared.pending) {
      const found = await this.#shared.take(own ? undefined : this.#view, this.#mail);
      changes.push(...found.changes);
      if (found.stale) {
        this.#view = undefined;
        this.#load = undefined;
      }
    }
    if (this.#listener.pending) {
      const taken = this.#listener.take();
      const newest = this.#newestId;
      this.#newestId = this.#account.newestMessageId();
      const found = await tellChanges(this.#account, own ? this.#view : undefined, taken, newest);
      changes.push(...found.changes);
      if (own && (found.stale || found.gone)) {
        this.#view = undefined;
        this.#load = undefined;
      }
      if (found.gone) {
        yield { kind: "viewError", viewId: this.#viewId, message: gone };
      }
    }
    for (let at = 0; at < changes.length; at += maxChanges) {
      yield {
        kind: "changes",
        viewId: this.#viewId,
        changes: changes.slice(at, at + maxChanges),
      };
    }
  }
}

/** Streams of one account that are open at a time; the oldest ends for one more. */
const maxStreams = 50;

/** The open streams of all accounts. */
export class EventConnections {
  readonly #open = new Map<string, EventConnection>();

  add(connection: EventConnection): void {
    const mine = this.of(connection.who.account);
    if (mine.length >= maxStreams) mine[0].end("too many windows are open");
    this.#open.set(connection.sseId, connection);
  }

  remove(connection: EventConnection): void {
    this.#open.delete(connection.sseId);
  }

  /** The stream of a page of this account. */
  find(account: string, sseId: string): EventConnection | undefined {
    const c = this.#open.get(sseId);
    return c?.who.account === account ? c : undefined;
  }

  of(account: string): EventConnection[] {
    return [...this.#open.values()].filter((c) => c.who.account === account);
  }

  /** Pages of others that show mailboxes of an account. */
  followers(owner: string): EventConnection[] {
    return [...this.#open.values()].filter((c) => c.follows(owner));
  }

  /** Those whose pages show calendars or address books. */
  following(): EventConnection[] {
    return [...this.#open.values()].filter((c) => c.groupware !== undefined);
  }

  /** Notifies all pages of an account. */
  tell(account: string, change: Change): void {
    for (const c of this.of(account)) c.tell(change);
  }

  /** Ends the streams of a session. */
  endSession(account: string, sessionId: number, reason: string): void {
    for (const c of this.of(account)) if (c.who.sessionId === sessionId) c.end(reason);
  }
}
