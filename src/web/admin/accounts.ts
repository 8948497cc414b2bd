/** Accounts: their addresses, limits, passwords and logins. @module */
import type { accountsCalls } from "../../../webmail/admin/api/accounts.ts";
import * as admin from "../../admin/mod.ts";
import { tryChange } from "../../config/mod.ts";
import { listAppPasswords } from "../../store/logins/app_passwords.ts";
import { listPasskeys } from "../../store/logins/passkeys.ts";
import { type CallHandlers, HttpError, UserError } from "../http/mod.ts";
import { newPassword, type PageContext } from "../login/mod.ts";
import { type AdminPageOptions, usageOf, withAccount, withAdminErrors } from "./options.ts";

const listOf = (rules: ReadonlyMap<string, number>) =>
  [...rules].map(([mailbox, days]) => ({ mailbox, days }));

export function accountHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof accountsCalls, PageContext> {
  const { config } = options;

  const listed = async (name: string) => {
    const a = config.account(name);
    if (a === undefined) throw new HttpError(404, `there is no account ${name}`);
    return {
      name,
      fullName: a.FullName,
      loginDisabled: a.LoginDisabled,
      addresses: config.accountAddresses(name),
      usage: await usageOf(options, name),
      quota: config.quotaMessageSize(name) ?? null,
    };
  };

  async function setPassword(name: string, password: string): Promise<void> {
    await withAccount(options, name, (a) => a.credentials.setPassword(newPassword(password)));
    options.sessions.endAll(name);
  }
  return {
    async Accounts() {
      const accounts = [];
      for (const name of config.dynamic.Accounts.keys()) accounts.push(await listed(name));
      return { accounts };
    },
    async Account({ name }) {
      const shown = await listed(name);
      const conf = config.account(name)!;
      const own = conf.QuotaMessageSize;
      return {
        ...shown,
        domain: conf.Domain,
        maxOutgoing: conf.MaxOutgoingMessagesPerDay,
        maxFirstTime: conf.MaxFirstTimeRecipientsPerDay,
        quota: own < 0 ? null : own,
        defaultQuota: config.static.QuotaMessageSize || null,
        effectiveQuota: config.quotaMessageSize(name) ?? null,
        noFirstTimeSenderDelay: conf.NoFirstTimeSenderDelay,
        noCustomPassword: conf.NoCustomPassword,
        maxHourly: conf.MaxOutgoingMessagesPerHour,
        legalHold: conf.LegalHold,
        retention: listOf(conf.Retention),
        serverRetention: listOf(config.static.Retention),
        sentToday: options.queue.sentInDay(name),
        sessions: options.sessions.list(name),
        ...await withAccount(options, name, (account) => ({
          messages: account.mailboxes().reduce((sum, m) => sum + m.total, 0),
          mailboxes: account.mailboxes().length,
          secondFactor: account.credentials.hasSecondFactor,
          appPasswords: listAppPasswords(account.db).length,
          passkeys: listPasskeys(account).length,
        })),
      };
    },
    async AccountAdd({ name, address }) {
      await withAdminErrors(() => admin.addAccount(config, options.accounts, name, address));
      const password = admin.randomPassword();
      await setPassword(name, password);
      return { password };
    },
    async AccountRemove({ name }) {
      await withAdminErrors(() => admin.removeAccount(config, options.accounts, name));
      options.sessions.endAll(name);
      return {};
    },
    async AccountDisable({ name, text }, { ofDomains }) {
      await withAdminErrors(() =>
        text === ""
          ? admin.enableLogin(config, name)
          : admin.disableLogin(config, name, text, ofDomains)
      );
      if (text !== "") options.sessions.endAll(name);
      return {};
    },
    async AccountSet({ name, quota, ...settings }) {
      await withAdminErrors(() =>
        admin.setAccount(config, name, { ...settings, quota: quota ?? -1 })
      );
      return {};
    },
    async AccountKeepingSet({ name, ...keeping }) {
      await withAdminErrors(() => admin.setKeeping(config, name, keeping));
      return {};
    },
    async AccountAged({ name, ...keeping }) {
      // Rules that the configuration would refuse give no result either.
      await withAdminErrors(() => tryChange(() => admin.setKeeping(config, name, keeping)));
      const own = {
        Retention: admin.retentionRules(keeping.retention),
        LegalHold: keeping.legalHold,
      };
      return { mailboxes: await withAccount(options, name, (a) => options.agedMail(a, own)) };
    },
    async AccountRoutesSet({ name, routes }) {
      await withAdminErrors(() => admin.setRoutes(config, { account: name }, routes));
      return {};
    },
    async AccountPassword({ name, password }) {
      const chosen = password ?? admin.randomPassword();
      if (chosen.length < 8) throw new UserError("a password has at least 8 characters");
      await setPassword(name, chosen);
      return { password: chosen };
    },
    AccountSessionsEnd({ name }) {
      options.sessions.endAll(name);
      return {};
    },
    async AddressAdd({ address, account }) {
      await withAdminErrors(() => admin.addAddress(config, address, account));
      return {};
    },
    async AddressRemove({ address }) {
      await withAdminErrors(() => admin.removeAddress(config, address));
      return {};
    },
    async SecondFactorRemove({ name }) {
      await withAccount(options, name, (a) => a.credentials.disableTotp());
      return {};
    },
  };
}
