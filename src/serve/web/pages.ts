/**
 * The web pages and services of a running server, made once and served on every listener.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import type { FailedAuthLimiter, OpenConnection } from "../../net/mod.ts";
import { hostPort } from "../../platform/net.ts";
import type { Queue } from "../../queue/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { followGlance } from "../../web/admin/mod.ts";
import { Sessions } from "../../web/login/mod.ts";
import { autoconfigHandler, autoconfigHost } from "../../web/settings/autoconfig.ts";
import { mtastsHandler, mtastsHost } from "../../web/settings/mtasts.ts";
import { webserver } from "../../web/webserver/mod.ts";
import { accountAndAdminPages, type PagesServer } from "./account_pages.ts";
import type { ReportDatabases } from "../receiving/receiving.ts";
import type { SecurityServices } from "../sending/recipient_security.ts";
import type { Endpoint, WebHandlers } from "./web.ts";
import { webApi } from "./webapi.ts";
import type { ServerWebhooks } from "../sending/webhooks.ts";
import { webmail } from "./webmail.ts";

/** What pages need of the server. */
export interface WebServer {
  readonly config: Config;
  readonly accounts: Accounts;
  readonly queue: Queue;
  readonly webhooks: ServerWebhooks | undefined;
  readonly endpoints: readonly Endpoint[];
  /** Open ones of all listeners. */
  connections(): OpenConnection[];
  readonly reports: ReportDatabases | undefined;
}

/** What they share with the mail protocols. */
export interface WebShared {
  limiter: FailedAuthLimiter;
  tempDir: string;
  /** Undefined where there is no DNS. */
  security: SecurityServices | undefined;
  /** What the pages show, and what is only there when the server has started. */
  states: Pick<
    PagesServer,
    "tlsKeys" | "loginLog" | "trained" | "certificates" | "stsPolicies" | "tlsResults"
  >;
}

/** Handlers, and what has to be closed when the server stops. */
export interface WebPages {
  handlers: WebHandlers;
  sessions: Sessions;
  close(): Promise<void>;
}

/** Opens the login sessions and makes the handlers. */
export async function openWebPages(server: WebServer, shared: WebShared): Promise<WebPages> {
  const { config, accounts, queue } = server;
  const sessions = await Sessions.open(config.dataDir);
  const mail = await webmail({ config, accounts, queue, sessions, ...shared });
  const api = await webApi(server, shared);
  const glance = followGlance();
  const pages = accountAndAdminPages({
    config,
    accounts,
    queue,
    webhooks: server.webhooks?.hooks,
    sessions,
    limiter: shared.limiter,
    tempDir: shared.tempDir,
    listeners: () => server.endpoints.map((e) => `${e.protocol}: ${hostPort(e.hostname, e.port)}`),
    connections: () => server.connections(),
    glance,
    resolver: shared.security?.resolver,
    reports: server.reports,
    ...shared.states,
  });
  await pages.account.open();
  await glance.start();
  const handlers: WebHandlers = {
    account: pages.account.handle,
    admin: pages.admin,
    webmail: mail.handle,
    webapi: api.handle,
    autoconfig: {
      host: (name) => autoconfigHost(config, name),
      handle: autoconfigHandler(config),
    },
    mtasts: { host: (name) => mtastsHost(config, name), handle: mtastsHandler(config) },
  };
  handlers.webserver = webserver(config, {
    account: handlers.account,
    admin: handlers.admin,
    webmail: handlers.webmail,
    webapi: handlers.webapi,
  });
  const close = async () => {
    glance.stop();
    await mail.close();
    await pages.account.close();
    await api.close();
    await sessions.close();
  };
  return { handlers, sessions, close };
}
