/** JMAP of the running server: its logins, and what is shared. @module */
import { defaultMaxMessageSize } from "../../config/mod.ts";
import { type Jmap, openJmap, Uploads } from "../../jmap/mod.ts";
import { checkProgramLogin } from "./account_pages.ts";
import type { WebServer, WebShared } from "./page_server.ts";

/** Opens JMAP. */
export function jmap(
  s: Pick<WebServer, "config" | "accounts" | "queue">,
  shared: Pick<WebShared, "limiter" | "logins" | "tempDir" | "shares">,
): Jmap {
  const { config } = s;
  const sizes = [...config.static.Listeners.values()].map((l) => l.SMTPMaxMessageSize);
  const maxMessageSize = Math.max(...sizes) || defaultMaxMessageSize;
  return openJmap({
    config,
    accounts: s.accounts,
    limiter: shared.limiter,
    tempDir: shared.tempDir,
    hostname: config.static.Hostname,
    maxMessageSize,
    sharing: { owners: (user) => shared.shares()?.owners(user) ?? [] },
    uploads: new Uploads(config.dataDir, maxMessageSize),
    checkLogin: (form, remoteIp) =>
      checkProgramLogin(shared.logins, form, { protocol: "jmap", remoteIp }),
  });
}
