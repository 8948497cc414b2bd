/** CardDAV and CalDAV of the running server. @module */
import { type Dav, openDav } from "../../dav/mod.ts";
import { openScheduler } from "../../groupware/scheduler.ts";
import { sendCalendarMail } from "../events/calendar_mail.ts";
import { checkProgramLogin, checkProgramToken } from "./account_pages.ts";
import type { WebServer, WebShared } from "./page_server.ts";

/** Makes the handlers. */
export function dav(
  s: Pick<WebServer, "config" | "accounts" | "queue">,
  shared: Pick<WebShared, "limiter" | "logins" | "shares" | "tempDir">,
): Dav {
  return openDav({
    config: s.config,
    accounts: s.accounts,
    limiter: shared.limiter,
    checkLogin: (form, remoteIp) =>
      checkProgramLogin(shared.logins, form, { protocol: "dav", remoteIp }),
    checkToken: shared.logins.identities?.hasTokens
      ? (token) => checkProgramToken(shared.logins, token)
      : undefined,
    sharing: {
      owners: (user) => shared.shares()?.owners(user) ?? [],
      add: async (owner, account) => await shared.shares()?.add(owner, account),
      changed: async (c) => await shared.shares()?.changed(c),
    },
    scheduler: openScheduler({
      config: s.config,
      accounts: s.accounts,
      send: (m) =>
        sendCalendarMail({ config: s.config, queue: s.queue, tempDir: shared.tempDir }, m),
    }),
  });
}
