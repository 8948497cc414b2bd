/**
 * The admin page's server side. Its calls are in files by what they are about, as in webmail/admin/api.
 *
 * Imports config, store, queue, reports, admin's functions, and http and login beside it. Called by
 * serve/, which gives it the page and puts it on listeners.
 *
 * @module
 */
import { adminCalls } from "../../../webmail/admin/api/mod.ts";
import type { CallHandlers, WebHandler } from "../http/mod.ts";
import { type PageContext, pageHandler } from "../login/mod.ts";
import { accountHandlers } from "./accounts.ts";
import { domainHandlers } from "./domains.ts";
import { hookHandlers } from "./hooks.ts";
import type { AdminPageOptions } from "./options.ts";
import { queueHandlers } from "./queue.ts";
import { reportHandlers } from "./reports.ts";
import { securityHandlers } from "./security.ts";
import { serverHandlers } from "./server.ts";
import { settingsHandlers } from "./settings.ts";

export { followGlance, type Glance } from "./glance.ts";
export type { AdminPageOptions } from "./options.ts";

/** Calls that change nothing: the audit log has all others. */
const reading: ReadonlySet<string> = new Set([
  "Account",
  "Accounts",
  "AdminSecondFactorBegin",
  "Attempts",
  "Audit",
  "BlockLists",
  "Certificates",
  "ConfigFiles",
  "ConfigHelp",
  "Connections",
  "DmarcEvaluations",
  "DmarcReport",
  "DmarcReports",
  "DmarcToSend",
  "Domain",
  "DomainCheck",
  "Domains",
  "Glance",
  "HoldRules",
  "HookPayload",
  "Hooks",
  "Login",
  "LogLevels",
  "Overview",
  "Queue",
  "QueueMessage",
  "Retired",
  "Session",
  "Storage",
  "StsPolicies",
  "Suppressions",
  "TlsReport",
  "TlsReports",
  "TlsToSend",
  "WebServer",
]);

/** The page and its calls. */
export function adminPage(o: AdminPageOptions): WebHandler {
  const handlers: CallHandlers<typeof adminCalls, PageContext> = {
    async Login(form, c) {
      const { cookie } = await o.login.login(c.req, { ...form, code: form.totp });
      c.setCookie(cookie);
      return {};
    },
    // Who is not logged in need not know the server's name.
    Session: (_r, c) => ({
      loggedIn: c.session !== undefined,
      hostname: c.session === undefined ? "" : o.config.static.Hostname,
    }),
    Logout(_r, c) {
      c.setCookie(o.login.logout(c.req));
      return {};
    },
    ...serverHandlers(o),
    ...domainHandlers(o),
    ...accountHandlers(o),
    ...queueHandlers(o),
    ...hookHandlers(o),
    ...reportHandlers(o),
    ...securityHandlers(o),
    ...settingsHandlers(o),
  };
  return pageHandler({
    login: o.login,
    calls: adminCalls,
    handlers,
    open: ["Login", "Session", "Logout"],
    page: o.page,
    around: (name, request, c, run) =>
      reading.has(name)
        ? run()
        : o.audit.run({ who: "administrator", from: c.req.remoteIp }, name, request, run),
    pkg: "admin",
  });
}
