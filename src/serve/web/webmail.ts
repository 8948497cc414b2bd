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
import { appFiles, editorPage, webmailPage } from "../../web/pages/mod.ts";
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

/** What the webmail needs of the server. */
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
  /** Scripts for what happens in mailboxes. */
  events: ImapEvents;
  outbound: Outbound;
  /** Localserve: who a request is of without a login. */
  withoutLogin?: LoginOptions["withoutLogin"];
  /** Localserve: where messages of an account are checked. */
  checksOf?: (account: string) => string;
  /** Undefined where there is no DNS. */
  /** Who shares something with whom; undefined while the server starts. */
  shares: () => Shares | undefined;
  security: SecurityServices | undefined;
}

/** Opens the webmail. */
export async function webmail(s: WebmailServer): Promise<Webmail> {
  const { config } = s;
  const login = new Login({
    service: "webmail",
    sessions: s.sessions,
    limiter: s.limiter,
    check: (form, remoteIp) => checkAccountLogin(s.logins, form, remoteIp),
    checkPasskey: (...a) => checkAccountPasskey(s, ...a),
    withoutLogin: s.withoutLogin,
    allowed: (session) => loginAccount(config, session.login) === session.account,
  });
  const sizes = [...config.static.Listeners.values()].map((l) => l.SMTPMaxMessageSize);
  const page = servePage(webmailPage);
  const files = new Map(
    Object.entries(appFiles).map(([path, { text, type }]) => [path, serveFile(text, type)]),
  );
  const editor = servePage(editorPage, { path: "/editor", framed: true });
  const made = await openWebmail({
    config,
    accounts: s.accounts,
    sessions: s.sessions,
    login,
    hostname: config.static.Hostname,
    version: programVersion,
    tempDir: s.tempDir,
    sieve: s.sieve,
    noteChange: (change) => s.events.note(change),
    owners: (user) => s.shares()?.owners(user) ?? [],
    scheduler: openScheduler({ config, accounts: s.accounts, send: (m) => sendCalendarMail(s, m) }),
    maxMessageSize: Math.max(...sizes) || defaultMaxMessageSize,
    page: (req) => req.path === "/editor" ? editor(req) : (files.get(req.path) ?? page)(req),
    postPush: (endpoint, headers, body) => postPush(s.outbound, endpoint, headers, body),
    submit: (m) => submit(s, m),
    authorities: () => s.outbound.authorities.list(),
    postOneClick: (url) => postOneClick(s.outbound, url),
    wasSubmitted: (account, messageId) => s.queue.hasMessageId(account, messageId),
    checksOf: s.checksOf,
    domainSecurity: s.security && ((domain) => recipientSecurity(s.security!, domain)),
  });
  return { ...made, handle: withProviders(s, login, "webmail", made.handle) };
}

async function submit(s: WebmailServer, m: SubmittedMessage): Promise<void> {
  const at = m.mailFrom.lastIndexOf("@");
  const from = { localpart: m.mailFrom.slice(0, at), domain: m.mailFrom.slice(at + 1) };
  const may = s.config.maySendAs(m.account, from.localpart, from.domain);
  if (may !== "yes" && may !== "behalf" && s.config.acceptAllAccount !== m.account) {
    throw new UserError(`${m.mailFrom} is not one of your addresses`);
  }
  try {
    await queueOutgoing(s, {
      senderAccount: m.account,
      author: m.mailFrom,
      fromDomain: from.domain,
      mailFrom: m.mailFrom,
      recipients: m.recipients.map((address) => ({ address })),
      file: m.file,
      fileSize: m.fileSize,
      prefix: new TextEncoder().encode(behalfField(s.config, m.account, [from])),
      smtputf8: m.smtputf8,
      has8bit: m.has8bit,
      requireTls: m.requireTls === true,
      tlsOptional: m.requireTls === false,
      notBefore: m.notBefore,
      messageId: `<${m.messageId}>`,
      subject: m.subject,
      scan: {},
    });
  } catch (err) {
    // Limits of the account, in words.
    if (err instanceof SmtpError) throw new UserError(err.message, { cause: err });
    throw err;
  }
}
