/** What the IMAP listeners need from the server. @module */
import type { Config } from "../config/mod.ts";
import type { ImapBackend } from "../imap/server/mod.ts";
import type { Log } from "../log/mod.ts";
import type { LoginGuard, ServerTls } from "../net/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { Shares } from "../store/mailboxes/shares.ts";
import type { ImapEvents } from "./sieve/imap_events.ts";
import { loginAccount } from "./logins.ts";
import type { OpenLogins } from "./open_logins.ts";

/** Options of one IMAP listener. */
export interface ImapOptions {
  config: Config;
  accounts: Accounts;
  shares: Shares;
  sasl: SaslBackend;
  log: Log;
  hostname: string;
  tempDir: string;
  maxMessageSize: number;
  plaintextLogin: boolean;
  pedantic: boolean;
  tls: ServerTls | undefined;
  /** URL of the JMAP session on the same listener. */
  jmapUrl: string | undefined;
  loginGuard: LoginGuard;
  openLogins: OpenLogins;
  /** Scripts that run on events. */
  events: ImapEvents;
}

export function imapBackend(options: ImapOptions): ImapBackend {
  return {
    sharing: {
      owners: (user) => options.shares.owners(user),
      changed: (c) => options.shares.changed(c),
      granting: (owner, identifier) => options.shares.add(owner, identifier),
      accountNamed: (name) =>
        options.config.account(name) ? name : loginAccount(options.config, name),
      open: (name) => options.accounts.open(name),
    },
    scripts: { url: `sieve://${options.hostname}`, note: (change) => options.events.note(change) },
    hostname: options.hostname,
    log: options.log,
    tempDir: options.tempDir,
    maxMessageSize: options.maxMessageSize,
    plaintextLogin: options.plaintextLogin,
    pedantic: options.pedantic,
    tls: options.tls,
    jmapUrl: options.jmapUrl,
    sasl: options.sasl,
    loginGuard: options.loginGuard,
    loggedIn: (session) => options.openLogins.add(session),
    capabilitiesDisabled: (account) =>
      options.config.account(account)?.IMAPCapabilitiesDisabled ?? [],
    async accountForLogin(login) {
      const name = loginAccount(options.config, login);
      return name === undefined ? undefined : await options.accounts.open(name);
    },
  };
}
