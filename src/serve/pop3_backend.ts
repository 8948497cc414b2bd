/** What the POP3 listeners ask of the server. @module */
import type { Config } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import { countAuthentication } from "../metrics/authentication.ts";
import type { FailedAuthLimiter, ServerTls } from "../net/mod.ts";
import type { MaildropLocks, Pop3Backend } from "../pop3/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { loginAccount } from "./logins.ts";

/** Options of one POP3 listener. */
export interface Pop3Options {
  config: Config;
  accounts: Accounts;
  sasl: SaslBackend;
  log: Log;
  hostname: string;
  plaintextLogin: boolean;
  tls: ServerTls | undefined;
  authLimiter: FailedAuthLimiter;
  /** The same for all listeners. */
  locks: MaildropLocks;
}

export function pop3Backend(o: Pop3Options): Pop3Backend {
  return {
    hostname: o.hostname,
    log: o.log,
    plaintextLogin: o.plaintextLogin,
    tls: o.tls,
    sasl: o.sasl,
    mayTryLogin: (conn) => o.authLimiter.mayTry(conn.remoteIp, "pop3"),
    loginDone(conn, login, result, mechanism) {
      const ok = result === "ok";
      if (ok) o.authLimiter.succeeded(conn.remoteIp);
      else o.authLimiter.failed(conn.remoteIp);
      countAuthentication("pop3", mechanism, result);
      const { remoteIp } = conn;
      o.authLimiter.attempted({
        service: "pop3",
        mechanism: mechanism.toLowerCase(),
        result,
        login,
        remoteIp,
        client: "",
      });
      o.log.withCid(conn.cid).info(ok ? "login" : "login failed", { login, remote: remoteIp });
    },
    async accountForLogin(login) {
      const name = loginAccount(o.config, login);
      return name === undefined ? undefined : await o.accounts.open(name);
    },
    lock: (account) => o.locks.take(account),
  };
}
