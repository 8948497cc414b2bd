/**
 * Logins: from a login name (an address of an account) to its account and credentials.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";
import { IdentityError, type Ldap } from "../identity/mod.ts";
import { preparePassword, type SaslBackend, SaslError, type SaslPeer } from "../sasl/mod.ts";
import type { Account } from "../store/account/account.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { isOwnHash, LoginsBusy } from "../store/logins/password.ts";
import type { LoginDirectory } from "../store/logins/directory.ts";
import {
  cramMd5Credentials,
  noSecrets,
  type ProgramLogin,
  rightForProgram,
  scramCredentials,
  type Secrets,
  verifyForProgram,
  verifyPassword,
} from "../store/logins/secrets.ts";
import type { TlsKeys } from "../store/logins/tls_keys.ts";
import { type Identities, identityCredential } from "./identities.ts";
import { keyCredential } from "./key_credential.ts";
import { notElsewhere } from "./nodes/elsewhere.ts";
import type { AskedLogin, LoginVerdict } from "./nodes/login_check.ts";

/**
 * Name of the account that logs in with an address; undefined if there is none, if its domain or the
 * account is disabled, or if another node has it.
 */
export function loginAccount(config: Config, login: string): string | undefined {
  const name = config.accountFor(login);
  if (name === undefined || loginDomainDisabled(config, login)) return undefined;
  // Another node has the account, and its password.
  if (!config.isHere(name)) return undefined;
  return config.account(name)?.LoginDisabled ? undefined : name;
}

/** Whether the domain of a login name is one of ours that is disabled. */
export function loginDomainDisabled(config: Config, login: string): boolean {
  return config.domain(login.slice(login.lastIndexOf("@") + 1))?.config.Disabled === true;
}

/** The account of a login attempt, for the log of attempts: "" for names without an account. */
export function accountOfLogin(config: Config, login: string): string {
  return login === "(admin)" || login === "(token)" ? login : config.accountFor(login) ?? "";
}

/** Answer for users with a second factor whose program sends their main password. */
export const needsAppPassword =
  "this account has a second factor: programs need an app password, made on the account page";

/** What logins are checked with. */
export interface LoginServices {
  config: Config;
  accounts: Accounts;
  directory: LoginDirectory;
  /** Asks another node about a login; set where there are nodes. */
  askNode?: (node: string, login: AskedLogin) => Promise<LoginVerdict>;
  /** Undefined if no logins are checked elsewhere. */
  identities?: Identities;
}

/** A password can't be checked for now: its directory or node can't be reached. */
export class LoginAway extends Error {
  override name = "LoginAway";
}

/** The answer for users in that case. */
const awayText = "logins can't be checked just now, try again later";

/**
 * Checks a password that a directory has.
 * @returns the account; undefined if the password is wrong or there is no account
 * @throws LoginAway
 */
async function askDirectory(
  services: LoginServices,
  directory: Ldap,
  login: string,
  password: string,
  from: string,
): Promise<string | undefined> {
  try {
    return await services.identities!.passwordAccount(directory, login, password, from);
  } catch (err) {
    if (!(err instanceof IdentityError)) throw err;
    if (err.reason === "away") throw new LoginAway(awayText, { cause: err });
    return undefined;
  }
}

/** Runs with an account open. */
async function withAccount<T>(
  accounts: Accounts,
  name: string,
  fn: (account: Account) => T | Promise<T>,
): Promise<T> {
  const account = await accounts.open(name);
  try {
    return await fn(account);
  } finally {
    account.close();
  }
}

/** The secrets of a login name's account; none for names that have no account. */
async function secretsOf(
  services: LoginServices,
  login: string,
  account: string | undefined,
  start?: number,
): Promise<Secrets> {
  const found = await services.directory.read(login, account, start);
  if (found !== "unread") return found;
  return await withAccount(services.accounts, account!, (a) => a.credentials.secrets());
}

/** Records the use of an app password, without waiting for it. */
function noteUse(
  services: LoginServices,
  account: string,
  id: number,
  peer: SaslPeer | undefined,
): void {
  withAccount(services.accounts, account, (a) => a.credentials.used(id, peer)).catch(() => {
    // The server is stopping; the record is not essential.
  });
}

/**
 * Fast path for a correct password: programs log in again and again, and timing tells nothing to those who
 * are let in. All other logins take the same time, as {@link checkProgramPassword} starts its
 * clock before this.
 */
function rightAtOnce(
  services: LoginServices,
  login: string,
  account: string | undefined,
  password: string,
): ProgramLogin | undefined {
  if (account === undefined || services.identities?.directoryOf(login) !== undefined) {
    return undefined;
  }
  const open = services.accounts.ifOpen(account);
  if (open === undefined) return undefined;
  const secrets = open.credentials.secrets();
  // Hashes still to be replaced take the slow path.
  if (secrets.passwordHash !== undefined && !isRenewed(secrets)) return undefined;
  return rightForProgram(secrets, password);
}

/** Checks the password of a program. Takes about the same time whether or not the name has an account. */
export async function checkProgramPassword(
  services: LoginServices,
  login: string,
  account: string | undefined,
  password: string,
  peer: SaslPeer | undefined,
): Promise<ProgramLogin> {
  const start = performance.now();
  const right = rightAtOnce(services, login, account, password);
  if (right !== undefined) {
    if (right.appPassword !== undefined) noteUse(services, account!, right.appPassword, peer);
    return right;
  }
  const secrets = await secretsOf(services, login, account, start);
  const directory = services.identities?.directoryOf(login);
  if (directory !== undefined) {
    // App passwords are stored on this server.
    const { appPasswords, secondFactor } = secrets;
    const own = { ...noSecrets, appPasswords, secondFactor };
    const result = await verifyForProgram(own, password, peer?.remoteIp);
    if (result.appPassword !== undefined) noteUse(services, account!, result.appPassword, peer);
    if (result.result !== "wrong") return result;
    if (
      await askDirectory(services, directory, login, password, peer?.remoteIp ?? "") === undefined
    ) {
      return result;
    }
    return secondFactor
      ? { result: "secondFactor" }
      : { result: "ok", credential: identityCredential(directory.name) };
  }
  const result = await verifyForProgram(secrets, password, peer?.remoteIp);
  if (result.appPassword !== undefined) noteUse(services, account!, result.appPassword, peer);
  else if (result.result !== "wrong") await renewHash(services, account!, password, secrets);
  return result;
}

/** Checks a user's main password, for the pages; takes about the same time whether or not the name has an account. */
export async function checkOwnPassword(
  services: LoginServices,
  login: string,
  account: string | undefined,
  password: string,
  remoteIp: string,
): Promise<boolean> {
  const directory = services.identities?.directoryOf(login);
  if (directory !== undefined) {
    return await askDirectory(services, directory, login, password, remoteIp) !== undefined;
  }
  const secrets = await secretsOf(services, login, account);
  if (!await verifyPassword(secrets.passwordHash, password, remoteIp)) return false;
  await renewHash(services, account!, password, secrets);
  return true;
}

/** The hash is in our own format, and keys exist for mechanisms that don't send the password. */
function isRenewed({ passwordHash, derived }: Secrets): boolean {
  return isOwnHash(passwordHash!) && derived.scramSha256 !== undefined;
}

/** Replaces a hash taken over from another server, now that the password is known. */
async function renewHash(
  services: LoginServices,
  account: string,
  password: string,
  secrets: Secrets,
): Promise<void> {
  if (isRenewed(secrets)) return;
  await withAccount(
    services.accounts,
    account,
    (a) => a.credentials.renewHash(password, secrets.passwordHash!),
  );
}

/**
 * The account of a provider's access token.
 * @param username an address of the account; "" where the client doesn't say
 * @returns undefined if it isn't valid, or not that user's
 * @throws SaslError "temporary"
 */
export async function checkToken(
  services: LoginServices,
  username: string,
  token: string,
): Promise<{ username: string; credential: string } | undefined> {
  const { identities, config } = services;
  const named = identities?.providerOf(username);
  const providers = username === ""
    ? identities?.providers.filter((p) => p.conf.Audiences.length > 0) ?? []
    : named === undefined
    ? []
    : [named];
  for (const provider of providers) {
    try {
      const address = await provider.checkAccessToken(token);
      const account = await identities!.account(provider, { address, name: "" });
      const login = username === "" ? address : username;
      if (loginAccount(config, login) !== account) return undefined;
      return { username: login, credential: identityCredential(provider.name) };
    } catch (err) {
      if (!(err instanceof IdentityError)) throw err;
      // The only provider that can know.
      if (err.reason === "away" && providers.length === 1) {
        throw new SaslError("temporary", awayText, { cause: err });
      }
    }
  }
  return undefined;
}

/** Answer for users whose account is being moved to another node. */
const leavingText = "this account is being moved to another server, try again in a moment";

/** @throws SaslError "temporary" for an account being moved to another node, as the password may be right */
function notLeaving(config: Config, login: string): void {
  if (config.leaving.size === 0) return;
  const account = config.accountFor(login);
  if (account !== undefined && config.leaving.has(account)) {
    throw new SaslError("temporary", leavingText);
  }
}

/** The credentials interface of SASL. */
export function saslBackend(
  services: LoginServices,
  tlsKeys: () => TlsKeys | undefined,
): SaslBackend {
  const { config } = services;
  return {
    certificateUsername(certificate) {
      const key = tlsKeys()?.loginOf(certificate);
      // The address may have been removed or reassigned since, or its account closed.
      const good = key !== undefined && loginAccount(config, key.login) === key.account;
      return Promise.resolve(
        good ? { username: key.login, credential: keyCredential(key.fingerprint) } : undefined,
      );
    },
    async checkPassword(username, password, peer) {
      notLeaving(config, username);
      await notElsewhere(services, username, password, peer);
      const account = loginAccount(config, username);
      const r = await checkProgramPassword(services, username, account, password, peer).catch(
        (err) => {
          throw err instanceof LoginAway || err instanceof LoginsBusy
            ? new SaslError("temporary", err.message, { cause: err })
            : err;
        },
      );
      if (r.result === "secondFactor") throw new SaslError("appPassword", needsAppPassword);
      return r.result === "ok" ? r.credential : undefined;
    },
    offers: () => ({
      tokens: services.identities?.hasTokens ?? false,
      plainOnly: services.identities?.hasDirectories ?? false,
    }),
    checkToken: (username, token) => checkToken(services, username, token),
    async scramCredentials(username, mechanism, peer) {
      notLeaving(config, username);
      const account = loginAccount(config, username);
      const secrets = await secretsOf(services, username, account);
      // Computed in any case, so that it always takes the same time.
      const absent = services.directory.absentScram(username, mechanism);
      return scramCredentials(secrets, mechanism, (id) => noteUse(services, account!, id, peer)) ??
        absent;
    },
    async cramMd5Credentials(username, peer) {
      notLeaving(config, username);
      const account = loginAccount(config, username);
      const secrets = await secretsOf(services, username, account);
      return cramMd5Credentials(secrets, (id) => noteUse(services, account!, id, peer));
    },
  };
}

/** Sets an account's password, normalised as logins compare it. */
export async function setAccountPassword(
  accounts: Accounts,
  name: string,
  password: string,
): Promise<void> {
  await withAccount(
    accounts,
    name,
    (a) => a.credentials.setPassword(preparePassword(password)),
  );
}
