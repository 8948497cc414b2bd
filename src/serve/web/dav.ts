/** CardDAV and CalDAV of the running server. @module */
import { type Dav, openDav } from "../../dav/mod.ts";
import { plainScheduler } from "../../groupware/plain.ts";
import { checkProgramLogin } from "./account_pages.ts";
import type { WebServer, WebShared } from "./page_server.ts";

/** Makes the handlers. */
export function dav(
  s: Pick<WebServer, "config" | "accounts">,
  shared: Pick<WebShared, "limiter" | "logins" | "shares">,
): Dav {
  return openDav({
    config: s.config,
    accounts: s.accounts,
    limiter: shared.limiter,
    checkLogin: (form, remoteIp) =>
      checkProgramLogin(shared.logins, form, { protocol: "dav", remoteIp }),
    sharing: {
      owners: (user) => shared.shares()?.owners(user) ?? [],
      add: async (owner, account) => await shared.shares()?.add(owner, account),
    },
    scheduler: plainScheduler,
  });
}
