/** The webmail of the running server: its logins, and sending through the queue. @module */
import { type Config, defaultMaxMessageSize } from "../../config/mod.ts";
import { openScheduler } from "../../groupware/scheduler.ts";
import type { LoginGuard, Outbound } from "../../net/mod.ts";
import { programVersion } from "../../platform/version.ts";
import type { Queue } from "../../queue/mod.ts";
import type { Scanners } from "../../scanning/mod.ts";
import type { Shares } from "../../store/mailboxes/shares.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { SmtpError } from "../../smtp/server/mod.ts";
import { UserError } from "../../web/http/mod.ts";
import { Login, type LoginOptions, type Sessions } from "../../web/login/mod.ts";
import { appFiles, editorPage, webmailLater, webmailPage } from "../../web/pages/mod.ts";
import {
  openWebmail,
  serveFile,
  servePage,
  type SubmittedMessage,
  type Webmail,
} from "../../web/webmail/mod.ts";
import { withProviders } from "./openid.ts";
import { checkAccountLogin, checkAccountPasskey } from "./account_pages.ts";
import type { SieveServices } from "../arrival/services.ts";
import { loginAccount, type LoginServices } from "../logins.ts";
import { sendCalendarMail } from "../events/calendar_mail.ts";
import type { ImapEvents } from "../sieve/imap_events.ts";
import { behalfField } from "../sending/delegates.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import { recipientSecurity, type SecurityServices } from "../sending/recipient_security.ts";
import { postOneClick, postPush } from "./user_posts.ts";

/** What the webmail needs from the server. */
export interface WebmailServer {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  scanners?: Scanners;
  sessions: Sessions;
  limiter: LoginGuard;
  logins: LoginServices;
  tempDir: string;
  sieve: SieveServices;
  /** Scripts for events in mailboxes. */
  events: ImapEvents;
  outbound: Outbound;
  /** Localserve: the account of a request without a login. */
  withoutLogin?: LoginOptions["withoutLogin"];
  /** Localserve: where messages of an account are checked. */
  checksOf?: (account: string) => string;
  /** Undefined where there is no DNS. */
  /** Who shares something with whom; undefined while the server starts. */
  shares: () => Shares | undefined;
  security: SecurityServices | undefined;
}

/** Opens the webmail. */
export async function webmail(server: WebmailServer): Promise<Webmail> {
  const { config } = server;
  const login = new Login({
    service: "webmail",
    sessions: server.sessions,
    limiter: server.limiter,
    check: (form, remoteIp) => checkAccountLogin(server.logins, form, remoteIp),
    checkPasskey: (...a) => checkAccountPasskey(server, ...a),
    withoutLogin: server.withoutLogin,
    allowed: (session) => loginAccount(config, session.login) === session.account,
  });
  const sizes = [...config.static.Listeners.values()].map((l) => l.SMTPMaxMessageSize);
  const page = servePage(webmailPage, { path: "/", framed: false, later: webmailLater });
  const files = new Map(
    Object.entries(appFiles).map(([path, { text, type }]) => [path, serveFile(text, type)]),
  );
  const editor = servePage(editorPage, { path: "/editor", framed: true });
  const made = await openWebmail({
    config,
    accounts: server.accounts,
    sessions: server.sessions,
    login,
    hostname: config.static.Hostname,
    version: programVersion,
    tempDir: server.tempDir,
    sieve: server.sieve,
    noteChange: (change) => server.events.note(change),
    owners: (user) => server.shares()?.owners(user) ?? [],
    scheduler: openScheduler({
      config,
      accounts: server.accounts,
      send: (m) => sendCalendarMail(server, m),
    }),
    maxMessageSize: Math.max(...sizes) || defaultMaxMessageSize,
    page: (req) => req.path === "/editor" ? editor(req) : (files.get(req.path) ?? page)(req),
    postPush: (endpoint, headers, body) => postPush(server.outbound, endpoint, headers, body),
    submit: (m) => submit(server, m),
    authorities: () => server.outbound.authorities.list(),
    postOneClick: (url) => postOneClick(server.outbound, url),
    wasSubmitted: (account, messageId) => server.queue.wasSubmitted(account, messageId),
    checksOf: server.checksOf,
    domainSecurity: server.security && ((domain) => recipientSecurity(server.security!, domain)),
  });
  return { ...made, handle: withProviders(server, login, "webmail", made.handle) };
}

async function submit(server: WebmailServer, message: SubmittedMessage): Promise<void> {
  const at = message.mailFrom.lastIndexOf("@");
  const from = { localpart: message.mailFrom.slice(0, at), domain: message.mailFrom.slice(at + 1) };
  const may = server.config.maySendAs(message.account, from.localpart, from.domain);
  if (may !== "yes" && may !== "behalf" && server.config.acceptAllAccount !== message.account) {
    throw new UserError(`${message.mailFrom} is not one of your addresses`);
  }
  try {
    await queueOutgoing(server, {
      senderAccount: message.account,
      author: message.mailFrom,
      fromDomain: from.domain,
      mailFrom: message.mailFrom,
      recipients: message.recipients.map((address) => ({ address })),
      file: message.file,
      fileSize: message.fileSize,
      prefix: new TextEncoder().encode(behalfField(server.config, message.account, [from])),
      smtputf8: message.smtputf8,
      has8bit: message.has8bit,
      requireTls: message.requireTls === true,
      tlsOptional: message.requireTls === false,
      notBefore: message.notBefore,
      messageId: `<${message.messageId}>`,
      key: message.messageId,
      subject: message.subject,
      scan: {},
    });
  } catch (err) {
    // The account's limits, as text.
    if (err instanceof SmtpError) throw new UserError(err.message, { cause: err });
    throw err;
  }
}
