/** The API of caught mail in a running localserve. @module */
import { defaultMaxMessageSize, localserveAccount } from "../../config/mod.ts";
import { makeResolver } from "../../dns/mod.ts";
import { Log } from "../../log/mod.ts";
import { programVersion } from "../../platform/version.ts";
import { authenticate, bytesSource } from "../../senderauth/mod.ts";
import { type Catcher, CaughtMail, openCatcher } from "../../web/catcher/mod.ts";
import { credentialsOf } from "../../web/http/mod.ts";
import { caughtPage } from "../../web/pages/mod.ts";
import { servePage } from "../../web/webmail/mod.ts";
import type { WebServer, WebShared } from "./page_server.ts";
import { checkProgramLogin } from "./account_pages.ts";
import type { DeveloperOptions } from "../catcher/developer.ts";
import { checkLink } from "../catcher/link.ts";
import { releaseBy } from "../catcher/release.ts";

/** Opens the API. */
export function catcherApi(
  s: Pick<WebServer, "config" | "accounts">,
  shared: Pick<WebShared, "logins" | "tempDir" | "outbound">,
  options: DeveloperOptions,
): Catcher {
  const { config } = s;
  return openCatcher({
    mail: new CaughtMail(s.accounts, localserveAccount, () => [...config.dynamic.Accounts.keys()]),
    account: localserveAccount,
    tempDir: shared.tempDir,
    hostname: config.static.Hostname,
    version: programVersion,
    maxMessageSize: defaultMaxMessageSize,
    dataDir: config.dataDir,
    faults: options.faults,
    page: servePage(caughtPage),
    keep: { messages: options.maxMessages, age: options.maxAge },
    release: options.relay && releaseBy(options.relay, config.static.Hostname),
    checkLink: (url, follow) => checkLink(shared.outbound, url, follow),
    authenticate: (remoteIp, mailFrom, headerBytes, message) =>
      authenticate({
        remoteIp,
        ehlo: config.static.Hostname,
        mailFrom,
        headerBytes,
        message: bytesSource(message),
        resolver: makeResolver(),
        log: new Log("catcher"),
        hostname: config.static.Hostname,
        now: new Date(),
      }),
    async refusal(req) {
      if (!options.login) return undefined;
      const login = credentialsOf(req.headers.get("authorization"));
      if (login !== undefined) {
        const ok = await checkProgramLogin(shared.logins, login, {
          protocol: "catcher",
          remoteIp: req.remoteIp,
        }).catch(() => undefined);
        if (typeof ok === "object") return undefined;
      }
      return new Response("log in with the account's address and password\n", {
        status: 401,
        headers: { "WWW-Authenticate": 'Basic realm="localserve", charset="UTF-8"' },
      });
    },
  });
}
