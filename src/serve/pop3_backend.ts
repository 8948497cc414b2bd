/** What the POP3 listeners need from the server. @module */
import type { Config } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import type { LoginGuard, ServerTls } from "../net/mod.ts";
import type { MaildropLocks, Pop3Backend } from "../pop3/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { loginAccount } from "./logins.ts";
import type { OpenLogins } from "./open_logins.ts";

/** Options of one POP3 listener. */
export interface Pop3Options {
  config: Config;
  accounts: Accounts;
  sasl: SaslBackend;
  log: Log;
  hostname: string;
  plaintextLogin: boolean;
  tls: ServerTls | undefined;
  loginGuard: LoginGuard;
  openLogins: OpenLogins;
  /** The same for all listeners. */
  locks: MaildropLocks;
}

export function pop3Backend(options: Pop3Options): Pop3Backend {
  return {
    hostname: options.hostname,
    log: options.log,
    plaintextLogin: options.plaintextLogin,
    tls: options.tls,
    sasl: options.sasl,
    loginGuard: options.loginGuard,
    loggedIn: (session) => options.openLogins.add(session),
    async accountForLogin(login) {
      const name = loginAccount(options.config, login);
      return name === undefined ? undefined : await options.accounts.open(name);
    },
    lock: (account) => options.locks.take(account),
  };
}
