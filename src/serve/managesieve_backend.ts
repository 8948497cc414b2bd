/** What the ManageSieve listeners ask of the server. @module */
import type { Config } from "../config/mod.ts";
import type { Scripts } from "../delivery/sieve/scripts.ts";
import type { Log } from "../log/mod.ts";
import type { ManageSieveBackend } from "../managesieve/mod.ts";
import { countAuthentication } from "../metrics/authentication.ts";
import type { FailedAuthLimiter, ServerTls } from "../net/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import { loginAccount } from "./logins.ts";

/** Options of one ManageSieve listener. */
export interface ManageSieveOptions {
  config: Config;
  scripts: Scripts;
  sasl: SaslBackend;
  log: Log;
  hostname: string;
  plaintextLogin: boolean;
  tls: ServerTls | undefined;
  authLimiter: FailedAuthLimiter;
}

export function managesieveBackend(o: ManageSieveOptions): ManageSieveBackend {
  const service = "managesieve";
  return {
    hostname: o.hostname,
    log: o.log,
    scripts: o.scripts,
    plaintextLogin: o.plaintextLogin,
    tls: o.tls,
    sasl: o.sasl,
    mayTryLogin: (conn) => o.authLimiter.mayTry(conn.remoteIp, service),
    loginDone(conn, login, result, mechanism) {
      const ok = result === "ok";
      const { remoteIp } = conn;
      if (ok) o.authLimiter.succeeded(remoteIp);
      else o.authLimiter.failed(remoteIp);
      countAuthentication(service, mechanism, result);
      o.authLimiter.attempted({
        service,
        mechanism: mechanism.toLowerCase(),
        result,
        login,
        remoteIp,
        client: "",
      });
      o.log.withCid(conn.cid).info(ok ? "login" : "login failed", { login, remote: remoteIp });
    },
    accountForLogin: (login) => loginAccount(o.config, login),
  };
}
