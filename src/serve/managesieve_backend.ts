/** What the ManageSieve listeners ask of the server. @module */
import type { Config } from "../config/mod.ts";
import type { Scripts } from "../delivery/sieve/scripts.ts";
import type { Log } from "../log/mod.ts";
import type { ManageSieveBackend } from "../managesieve/mod.ts";
import type { LoginGuard, ServerTls } from "../net/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import { loginAccount } from "./logins.ts";
import type { OpenLogins } from "./open_logins.ts";

/** Options of one ManageSieve listener. */
export interface ManageSieveOptions {
  config: Config;
  scripts: Scripts;
  sasl: SaslBackend;
  log: Log;
  hostname: string;
  plaintextLogin: boolean;
  tls: ServerTls | undefined;
  loginGuard: LoginGuard;
  openLogins: OpenLogins;
}

export function managesieveBackend(o: ManageSieveOptions): ManageSieveBackend {
  return {
    hostname: o.hostname,
    log: o.log,
    scripts: o.scripts,
    plaintextLogin: o.plaintextLogin,
    tls: o.tls,
    sasl: o.sasl,
    loginGuard: o.loginGuard,
    loggedIn: (session) => o.openLogins.add(session),
    accountForLogin: (login) => loginAccount(o.config, login),
  };
}
