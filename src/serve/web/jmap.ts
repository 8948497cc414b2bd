/** JMAP of the running server: its logins, sharing, and sending through the queue. @module */
import { defaultMaxMessageSize } from "../../config/mod.ts";
import {
  CalendarAlerts,
  type Jmap,
  type JmapServices,
  type JmapSubmission,
  newVapidKey,
  ObjectStore,
  openJmap,
  Pusher,
  SetError,
  Signals,
  Uploads,
  Vapid,
} from "../../jmap/mod.ts";
import { openScheduler } from "../../groupware/scheduler.ts";
import { Log } from "../../log/mod.ts";
import type { AuthorAddress } from "../../mail/address/author.ts";
import { headerField, splitHeader } from "../../mail/header/header.ts";
import { SmtpError } from "../../smtp/server/mod.ts";
import { sendCalendarMail } from "../events/calendar_mail.ts";
import { checkAuthors } from "../sending/authors.ts";
import { behalfField } from "../sending/delegates.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import { checkProgramLogin, checkProgramToken } from "./account_pages.ts";
import type { WebServer, WebShared } from "./page_server.ts";

type Server = Pick<WebServer, "config" | "accounts" | "queue" | "scanners">;

/** Opens JMAP. */
export async function jmap(
  server: Server,
  shared: Pick<
    WebShared,
    "limiter" | "logins" | "openLogins" | "tempDir" | "shares" | "sieve" | "outbound"
  >,
  sharesChanged: (user: string) => void,
): Promise<Jmap> {
  const { config } = server;
  const sizes = [...config.static.Listeners.values()].map((l) => l.SMTPMaxMessageSize);
  const maxMessageSize = Math.max(...sizes) || defaultMaxMessageSize;
  const objects = await ObjectStore.open(config.dataDir);
  const signals = new Signals();
  objects.onChange = (account) => signals.changed(account);
  const vapid = await Vapid.open(
    await objects.key("vapid", newVapidKey),
    `https://${config.static.Hostname}/`,
  );
  const services: JmapServices = {
    config,
    accounts: server.accounts,
    limiter: shared.limiter,
    tempDir: shared.tempDir,
    hostname: config.static.Hostname,
    maxMessageSize,
    sharing: {
      owners: (user) => shared.shares()?.owners(user) ?? [],
      add: async (owner, account) => await shared.shares()?.add(owner, account),
      changed: sharesChanged,
    },
    uploads: new Uploads(config.dataDir, maxMessageSize),
    objects,
    scheduler: openScheduler({
      config,
      accounts: server.accounts,
      send: (m) => sendCalendarMail({ config, queue: server.queue, tempDir: shared.tempDir }, m),
    }),
    scripts: shared.sieve.db.scripts,
    signals,
    vapid,
    alerts: new CalendarAlerts(() => services, new Log("jmap")),
    pusher: new Pusher(() => services, shared.outbound, new Log("jmap")),
    queue: server.queue,
    checkLogin: (form, remoteIp) =>
      checkProgramLogin(shared.logins, form, { protocol: "jmap", remoteIp }),
    checkToken: shared.logins.identities?.hasTokens
      ? (token) => checkProgramToken(shared.logins, token)
      : undefined,
    loggedIn: (session) => shared.openLogins.add(session),
    authorities: () => shared.outbound.authorities.list(),
    submit: (m) => submit(server, m),
  };
  return openJmap(services);
}

async function submit(server: Server, submission: JmapSubmission): Promise<number[]> {
  const { account, header, ...message } = submission;
  const fields = splitHeader(header);
  let authors: AuthorAddress[];
  try {
    authors = checkAuthors(server.config, account, header, fields);
  } catch (cause) {
    if (cause instanceof SmtpError) throw new SetError("forbiddenFrom", cause.message);
    throw cause;
  }
  try {
    return await queueOutgoing(server, {
      ...message,
      author: `${authors[0].localpart}@${authors[0].domain}`,
      fromDomain: authors[0].domain,
      senderAccount: account,
      prefix: new TextEncoder().encode(
        headerField(fields, "sender") === undefined
          ? behalfField(server.config, account, authors)
          : "",
      ),
      scan: {},
    });
  } catch (cause) {
    // The account's limits, as text.
    if (cause instanceof SmtpError) throw new SetError("forbiddenToSend", cause.message);
    throw cause;
  }
}
