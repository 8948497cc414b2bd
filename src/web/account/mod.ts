/**
 * The account page's server side: what users see and change of their account.
 *
 * Imports config, store, queue, delivery's rulesets, admin's functions, and http and login beside it.
 * Called by serve/, which gives it the page and puts it on listeners.
 *
 * @module
 */
import { accountCalls } from "../../../webmail/account/api.ts";
import { type AuditLog, clientServices, randomPassword } from "../../admin/mod.ts";
import type { Config } from "../../config/mod.ts";
import type { JunkDay } from "../../delivery/junk_figures.ts";
import type { TrainingFigures } from "../../delivery/training.ts";
import { Log } from "../../log/mod.ts";
import { ensureDir, removeFile } from "../../platform/files.ts";
import type { LoginGuard, Outbound } from "../../net/mod.ts";
import type { Queue } from "../../queue/mod.ts";
import type { Webhooks } from "../../queue/webhooks/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import type { RightsChange } from "../../store/mailboxes/shares.ts";
import { minPasswordLength } from "../../store/logins/credentials.ts";
import { type CallHandlers, HttpError, UserError, type WebHandler } from "../http/mod.ts";
import {
  type Login,
  newPassword,
  type PageContext,
  pageHandler,
  type Sessions,
} from "../login/mod.ts";
import { changeAccount, checkedDestination, destinationsOf, junkOf, setJunk } from "./settings.ts";
import type { LoginLog } from "../../store/logins/attempts.ts";
import type { TlsKeys } from "../../store/logins/tls_keys.ts";
import { type CheckAgain, confirmUser, securityHandlers } from "./security.ts";
import { ImportJobs } from "./import_jobs.ts";
import { importFolder, transferHandlers, transferRoutes } from "./transfer.ts";
import { takeawayRoutes } from "./takeaway.ts";
import { tryRulesets } from "./try_rulesets.ts";
import { delegationHandlers } from "./delegation.ts";
import { encryptionHandlers } from "./encryption.ts";
import { onwardHandlers } from "./onward.ts";
import { webhookHandlers } from "./webhooks.ts";

export interface AccountPageOptions {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  webhooks: Webhooks | undefined;
  sessions: Sessions;
  login: Login;
  page: WebHandler;
  /** For messages on their way, on the file system of the accounts. */
  tempDir: string;
  /** Limits guessing of passwords. */
  limiter: LoginGuard;
  audit: AuditLog;
  /** Whether the user of an open page has proved again who they are. @throws UserError */
  checkAgain: CheckAgain;
  /** The name of the directory that has the password of a login name; undefined if it is here. */
  passwordElsewhere: (login: string) => string | undefined;
  /** The way to other servers, for imports. */
  outbound: Outbound;
  /** Undefined while the server starts. */
  tlsKeys: () => TlsKeys | undefined;
  loginLog: () => LoginLog | undefined;
  /** Notes that an account grants something to a user, before it does. */
  granting: (owner: string, user: string) => Promise<void>;
  /** Is told of rights that were changed. */
  rightsChanged: (c: RightsChange) => Promise<void>;
  /** What the account's junk filter has learned from; undefined if it has none. */
  trained: (account: Account) => Promise<TrainingFigures | undefined>;
  /** Days after which messages are removed by themselves, by mailbox. */
  retention: (account: Account) => { mailbox: string; days: number }[];
  /** How junk went on the last days. */
  junkDays: (account: string, days: number) => JunkDay[];
}

/** Most sessions and suppressions that are shown. */
const maxShown = 500;

/** The page of a running server. */
export interface AccountPage {
  handle: WebHandler;
  /** Makes its folder; what a server before left in it is removed. */
  open(): Promise<void>;
  /** Ends imports. */
  close(): Promise<void>;
}

/** The page and its calls. */
export function accountPage(o: AccountPageOptions): AccountPage {
  const { config } = o;

  async function withAccount<T>(name: string, fn: (a: Account) => T | Promise<T>): Promise<T> {
    const account = await o.accounts.open(name);
    try {
      return await fn(account);
    } finally {
      account.close();
    }
  }
  const settings = (c: PageContext) => {
    const a = config.account(c.session!.account);
    if (a === undefined) throw new HttpError(401, "the account is gone");
    return a;
  };

  const tempDir = importFolder(o.tempDir);
  const jobs = new ImportJobs({ accounts: o.accounts, tempDir, log: new Log("import") });
  const transfers = {
    accounts: o.accounts,
    jobs,
    outbound: o.outbound,
    login: o.login,
    tempDir,
    anyPort: config.acceptAllAccount !== undefined,
  };
  const handlers: CallHandlers<typeof accountCalls, PageContext> = {
    ...webhookHandlers({
      hooks: o.webhooks,
      settings,
      change: (c, fn) => changeAccount(config, c.session!.account, fn),
    }),
    ...onwardHandlers({
      config,
      settings,
      withAccount,
      change: (c, fn) => changeAccount(config, c.session!.account, fn),
    }),
    ...delegationHandlers({
      config,
      settings,
      withAccount,
      granting: o.granting,
      rightsChanged: o.rightsChanged,
      change: (c, fn) => changeAccount(config, c.session!.account, fn),
    }),
    ...encryptionHandlers({ withAccount }),
    ...transferHandlers({ ...transfers, withAccount }),
    ...securityHandlers({
      config,
      limiter: o.limiter,
      checkAgain: o.checkAgain,
      sessions: o.sessions,
      challenges: o.login.challenges,
      tlsKeys: o.tlsKeys,
      loginLog: o.loginLog,
      withAccount,
    }),
    JunkDays: ({ days }, c) => ({ days: o.junkDays(c.session!.account, days) }),
    PasskeyChallenge: () => ({ challenge: o.login.challenge() }),
    async PasskeyLogin(answer, c) {
      const { account, login, cookie } = await o.login.loginWithPasskey(c.req, answer);
      c.setCookie(cookie);
      return { account, loginAddress: login };
    },
    async Login(form, c) {
      const { account, cookie } = await o.login.login(c.req, { ...form, code: form.totp });
      c.setCookie(cookie);
      return { account };
    },
    Session: (_r, c) => ({ account: c.session?.account ?? null }),
    Logout(_r, c) {
      c.setCookie(o.login.logout(c.req));
      return {};
    },
    async Overview(_r, c) {
      const a = settings(c);
      const name = c.session!.account;
      const { usage, mailboxes, retention, trained, secondFactor } = await withAccount(
        name,
        async (account) => ({
          trained: await o.trained(account) ?? null,
          secondFactor: account.credentials.hasSecondFactor,
          usage: account.quota().messageSize.used,
          mailboxes: account.mailboxes().map((m) => m.name).sort(),
          retention: o.retention(account),
        }),
      );
      const quota = config.quotaMessageSize(name);
      return {
        account: name,
        loginAddress: c.session!.login,
        webmail: c.req.sibling("webmail") ?? null,
        fullName: a.FullName,
        keepWrittenTo: a.KeepWrittenTo,
        destinations: destinationsOf(a),
        mailboxes,
        usage,
        quota: quota === undefined || quota <= 0 ? null : quota,
        quotaWarnings: config.static.NoQuotaWarnings ? null : !a.NoQuotaWarnings,
        retention,
        maxOutgoingPerDay: a.MaxOutgoingMessagesPerDay,
        maxFirstTimeRecipientsPerDay: a.MaxFirstTimeRecipientsPerDay,
        junk: junkOf(a),
        trained,
        secondFactor,
        noCustomPassword: a.NoCustomPassword,
        sessions: o.sessions.list(name).slice(0, maxShown).map((s) => ({
          id: s.id,
          service: s.service,
          lastUsed: s.lastUsed,
          userAgent: s.userAgent,
          remoteIp: s.remoteIp,
          current: s.id === c.session!.id,
        })),
        suppressions: o.queue.suppressions(name).slice(0, maxShown),
        clients: config.domain(a.Domain) === undefined ? [] : clientServices(config, a.Domain),
      };
    },
    async QuotaWarningsSet({ on }, c) {
      await changeAccount(config, c.session!.account, (a) => a.NoQuotaWarnings = !on);
      return {};
    },
    async WrittenToSet({ on }, c) {
      await changeAccount(config, c.session!.account, (a) => a.KeepWrittenTo = on);
      return {};
    },
    async FullNameSet({ fullName }, c) {
      await changeAccount(config, c.session!.account, (a) => a.FullName = fullName);
      return {};
    },
    async PasswordSet({ current, password, totp }, c) {
      const a = settings(c);
      const directory = o.passwordElsewhere(c.session!.login);
      if (directory !== undefined) {
        throw new UserError(`the password is that of the directory ${directory}: change it there`);
      }
      const made = password === "";
      if (!made && a.NoCustomPassword) {
        throw new UserError(
          "passwords of this account are made by the server: leave the new one empty",
        );
      }
      const next = made ? randomPassword() : newPassword(password);
      if (next.length < minPasswordLength) {
        throw new UserError(`a password has at least ${minPasswordLength} characters`);
      }
      await withAccount(c.session!.account, async (account) => {
        // Someone who finds an open page must not be able to take the account over.
        await confirmUser(o, c, account, { current, totp });
        await account.credentials.setPassword(next, c.session!.id);
      });
      return { password: made ? next : null };
    },
    async DestinationSet({ destination }, c) {
      const checked = checkedDestination(destination);
      await changeAccount(config, c.session!.account, (a) => {
        const d = a.Destinations.get(destination.address);
        if (d === undefined) {
          throw new UserError(`${destination.address} is not an address of yours`);
        }
        Object.assign(d, checked);
      });
      return {};
    },
    RulesetTry: ({ destination, message }) => tryRulesets(destination, message),
    async JunkSet({ junk }, c) {
      await changeAccount(config, c.session!.account, (a) => setJunk(a, junk));
      return {};
    },
    SessionEnd({ id }, c) {
      if (!o.sessions.end(c.session!.account, id)) throw new HttpError(404, "no such session");
      return {};
    },
    async SuppressionAdd({ address, reason }, c) {
      if (!address.includes("@")) throw new UserError(`${address} is not an address`);
      const added = await o.queue.suppress({
        account: c.session!.account,
        address,
        manual: true,
        reason,
      });
      if (!added) throw new UserError(`${address} is on the list already`);
      return {};
    },
    async SuppressionRemove({ address }, c) {
      if (!await o.queue.unsuppress(c.session!.account, address)) {
        throw new UserError(`${address} is not on the list`);
      }
      return {};
    },
  };
  const routes = transferRoutes(transfers);
  const collections = takeawayRoutes(transfers);
  const page = pageHandler({
    login: o.login,
    calls: accountCalls,
    handlers,
    open: ["Login", "PasskeyChallenge", "PasskeyLogin", "Session", "Logout"],
    page: o.page,
    around: (name, _request, c, run) =>
      o.audit.run({ who: c.session!.account, from: c.req.remoteIp }, name, {}, run, true),
    pkg: "account",
  });
  return {
    handle: (req) => routes(req) ?? collections(req) ?? page(req),
    async open() {
      await ensureDir(tempDir);
      for await (const e of Deno.readDir(tempDir)) if (e.isFile) removeFile(`${tempDir}/${e.name}`);
    },
    close: () => jobs.close(),
  };
}
