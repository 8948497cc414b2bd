/**
 * Logins: from a login name (an address of an account) to its account and credentials.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";
import { preparePassword, type SaslBackend, SaslError } from "../sasl/mod.ts";
import type { Account } from "../store/account/account.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { checkAbsentPassword } from "../store/logins/credentials.ts";
import type { TlsKeys } from "../store/logins/tls_keys.ts";

/** Name of the account that logs in with an address; undefined if none does or it may not. */
export function loginAccount(config: Config, login: string): string | undefined {
  const name = config.accountFor(login);
  if (name === undefined) return undefined;
  return config.account(name)?.LoginDisabled ? undefined : name;
}

/** Whose attempt to log in it was, for the log of them: "" for names that are no account's. */
export function accountOfLogin(config: Config, login: string): string {
  return login === "(admin)" ? login : config.accountFor(login) ?? "";
}

/** Told to users with a second factor whose programs send their own password. */
export const needsAppPassword =
  "this account has a second factor: programs need an app password, made on the account page";

/** Runs with the account of a login name open; undefined without one. */
async function withAccount<T>(
  config: Config,
  accounts: Accounts,
  login: string,
  fn: (a: Account) => T | Promise<T>,
): Promise<T | undefined> {
  const name = loginAccount(config, login);
  if (name === undefined) return undefined;
  const account = await accounts.open(name);
  try {
    return await fn(account);
  } finally {
    account.close();
  }
}

/** What SASL asks of accounts. */
export function saslBackend(
  config: Config,
  accounts: Accounts,
  tlsKeys: () => TlsKeys | undefined,
): SaslBackend {
  return {
    certificateUsername(certificate) {
      const key = tlsKeys()?.loginOf(certificate);
      // The address may have gone since, or be another's, or its account may be closed.
      const good = key !== undefined && loginAccount(config, key.login) === key.account;
      return Promise.resolve(good ? key.login : undefined);
    },
    async checkPassword(username, password, peer) {
      const result = await withAccount(
        config,
        accounts,
        username,
        (a) => a.credentials.verifyForProgram(password, peer),
      );
      if (result === "secondFactor") throw new SaslError("appPassword", needsAppPassword);
      return result === undefined ? await checkAbsentPassword(password) : result === "ok";
    },
    scramCredentials: (username, mechanism, peer) =>
      withAccount(config, accounts, username, (a) => a.credentials.scram(mechanism, peer)),
    cramMd5Credentials: (username, peer) =>
      withAccount(config, accounts, username, (a) => a.credentials.cramMd5(peer)),
  };
}

/** Sets an account's password, brought into the form that logins compare. */
export async function setAccountPassword(
  accounts: Accounts,
  name: string,
  password: string,
): Promise<void> {
  const account = await accounts.open(name);
  try {
    await account.credentials.setPassword(preparePassword(password));
  } finally {
    account.close();
  }
}
