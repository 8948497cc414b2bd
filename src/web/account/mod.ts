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
  /** Its other files by path: its texts in other languages. */
  files: ReadonlyMap<string, WebHandler>;
  /** Folder for messages being received, on the accounts' file system. */
  tempDir: string;
  /** Limits password guessing. */
  limiter: LoginGuard;
  audit: AuditLog;
  /** Checks the renewed authentication of an open page's user. @throws UserError */
  checkAgain: CheckAgain;
  /** The name of the directory that has the password of a login name; undefined if it is stored here. */
  passwordElsewhere: (login: string) => string | undefined;
  /** Outgoing connections, for imports. */
  outbound: Outbound;
  /** Undefined while the server starts. */
  tlsKeys: () => TlsKeys | undefined;
  loginLog: () => LoginLog | undefined;
  /** Records that an account will grant something to a user, before it does. */
  granting: (owner: string, user: string) => Promise<void>;
  /** Called when rights were changed. */
  rightsChanged: (change: RightsChange) => Promise<void>;
  /** The training data of the account's junk filter; undefined if it has none. */
  trained: (account: Account) => Promise<TrainingFigures | undefined>;
  /** Days after which messages are removed automatically, by mailbox. */
  retention: (account: Account) => { mailbox: string; days: number }[];
  /** Junk statistics of the last days. */
  junkDays: (account: string, days: number) => JunkDay[];
}

/** Most sessions and suppressions shown. */
const maxShown = 500;

/** The page of a running server. */
export interface AccountPage {
  handle: WebHandler;
  /** Creates its folder; leftovers of an earlier run are removed. */
  open(): Promise<void>;
  /** Aborts imports. */
  close(): Promise<void>;
}

/** The page and its calls. */
export function accountPage(options: AccountPageOptions): AccountPage {
  const { config } = options;

  async function withAccount<T>(
    name: string,
    fn: (account: Account) => T | Promise<T>,
  ): Promise<T> {
    const account = await options.accounts.open(name);
    try {
      return await fn(account);
    } finally {
      account.close();
    }
  }
  const settings = (context: PageContext) => {
    const a = config.account(context.session!.account);
    if (a === undefined) throw new HttpError(401, "the account is gone");
    return a;
  };

  const tempDir = importFolder(options.tempDir);
  const jobs = new ImportJobs({ accounts: options.accounts, tempDir, log: new Log("import") });
  const transfers = {
    accounts: options.accounts,
    jobs,
    outbound: options.outbound,
    login: options.login,
    tempDir,
    anyPort: config.acceptAllAccount !== undefined,
  };
  const handlers: CallHandlers<typeof accountCalls, PageContext> = {
    ...webhookHandlers({
      hooks: options.webhooks,
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
      granting: options.granting,
      rightsChanged: options.rightsChanged,
      change: (c, fn) => changeAccount(config, c.session!.account, fn),
    }),
    ...encryptionHandlers({ withAccount }),
    ...transferHandlers({ ...transfers, withAccount }),
    ...securityHandlers({
      config,
      limiter: options.limiter,
      checkAgain: options.checkAgain,
      sessions: options.sessions,
      challenges: options.login.challenges,
      tlsKeys: options.tlsKeys,
      loginLog: options.loginLog,
      withAccount,
    }),
    JunkDays: ({ days }, c) => ({ days: options.junkDays(c.session!.account, days) }),
    PasskeyChallenge: () => ({ challenge: options.login.challenge() }),
    async PasskeyLogin(answer, context) {
      const { account, login, cookie } = await options.login.loginWithPasskey(context.req, answer);
      context.setCookie(cookie);
      return { account, loginAddress: login };
    },
    async Login(form, context) {
      const { account, cookie } = await options.login.login(context.req, {
        ...form,
        code: form.totp,
      });
      context.setCookie(cookie);
      return { account };
    },
    Session: (_r, c) => ({ account: c.session?.account ?? null }),
    Logout(_r, context) {
      context.setCookie(options.login.logout(context.req));
      return {};
    },
    async Overview(_r, context) {
      const a = settings(context);
      const name = context.session!.account;
      const { usage, mailboxes, retention, trained, secondFactor } = await withAccount(
        name,
        async (account) => ({
          trained: await options.trained(account) ?? null,
          secondFactor: account.credentials.hasSecondFactor,
          usage: account.quota().messageSize.used,
          mailboxes: account.mailboxes().map((m) => m.name).sort(),
          retention: options.retention(account),
        }),
      );
      const quota = config.quotaMessageSize(name);
      return {
        account: name,
        loginAddress: context.session!.login,
        webmail: context.req.sibling("webmail") ?? null,
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
        sessions: options.sessions.list(name).slice(0, maxShown).map((session) => ({
          id: session.id,
          service: session.service,
          lastUsed: session.lastUsed,
          userAgent: session.userAgent,
          remoteIp: session.remoteIp,
          current: session.id === context.session!.id,
        })),
        suppressions: options.queue.suppressions(name).slice(0, maxShown),
        clients: config.domain(a.Domain) === undefined ? [] : clientServices(config, a.Domain),
      };
    },
    async QuotaWarningsSet({ on }, context) {
      await changeAccount(config, context.session!.account, (a) => a.NoQuotaWarnings = !on);
      return {};
    },
    async WrittenToSet({ on }, context) {
      await changeAccount(config, context.session!.account, (a) => a.KeepWrittenTo = on);
      return {};
    },
    async FullNameSet({ fullName }, context) {
      await changeAccount(config, context.session!.account, (a) => a.FullName = fullName);
      return {};
    },
    async PasswordSet({ current, password, totp }, context) {
      const a = settings(context);
      const directory = options.passwordElsewhere(context.session!.login);
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
      await withAccount(context.session!.account, async (account) => {
        // Someone who finds an open page must not be able to take over the account.
        await confirmUser(options, context, account, { current, totp });
        await account.credentials.setPassword(next, context.session!.id);
      });
      return { password: made ? next : null };
    },
    async DestinationSet({ destination }, context) {
      const checked = checkedDestination(destination);
      await changeAccount(config, context.session!.account, (value) => {
        const d = value.Destinations.get(destination.address);
        if (d === undefined) {
          throw new UserError(`${destination.address} is not an address of yours`);
        }
        Object.assign(d, checked);
      });
      return {};
    },
    RulesetTry: ({ destination, message }) => tryRulesets(destination, message),
    async JunkSet({ junk }, context) {
      await changeAccount(config, context.session!.account, (a) => setJunk(a, junk));
      return {};
    },
    SessionEnd({ id }, context) {
      if (!options.sessions.end(context.session!.account, id)) {
        throw new HttpError(404, "no such session");
      }
      return {};
    },
    async SuppressionAdd({ address, reason }, context) {
      if (!address.includes("@")) throw new UserError(`${address} is not an address`);
      const added = await options.queue.suppress({
        account: context.session!.account,
        address,
        manual: true,
        reason,
      });
      if (!added) throw new UserError(`${address} is on the list already`);
      return {};
    },
    async SuppressionRemove({ address }, context) {
      if (!await options.queue.unsuppress(context.session!.account, address)) {
        throw new UserError(`${address} is not on the list`);
      }
      return {};
    },
  };
  const routes = transferRoutes(transfers);
  const collections = takeawayRoutes(transfers);
  const page = pageHandler({
    login: options.login,
    calls: accountCalls,
    handlers,
    open: ["Login", "PasskeyChallenge", "PasskeyLogin", "Session", "Logout"],
    page: options.page,
    around: (name, _request, c, run) =>
      options.audit.run({ who: c.session!.account, from: c.req.remoteIp }, name, {}, run, true),
    pkg: "account",
  });
  return {
    handle: (req) =>
      options.files.get(req.path)?.(req) ?? routes(req) ?? collections(req) ?? page(req),
    async open() {
      await ensureDir(tempDir);
      for await (const e of Deno.readDir(tempDir)) if (e.isFile) removeFile(`${tempDir}/${e.name}`);
    },
    close: () => jobs.close(),
  };
}
