/** What the ManageSieve listeners need from the server. @module */
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

export function managesieveBackend(options: ManageSieveOptions): ManageSieveBackend {
  return {
    hostname: options.hostname,
    log: options.log,
    scripts: options.scripts,
    plaintextLogin: options.plaintextLogin,
    tls: options.tls,
    sasl: options.sasl,
    loginGuard: options.loginGuard,
    loggedIn: (session) => options.openLogins.add(session),
    accountForLogin: (login) => loginAccount(options.config, login),
  };
}
