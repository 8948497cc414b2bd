/**
 * Who is logged in, over all protocols: sessions end as soon as their credential is no longer valid, because a password,
 * app password or key was changed or removed, or because the account or the domain of its login name was.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { CredentialChange } from "../store/logins/credentials.ts";
import { stillOpens } from "../store/logins/secrets.ts";
import type { TlsKeys } from "../store/logins/tls_keys.ts";
import type { Sessions } from "../web/login/mod.ts";
import { fingerprintOf } from "./key_credential.ts";
import type { Identities } from "./identities.ts";
import { loginAccount } from "./logins.ts";

/** An authenticated session. */
export interface OpenLogin {
  /** Name of the account. */
  readonly account: string;
  readonly login: string;
  /** The credential that opened it: see ServerStep of sasl. */
  readonly credential: string;
  /** Ends it soon, whatever it is doing. */
  end(reason: string): void;
}

/** What decides which sessions may stay. */
export interface OpenLoginsOptions {
  config: Config;
  accounts: Accounts;
  tlsKeys: () => TlsKeys | undefined;
  identities?: Identities;
  log: Log;
}

export class OpenLogins {
  readonly #o: OpenLoginsOptions;
  readonly #open = new Map<string, Set<OpenLogin>>();
  /** Web sessions; set once the pages are open. */
  sessions: Sessions | undefined;
  readonly #unwatch: () => void;

  constructor(options: OpenLoginsOptions) {
    this.#o = options;
    this.#unwatch = options.config.onChange(() => void this.recheckAll());
  }

  /** Registers a session. @returns function to call when it ends */
  add(session: OpenLogin): () => void {
    const { account } = session;
    let all = this.#open.get(account);
    if (!all) this.#open.set(account, all = new Set());
    all.add(session);
    return () => {
      all.delete(session);
      if (all.size === 0 && this.#open.get(account) === all) this.#open.delete(account);
    };
  }

  /** Checks all accounts with sessions, after a change of the configuration or of keys. */
  async recheckAll(): Promise<void> {
    for (const account of [...this.#open.keys()]) await this.recheck(account);
    for (const account of this.sessions?.accounts() ?? []) {
      const conf = this.#o.config.account(account);
      if (account !== "" && (!conf || conf.LoginDisabled !== "")) this.sessions!.endAll(account);
    }
  }

  /** Called when an account's credentials have changed. One web session may stay. */
  async changed(
    account: string,
    change: CredentialChange,
    keepSession: number | undefined,
  ): Promise<void> {
    // App passwords don't open web sessions.
    if (change !== "appPassword") this.sessions?.endAll(account, keepSession);
    await this.recheck(account);
  }

  /** Ends sessions of an account whose credential is no longer valid. */
  async recheck(account: string): Promise<void> {
    const all = this.#open.get(account);
    if (!all) return;
    const { config, accounts, log } = this.#o;
    for (const s of [...all]) {
      if (loginAccount(config, s.login) !== account) {
        this.#end(s, "this account may not log in any more");
      }
    }
    if (all.size === 0) return;
    try {
      const open = await accounts.open(account);
      try {
        const secrets = open.credentials.secrets();
        for (const s of [...all]) {
          if (this.#o.identities?.stillOpens(s.login, s.credential)) continue;
          if (this.#keyOpens(s) || stillOpens(secrets, s.credential)) continue;
          this.#end(s, "what you have logged in with is not valid any more");
        }
      } finally {
        open.close();
      }
    } catch (err) {
      // If that can't be checked, the user has to log in again.
      log.error("looking whether sessions may stay", { account, err: err as Error });
      for (const s of [...all]) this.#end(s, "log in again");
    }
  }

  #keyOpens(login: OpenLogin): boolean {
    const fingerprint = fingerprintOf(login.credential);
    return fingerprint !== undefined &&
      (this.#o.tlsKeys()?.list(login.login).some((k) => k.fingerprint === fingerprint) ?? false);
  }

  #end(login: OpenLogin, reason: string): void {
    this.#open.get(login.account)?.delete(login);
    if (this.#open.get(login.account)?.size === 0) this.#open.delete(login.account);
    this.#o.log.info("session ended", { account: login.account, login: login.login, reason });
    login.end(reason);
  }

  close(): void {
    this.#unwatch();
  }
}
