/**
 * The server side of the webmail: calls, the event stream, and the documents of messages. What it says
 * and understands is in webmail/api/.
 *
 * Imports the store, mail and config below it, and http/ and login/ beside it; serve/ gives it submission
 * and the page, and puts it on listeners.
 *
 * @module
 */
import { asMailboxId } from "../../store/ids.ts";
import { join } from "node:path";
import { calls } from "../../../webmail/api/mod.ts";
import { ensureDir, removeFile } from "../../platform/files.ts";
import type { Account } from "../../store/account/account.ts";
import type { Mailbox } from "../../store/types.ts";
import {
  answerCall,
  callError,
  checkCall,
  checkSameSite,
  HttpError,
  jsonResponse,
  type WebHandler,
  type WebRequest,
} from "../http/mod.ts";
import type { FoundSession } from "../login/mod.ts";
import { Log } from "../../log/mod.ts";
import { addressBooks } from "./contacts/books.ts";
import { addressGroups } from "./contacts/groups.ts";
import { eachOwner } from "./owners.ts";
import { GroupwareWatch } from "./list/groupware_watch.ts";
import { AddressBooks } from "./sending/address_book.ts";
import {
  type CallContext,
  callHandlers,
  composeContext,
  openCalls,
  type WebmailState,
} from "./call_handlers.ts";
import { exportedBook } from "./contacts/export.ts";
import { compressed } from "./compression.ts";
import { pieceStream } from "./reading/content.ts";
import { disposition, documentId, messageDocument } from "./reading/documents.ts";
import { missing, rethrow } from "./errors.ts";
import { EventConnections } from "./list/event_stream.ts";
import { SharedStreams } from "./list/shared_stream.ts";
import { eventStream } from "./list/streams.ts";
import { exportArchive, exportMailboxes } from "../export/archive.ts";
import { beginExport } from "../export/at_a_time.ts";
import { stopSanitizeWorker } from "./html/worker.ts";
import { mailboxFor, mayRead, openMail, requireReadable } from "./others/mail.ts";
import type { WebmailServices } from "./services.ts";
import { ScheduledRows } from "./sending/rows.ts";
import { Scheduler } from "./scheduled/scheduler.ts";
import { maxReminders, Push } from "./push/push.ts";
import { Reminders } from "../../groupware/reminders.ts";
import { Subscriptions } from "./push/subscriptions.ts";
import { Snoozed } from "./scheduled/snoozed.ts";
import { UndoLog } from "./list/undo.ts";
import { type SendWithCopy, Unfinished } from "./sending/unfinished.ts";
import { Uploads } from "./sending/uploads.ts";

export { serveFile, servePage } from "./page.ts";
export type { SendWithCopy } from "./sending/unfinished.ts";
export type { SubmittedMessage, WebmailServices } from "./services.ts";

/** The webmail of a running server. */
export interface Webmail {
  handle: WebHandler;
  /** Sending for the web API, with a copy in Sent. */
  sendWithCopy: SendWithCopy;
  /** Checks for due work of an account that has come from another node. */
  accountCame(): void;
  /** A user's rights on something that others own have changed. */
  sharesChanged(user: string): void;
  /** Finishes what is being sent, removes uploads and ends the Worker. */
  close(): Promise<void>;
}

/** Makes the webmail; what a server before it left is removed. */
export async function openWebmail(services: WebmailServices): Promise<Webmail> {
  const tempDir = join(services.tempDir, "webmail");
  await ensureDir(tempDir);
  for await (const e of Deno.readDir(tempDir)) if (e.isFile) removeFile(join(tempDir, e.name));
  const uploads = new Uploads(tempDir, services.maxMessageSize);
  const connections = new EventConnections();
  const undo = new UndoLog();
  const watch = new GroupwareWatch(
    services,
    connections,
    (err) => new Log("webmail").debug("telling of calendars and contacts", { err: err as Error }),
  );
  services.accounts.onGroupwareChange = (account) => watch.changed(account);
  const books = new AddressBooks({
    groupsOf: addressGroups,
    eachShared: (user, fn) =>
      eachOwner(services, user, async (_owner, groupware) => {
        const shared = addressBooks(groupware)
          .filter((b) => groupware.rightsOf(b.id, user) !== undefined);
        if (shared.length > 0) await fn(groupware, shared);
      }),
  });
  const sending = {
    services,
    rows: await ScheduledRows.open(services.config.dataDir),
    compose: (account: Account) => composeContext({ services, uploads, tempDir }, account),
    log: new Log("webmail"),
    onFailed: (account: string, draftId: number, subject: string, why: string) =>
      connections.tell(account, { kind: "sendFailed", draftId, subject, why }),
    onSent: (account: string) => books.forget(account),
  };
  const unfinished = new Unfinished({ ...sending, undo });
  const scheduler = new Scheduler({
    ...sending,
    unfinished,
    onWaits: (account, id, sendAt) => connections.tell(account, { kind: "waits", id, sendAt }),
  });
  void unfinished.start().then(() => scheduler.start());
  const snoozed = await Snoozed.open({
    dataDir: services.config.dataDir,
    accounts: services.accounts,
    known: (account) => services.config.account(account) !== undefined,
    tempDir,
    log: new Log("webmail"),
  });
  snoozed.start();
  const subscriptions = await Subscriptions.open(services.config.dataDir);
  const { postPush } = services;
  const beforeOpen = services.accounts.onOpen;
  let reminders: Reminders | undefined;
  if (postPush !== undefined) {
    const push = new Push({
      subscriptions,
      post: (...a) => postPush.call(services, ...a),
      contact: `mailto:postmaster@${services.hostname}`,
      log: new Log("webmail"),
    });
    services.accounts.onOpen = (account) => {
      beforeOpen?.(account);
      push.follow(account);
    };
    reminders = new Reminders({
      accounts: services.accounts,
      subscribed: () => subscriptions.accounts().filter((a) => services.config.isHere(a)),
      mine: (account, address) => services.config.accountFor(address) === account,
      send: (account, r) => push.remind(account, r),
      maxAtOnce: maxReminders,
      log: new Log("webmail"),
    });
    reminders.start();
  }
  const state: WebmailState = {
    services,
    connections,
    shared: new SharedStreams(),
    uploads,
    undo,
    books,
    scheduler,
    unfinished,
    snoozed,
    subscriptions,
    tempDir,
  };
  const handlers = callHandlers(state);
  const unwatch = services.sessions.watch((account) => {
    for (const c of state.connections.of(account)) c.checkSession(true);
    // It may be moving to another node, or be removed: then nothing here may keep it open.
    for (const c of state.connections.followers(account)) c.sharesChanged();
    const open = services.sessions.list(account).map((s) => s.id);
    subscriptions.keepSessions(account, new Set(open));
  });
  return {
    handle: (req) => route(state, handlers, req),
    sendWithCopy: unfinished.sendWithCopy,
    accountCame() {
      void unfinished.start().then(() => scheduler.start());
      snoozed.start();
    },
    sharesChanged(user) {
      for (const c of connections.of(user)) c.sharesChanged();
    },
    async close() {
      unwatch();
      services.accounts.onGroupwareChange = undefined;
      await watch.close();
      await unfinished.close();
      await scheduler.close();
      await snoozed.close();
      await reminders?.close();
      services.accounts.onOpen = beforeOpen;
      await subscriptions.close();
      state.uploads.close();
      stopSanitizeWorker();
    },
  };
}

async function route(
  state: WebmailState,
  handlers: ReturnType<typeof callHandlers>,
  req: WebRequest,
): Promise<Response> {
  const { path } = req;
  if (path.startsWith("/api/")) return await answer(state, handlers, req, path.slice(5));
  if (path === "/upload") return await upload(state, req);
  const document = path.startsWith("/message/");
  const file = path === "/export" || path === "/contacts.vcf";
  if (!document && path !== "/events" && !file) {
    return await state.services.page(req);
  }
  if (req.method !== "GET" && req.method !== "HEAD") {
    throw new HttpError(405, "only GET", { Allow: "GET, HEAD" });
  }
  checkSameSite(req);
  const session = state.services.login.require(req);
  const account = await openAccount(state, session);
  const release = once(() => account.close());
  try {
    const response = document
      ? compressed(req, await sharedDocument(state, req, account, release))
      : path === "/events"
      ? eventStream(state, req, session, account, release)
      : path === "/contacts.vcf"
      ? await exportedBook(state.services, req, account, release)
      : await exported(state, req, account, release);
    return state.services.login.renew(req, session, response);
  } catch (err) {
    release();
    rethrow(err);
  }
}

/** A document of a message, which may be another account's. */
async function sharedDocument(
  state: WebmailState,
  req: WebRequest,
  user: Account,
  release: () => void,
): Promise<Response> {
  const pageId = documentId(req);
  const { mail, id } = await openMail(state.services, user, pageId, "message");
  const done = once(() => {
    mail.release();
    release();
  });
  try {
    requireReadable(mail, id);
    return await messageDocument(req, mail.account, id, done);
  } catch (err) {
    done();
    throw err;
  }
}

function once(fn: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    fn();
  };
}

async function openAccount(state: WebmailState, session: FoundSession): Promise<Account> {
  try {
    return await state.services.accounts.open(session.account);
  } catch (err) {
    rethrow(err);
  }
}

async function answer(
  state: WebmailState,
  handlers: ReturnType<typeof callHandlers>,
  req: WebRequest,
  name: string,
): Promise<Response> {
  const { login } = state.services;
  const cookies: string[] = [];
  const session = login.session(req);
  let account: Account | undefined;
  try {
    const answered = await answerCall({
      req,
      name,
      calls,
      handlers,
      context: async (name): Promise<CallContext> => {
        if (openCalls.includes(name)) return { req, session, account: undefined, cookies };
        if (session === undefined) throw new HttpError(401, "not logged in");
        account = await openAccount(state, session);
        return { req, session, account, cookies };
      },
      pkg: "webmail",
    });
    const response = compressed(req, answered);
    if (cookies.length === 0) return login.renew(req, session, response);
    for (const c of cookies) response.headers.append("Set-Cookie", c);
    return response;
  } finally {
    account?.close();
  }
}

async function exported(
  state: WebmailState,
  req: WebRequest,
  user: Account,
  release: () => void,
): Promise<Response> {
  const params = req.url.searchParams;
  const format = params.get("format") === "maildir" ? "maildir" : "mbox";
  const id = params.get("mailbox") ?? "";
  if (!/^\d{0,15}$/.test(id)) throw missing("mailbox");
  const opened = await openMail(state.services, user, Number(id), "mailbox");
  const { mail } = opened;
  const { account } = mail;
  const readable = mayRead(mail);
  let ended = () => {};
  const done = once(() => {
    ended();
    mail.release();
    release();
  });
  let mailboxes: Mailbox[];
  try {
    if (mail.base !== 0) mailboxFor(mail, opened.id, "r");
    mailboxes = exportMailboxes(account, id === "" ? undefined : asMailboxId(opened.id))
      .filter((m) => readable(m.id));
    ended = beginExport(user.name);
  } catch (err) {
    done();
    throw err;
  }
  const name = id === "" ? account.name : mailboxes[0].name.replaceAll("/", "-");
  return new Response(
    pieceStream(exportArchive(account, mailboxes, format, "zip", ""), done, req.log),
    {
      headers: {
        "Content-Type": "application/zip",
        "Cache-Control": "no-store",
        "Content-Disposition": disposition("attachment", `${name}-${format}.zip`),
      },
    },
  );
}

async function upload(state: WebmailState, req: WebRequest): Promise<Response> {
  try {
    if (req.method !== "POST") throw new HttpError(405, "only POST", { Allow: "POST" });
    checkCall(req);
    const session = state.services.login.require(req);
    const params = req.url.searchParams;
    const f = await state.uploads.add(session.account, {
      filename: (params.get("filename") ?? "").slice(0, 255),
      type: params.get("type") ?? "",
      body: req.stream(state.services.maxMessageSize),
    });
    const response = jsonResponse(200, {
      uploadId: f.id,
      filename: f.filename,
      type: f.type,
      size: f.size,
    });
    return state.services.login.renew(req, session, response);
  } catch (err) {
    if (err instanceof HttpError) return callError(err);
    throw err;
  }
}
