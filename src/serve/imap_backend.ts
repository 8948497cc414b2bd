/** What the IMAP listeners ask of the server. @module */
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
  /** Of the session of JMAP on the same listener. */
  jmapUrl: string | undefined;
  loginGuard: LoginGuard;
  openLogins: OpenLogins;
  /** Scripts for what happens. */
  events: ImapEvents;
}

export function imapBackend(o: ImapOptions): ImapBackend {
  return {
    sharing: {
      owners: (user) => o.shares.owners(user),
      changed: (c) => o.shares.changed(c),
      granting: (owner, identifier) => o.shares.add(owner, identifier),
      accountNamed: (name) => o.config.account(name) ? name : loginAccount(o.config, name),
      open: (name) => o.accounts.open(name),
    },
    scripts: { url: `sieve://${o.hostname}`, note: (change) => o.events.note(change) },
    hostname: o.hostname,
    log: o.log,
    tempDir: o.tempDir,
    maxMessageSize: o.maxMessageSize,
    plaintextLogin: o.plaintextLogin,
    pedantic: o.pedantic,
    tls: o.tls,
    jmapUrl: o.jmapUrl,
    sasl: o.sasl,
    loginGuard: o.loginGuard,
    loggedIn: (session) => o.openLogins.add(session),
    capabilitiesDisabled: (account) => o.config.account(account)?.IMAPCapabilitiesDisabled ?? [],
    async accountForLogin(login) {
      const name = loginAccount(o.config, login);
      return name === undefined ? undefined : await o.accounts.open(name);
    },
  };
}
