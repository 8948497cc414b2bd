/** The account and admin pages of the running server: their logins, and the services behind them. @module */
import { writeAdminHash } from "../../admin/passwords.ts";
import {
  administeredDomains,
  AdminTokens,
  type AuditLog,
  type RunningLists,
} from "../../admin/mod.ts";
import type { Config } from "../../config/mod.ts";
import type { Scripts } from "../../delivery/sieve/scripts.ts";
import type { Resolver } from "../../dns/mod.ts";
import { Log } from "../../log/mod.ts";
import type { LoginGuard, OpenConnection, Outbound } from "../../net/mod.ts";
import { programVersion } from "../../platform/version.ts";
import type { Queue } from "../../queue/mod.ts";
import type { Webhooks } from "../../queue/webhooks/mod.ts";
import type { TlsResults } from "../../reports/mod.ts";
import type { ReportDatabases } from "../arrival/services.ts";
import { preparePassword, SaslError } from "../../sasl/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { FactorFile } from "../../store/logins/factor_file.ts";
import { isOwnHash, LoginsBusy } from "../../store/logins/password.ts";
import { verifyPassword } from "../../store/logins/secrets.ts";
import type { LoginLog } from "../../store/logins/attempts.ts";
import type { Shares } from "../../store/mailboxes/shares.ts";
import type { TlsKeys } from "../../store/logins/tls_keys.ts";
import {
  checkOwnPassword,
  checkProgramPassword,
  checkToken,
  loginAccount,
  LoginAway,
  loginDomainDisabled,
  type LoginServices,
} from "../logins.ts";
import { agedMail, retentionOf } from "../retention.ts";
import { accountHere } from "../nodes/elsewhere.ts";
import type { CertificateState } from "../tls/tls.ts";
import type { StsPolicyState } from "../../tlspolicy/policies.ts";
import { type AccountPage, accountPage, type AccountPageOptions } from "../../web/account/mod.ts";
import {
  adminPage,
  type Glance,
  type NodesForAdmin,
  type ScannerStates,
} from "../../web/admin/mod.ts";
import { HttpError, type LoginFailure, UserError } from "../../web/http/mod.ts";
import {
  type Challenges,
  checkPasskeyLogin,
  Login,
  type LoginForm,
  type LoginOptions,
  type LoginResult,
  PasskeyError,
  type PasskeyLogin,
  type PasskeyPlace,
  type Sessions,
} from "../../web/login/mod.ts";
import { Buffer } from "node:buffer";
import { findPasskey, usedPasskey } from "../../store/logins/passkeys.ts";
import { withAdminProviders, withProviders } from "./openid.ts";
import { accountPageHtml, adminPageHtml, languageFiles } from "../../web/pages/mod.ts";
import { serveFile, servePage } from "../../web/webmail/mod.ts";

/** Milliseconds for which a login by a provider replaces asking for the password again. */
const lately = 15 * 60_000;

/** What the pages need from the server. */
export interface PagesServer {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  webhooks: Webhooks | undefined;
  sessions: Sessions;
  limiter: LoginGuard;
  audit: AuditLog;
  logins: LoginServices;
  outbound: Outbound;
  scripts: Scripts;
  tempDir: string;
  /** Mailing lists; undefined while the server starts. */
  lists: () => RunningLists | undefined;
  listeners: () => string[];
  connections: () => OpenConnection[];
  glance: Glance;
  resolver: Resolver | undefined;
  freshResolver?: () => Resolver;
  reports: ReportDatabases | undefined;
  tlsResults: TlsResults | undefined;
  /** Localserve: the account of a request without a login. */
  withoutLogin?: LoginOptions["withoutLogin"];
  /** Who shares mailboxes with whom; undefined while the server starts. */
  shares: () => Shares | undefined;
  /** Undefined while the server starts. */
  tlsKeys: () => TlsKeys | undefined;
  loginLog: () => LoginLog | undefined;
  /** The training data of an account's junk filter. */
  trained: AccountPageOptions["trained"];
  junkDays: AccountPageOptions["junkDays"];
  certificates: () => CertificateState[];
  scanners: ScannerStates;
  /** Whether the node has a standby, and whether it follows. */
  standby: () => "none" | "follows" | "away";
  /** Undefined while the server starts, and without nodes. */
  nodes?: () => NodesForAdmin | undefined;
  stsPolicies: () => StsPolicyState[];
}

/** Whether login to an account with a name is disabled. */
function disabled(config: Config, account: string, login: string): boolean {
  return loginDomainDisabled(config, login) || config.account(account)?.LoginDisabled !== "";
}

/** A password normalised for comparison; undefined for one that can't be valid, such as an empty one. */
function prepared(password: string): string | undefined {
  try {
    return preparePassword(password);
  } catch (err) {
    if (!(err instanceof SaslError)) throw err;
    return undefined;
  }
}

/** The answer for a password that can't be checked for now. */
async function present<T>(check: Promise<T>): Promise<T> {
  try {
    return await check;
  } catch (err) {
    if (!(err instanceof LoginAway) && !(err instanceof LoginsBusy)) throw err;
    const after = err instanceof LoginAway ? "60" : "5";
    throw new HttpError(503, err.message, { "Retry-After": after }, { cause: err });
  }
}

/** The account of a login name, if this node has it. */
function ownAccount(config: Config, login: string): string | undefined {
  const name = config.accountFor(login);
  return name !== undefined && config.isHere(name) ? name : undefined;
}

/**
 * Checks name and password of an account, and the code of its second factor, in the same time whether or not
 * there is one.
 */
export async function checkAccountLogin(
  services: LoginServices,
  form: LoginForm,
  remoteIp: string,
): Promise<LoginResult> {
  const password = prepared(form.password);
  if (password === undefined) return "wrong";
  const before = await accountHere(services, "webaccount", form.username, password, remoteIp);
  const right = await present(
    checkOwnPassword(services, form.username, before, password, remoteIp),
  );
  // The account may have just been created by a directory's login.
  const name = before ?? ownAccount(services.config, form.username);
  if (!right || name === undefined) return "wrong";
  if (disabled(services.config, name, form.username)) return "disabled";
  const account = await services.accounts.open(name);
  try {
    const { credentials } = account;
    if (!credentials.hasSecondFactor) return { account: name };
    if (!form.code) return "second";
    return await credentials.checkSecondFactor(form.code, Date.now())
      ? { account: name }
      : "wrongCode";
  } finally {
    account.close();
  }
}

/** Checks a passkey's answer, which replaces password and code. */
export async function checkAccountPasskey(
  s: { config: Config; accounts: Accounts },
  answer: PasskeyLogin,
  place: PasskeyPlace,
  challenges: Challenges,
): Promise<{ account: string; login: string } | "wrong" | "disabled"> {
  const name = Buffer.from(answer.userHandle, "base64url").toString();
  const conf = s.config.account(name);
  if (!conf || !s.config.isHere(name)) return "wrong";
  const account = await s.accounts.open(name);
  try {
    const key = findPasskey(account, Uint8Array.from(Buffer.from(answer.id, "base64url")));
    if (!key) return "wrong";
    const signCount = checkPasskeyLogin(answer, key, place, challenges);
    const login = s.config.accountAddresses(name)
      .find((a) => !a.startsWith("@") && loginAccount(s.config, a) === name);
    if (conf.LoginDisabled || login === undefined) return "disabled";
    await usedPasskey(account, key.id, signCount);
    return { account: name, login };
  } catch (err) {
    if (err instanceof PasskeyError) return "wrong";
    throw err;
  } finally {
    account.close();
  }
}

/** The same for programs, which have app passwords instead of a second factor. */
export async function checkProgramLogin(
  services: LoginServices,
  form: LoginForm,
  peer: { protocol: string; remoteIp: string },
): Promise<{ account: string; credential: string } | LoginFailure> {
  const password = prepared(form.password);
  if (password === undefined) return "wrong";
  const service = peer.protocol === "webapi" ? "webapi" : "jmap";
  const before = await accountHere(services, service, form.username, password, peer.remoteIp);
  const { result, credential } = await present(
    checkProgramPassword(services, form.username, before, password, peer),
  );
  const name = before ?? ownAccount(services.config, form.username);
  if (result === "wrong" || name === undefined) return "wrong";
  if (disabled(services.config, name, form.username)) return "disabled";
  return result === "secondFactor" ? "second" : { account: name, credential: credential ?? "" };
}

/** The same for an access token of a provider. */
export async function checkProgramToken(
  services: LoginServices,
  token: string,
): Promise<{ account: string; credential: string; login: string } | "wrong"> {
  try {
    const found = await checkToken(services, "", token);
    const account = found && loginAccount(services.config, found.username);
    if (found === undefined || account === undefined) return "wrong";
    return { account, credential: found.credential, login: found.username };
  } catch (err) {
    if (!(err instanceof SaslError)) throw err;
    throw new HttpError(503, err.message, { "Retry-After": "60" }, { cause: err });
  }
}

/**
 * Asks the user of an open page for the password again. Users without a password, who log in by a provider, must have
 * logged in recently.
 */
async function checkAgain(
  services: LoginServices,
  session: { login: string; created: number },
  account: Account,
  typed: string,
  remoteIp: string,
): Promise<boolean> {
  const { credentials } = account;
  const external = services.identities?.providerOf(session.login) !== undefined;
  if (external && credentials.secrets().passwordHash === undefined) {
    if (Date.now() - session.created < lately) return true;
    throw new UserError(
      "log out and in again first: who changes ways in must have logged in lately",
    );
  }
  const password = prepared(typed);
  if (password === undefined) return false;
  if (services.identities?.directoryOf(session.login) !== undefined) {
    return await present(
      checkOwnPassword(services, session.login, account.name, password, remoteIp),
    );
  }
  return await present(credentials.verifyPassword(password, remoteIp));
}

const log = new Log("web");

/** Checks the administrator's password, whose hash is in a file, and the code of the second factor. */
export async function checkAdminLogin(
  config: Config,
  factor: FactorFile,
  form: Pick<LoginForm, "password" | "code">,
  remoteIp: string,
): Promise<LoginResult> {
  const password = prepared(form.password);
  if (password === undefined) return "wrong";
  let hash: string | undefined;
  try {
    const file = config.static.AdminPasswordFile;
    if (file !== "") hash = (await Deno.readTextFile(config.configPath(file))).trim();
  } catch (e) {
    if (!(e instanceof Deno.errors.NotFound)) throw e;
  }
  if (!await present(verifyPassword(hash || undefined, password, remoteIp))) return "wrong";
  if (hash && !isOwnHash(hash)) {
    // A bcrypt hash, as used by the original.
    await writeAdminHash(config, password).catch((err) => {
      log.warn("replacing the hash of the administrator's password", { err: err as Error });
    });
  }
  if (!(await factor.state()).on) return { account: "" };
  if (!form.code) return "second";
  return await factor.check(form.code, Date.now()) ? { account: "" } : "wrongCode";
}

/**
 * Checks a login to the admin page: of the server's administrator, who has no name, or of an account that administers
 * domains.
 */
async function checkAdminPageLogin(
  server: PagesServer,
  factor: FactorFile,
  form: LoginForm,
  remoteIp: string,
): Promise<LoginResult> {
  if (form.username === "") return await checkAdminLogin(server.config, factor, form, remoteIp);
  const result = await checkAccountLogin(server.logins, form, remoteIp);
  if (typeof result === "string") return result;
  return administeredDomains(server.config, result.account).length > 0 ? result : "wrong";
}

/** Makes both pages. */
export function accountAndAdminPages(
  server: PagesServer,
): { account: AccountPage; admin: ReturnType<typeof adminPage> } {
  const { config, accounts, queue, sessions, limiter } = server;
  const factor = new FactorFile(config.dataDir);
  const accountLogin = new Login({
    service: "account",
    sessions,
    limiter,
    check: (form, remoteIp) => checkAccountLogin(server.logins, form, remoteIp),
    checkPasskey: (...a) => checkAccountPasskey(server, ...a),
    withoutLogin: server.withoutLogin,
    allowed: (session) => loginAccount(config, session.login) === session.account,
  });
  const files = new Map(
    Object.entries(languageFiles).map(([path, { text, type }]) => [path, serveFile(text, type)]),
  );
  const account = accountPage({
    config,
    webhooks: server.webhooks,
    accounts,
    queue,
    sessions,
    login: accountLogin,
    checkAgain: (session, account, password, remoteIp) =>
      checkAgain(server.logins, session, account, password, remoteIp),
    passwordElsewhere: (login) => server.logins.identities?.directoryOf(login)?.name,
    page: servePage(accountPageHtml),
    files,
    tempDir: server.tempDir,
    limiter,
    audit: server.audit,
    outbound: server.outbound,
    tlsKeys: server.tlsKeys,
    loginLog: server.loginLog,
    trained: server.trained,
    granting: async (owner, user) => await server.shares()?.add(owner, user),
    rightsChanged: async (c) => await server.shares()?.changed(c),
    junkDays: server.junkDays,
    retention: (account) => retentionOf(config, account),
  });
  const adminLogin = new Login({
    service: "admin",
    sessions,
    limiter,
    check: (form, remoteIp) => checkAdminPageLogin(server, factor, form, remoteIp),
    withoutLogin: server.withoutLogin &&
      ((req) => server.withoutLogin!(req) && { account: "", login: "" }),
    // A login that a provider vouches for has a name, which must still be an administrator's.
    allowed: ({ account, login }) =>
      account === ""
        ? login === "" || server.logins.identities?.administers(login) === true
        : loginAccount(config, login) === account &&
          administeredDomains(config, account).length > 0,
  });
  const admin = adminPage({
    config,
    accounts,
    queue,
    webhooks: server.webhooks,
    sessions,
    login: adminLogin,
    limiter,
    audit: server.audit,
    lists: server.lists,
    tokens: new AdminTokens(config.dataDir),
    factor,
    check: (form, remoteIp) => checkAdminLogin(config, factor, form, remoteIp),
    page: servePage(adminPageHtml),
    version: programVersion,
    listeners: server.listeners,
    connections: server.connections,
    glance: server.glance,
    resolver: server.resolver,
    freshResolver: server.freshResolver,
    scripts: server.scripts,
    outbound: server.outbound,
    reports: server.reports,
    tlsResults: server.tlsResults,
    loginLog: server.loginLog,
    certificates: server.certificates,
    scanners: server.scanners,
    agedMail: (account, own) => agedMail({ config, accounts }, account, own),
    standby: server.standby,
    nodes: server.nodes,
    stsPolicies: server.stsPolicies,
  });
  return {
    account: {
      ...account,
      handle: withProviders(server, accountLogin, "webaccount", account.handle),
    },
    admin: {
      ...admin,
      handle: withAdminProviders(server, adminLogin, admin.handle),
    },
  };
}
