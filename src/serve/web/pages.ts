/**
 * The web pages and services of a running server, made once and served on every listener.
 *
 * @module
 */
import { hostPort } from "../../platform/net.ts";
import { followGlance } from "../../web/admin/mod.ts";
import { Sessions } from "../../web/login/mod.ts";
import { autoconfigHandler, autoconfigHost } from "../../web/settings/autoconfig.ts";
import { mtastsHandler, mtastsHost } from "../../web/settings/mtasts.ts";
import { webserver } from "../../web/webserver/mod.ts";
import { accountAndAdminPages } from "./account_pages.ts";
import type { WebServer, WebShared } from "./page_server.ts";
import { shownProtocol, type WebHandlers } from "./web.ts";
import { dav } from "./dav.ts";
import { jmap } from "./jmap.ts";
import { listsHandler } from "./lists.ts";
import { catcherApi } from "./catcher.ts";
import { checksOf, withoutLogin } from "../catcher/without_login.ts";
import { webApi } from "./webapi.ts";
import { webmail } from "./webmail.ts";

/** Handlers, and what to close when the server stops. */
export interface WebPages {
  handlers: WebHandlers;
  sessions: Sessions;
  /** Called after an account has arrived from another node. */
  accountCame(): void;
  /** A user's rights on something of others have changed. */
  sharesChanged(user: string): void;
  close(): Promise<void>;
}

/** Opens the login sessions and makes the handlers. */
export async function openWebPages(server: WebServer, shared: WebShared): Promise<WebPages> {
  const { config, accounts, queue, scanners } = server;
  const sessions = await Sessions.open(config.dataDir);
  const mail = await webmail({
    config,
    accounts,
    queue,
    scanners,
    sessions,
    ...shared,
    withoutLogin: withoutLogin(shared.developer),
    checksOf: checksOf(shared.developer),
  });
  const api = await webApi(
    { config, accounts, queue, scanners, logins: shared.logins },
    shared,
    mail.sendWithCopy,
  );
  const jmapServer = await jmap(server, shared, (user) => mail.sharesChanged(user));
  const catcher = shared.developer && catcherApi(server, shared, shared.developer);
  const glance = followGlance();
  const pages = accountAndAdminPages({
    config,
    accounts,
    queue,
    webhooks: server.webhooks?.hooks,
    sessions,
    limiter: shared.limiter,
    audit: shared.audit,
    logins: shared.logins,
    outbound: shared.outbound,
    scripts: shared.sieve.db.scripts,
    tempDir: shared.tempDir,
    withoutLogin: withoutLogin(shared.developer),
    lists: () => server.lists?.forAdmin,
    shares: shared.shares,
    listeners: () =>
      server.endpoints.map((e) => `${shownProtocol(e)}: ${hostPort(e.hostname, e.port)}`),
    connections: () => server.connections(),
    glance,
    resolver: shared.security?.resolver,
    freshResolver: shared.freshResolver,
    reports: server.reports,
    ...shared.states,
  });
  await pages.account.open();
  await glance.start();
  const handlers: WebHandlers = {
    account: pages.account.handle,
    admin: pages.admin.handle,
    webmail: mail.handle,
    webapi: api.handle,
    jmap: jmapServer,
    dav: dav(server, shared),
    lists: listsHandler(() => server.lists),
    catcher,
    hosts: shared.developer?.hosts,
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
  }, shared.outbound);
  const close = async () => {
    glance.stop();
    await mail.close();
    await pages.account.close();
    await pages.admin.close();
    await api.close();
    await jmapServer.close();
    await catcher?.close();
    await sessions.close();
  };
  return {
    handlers,
    sessions,
    accountCame: () => mail.accountCame(),
    sharesChanged: (user) => mail.sharesChanged(user),
    close,
  };
}
