/**
 * The admin page's server side, and its API for programs. Calls are grouped in files by subject, as in
 * webmail/admin/api.
 *
 * Imports config, store, queue, reports, admin's functions, and http, login and webapi beside it. Called by
 * serve/, which gives it the page and puts it on listeners.
 *
 * @module
 */
import type { adminCalls } from "../../../webmail/admin/api/mod.ts";
import { MoveJob } from "../../admin/moving/job.ts";
import { administeredDomains } from "../../admin/mod.ts";
import { type CallHandlers, HttpError, type WebHandler } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import { accountHandlers } from "./accounts.ts";
import { type AdminApi, adminApi } from "./api.ts";
import { domainHandlers } from "./domains.ts";
import { hookHandlers } from "./hooks.ts";
import { listHandlers } from "./lists.ts";
import { movingHandlers } from "./moving.ts";
import type { AdminPageOptions } from "./options.ts";
import { nodeHandlers } from "./nodes.ts";
import { queueHandlers } from "./queue.ts";
import { reportHandlers } from "./reports.ts";
import { securityHandlers } from "./security.ts";
import { serverHandlers } from "./server.ts";
import { settingsHandlers } from "./settings.ts";
import { tokenHandlers } from "./tokens.ts";

export { followGlance, type Glance } from "./glance.ts";
export type { AdminPageOptions, NodesForAdmin } from "./options.ts";
export type { ScannerStates } from "./scanners.ts";

/** The page and its calls. */
export function adminPage(options: AdminPageOptions): AdminApi {
  const moving = new MoveJob();
  const handlers: CallHandlers<typeof adminCalls, PageContext> = {
    async Login(form, context) {
      const { cookie } = await options.login.login(context.req, { ...form, code: form.totp });
      context.setCookie(cookie);
      return {};
    },
    Session(_r, context) {
      const { session } = context;
      const account = session?.account ?? "";
      return {
        loggedIn: session !== undefined,
        // Without a login nobody needs to know the server's name.
        hostname: session === undefined ? "" : options.config.static.Hostname,
        domains: account === "" ? null : administeredDomains(options.config, account),
      };
    },
    Logout(_r, context) {
      context.setCookie(options.login.logout(context.req));
      return {};
    },
    ...serverHandlers(options),
    ...domainHandlers(options),
    ...listHandlers(options),
    ...accountHandlers(options),
    ...movingHandlers(options, moving),
    ...nodeHandlers(options),
    ...queueHandlers(options),
    ...hookHandlers(options),
    ...reportHandlers(options),
    ...securityHandlers(options),
    ...settingsHandlers(options),
    ...tokenHandlers(options),
  };
  const api = adminApi(options, handlers);
  const handle: WebHandler = async (req) => {
    if (req.path.startsWith("/api/")) return await api.handle(req);
    if (req.path === "/") return await options.page(req);
    throw new HttpError(404, "not found");
  };
  const close = async () => {
    await moving.stop();
    await api.close();
  };
  return { handle, close };
}
