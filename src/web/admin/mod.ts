/**
 * The admin page's server side: domains, accounts, the queue and reports.
 *
 * Imports config, store, queue, reports, admin's functions, and http and login beside it. Called by
 * serve/, which gives it the page and puts it on listeners.
 *
 * @module
 */
import { adminCalls } from "../../../webmail/admin/api.ts";
import * as admin from "../../admin/mod.ts";
import { type Config, ConfigError } from "../../config/mod.ts";
import type { Resolver } from "../../dns/mod.ts";
import { clearLevel, currentLevels, isLevel, setLevel } from "../../log/mod.ts";
import { freeSpace } from "../../platform/files.ts";
import { memoryUse } from "../../platform/process.ts";
import type { Queue } from "../../queue/mod.ts";
import type { DmarcReports, TlsReports } from "../../reports/mod.ts";
import { preparePassword } from "../../sasl/mod.ts";
import type { LoginLog } from "../../store/login_attempts.ts";
import type { Accounts } from "../../store/accounts.ts";
import { type CallHandlers, HttpError, UserError, type WebHandler } from "../http/mod.ts";
import { type Login, type PageContext, pageHandler, type Sessions } from "../login/mod.ts";

export interface AdminPageOptions {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  sessions: Sessions;
  login: Login;
  page: WebHandler;
  version: string;
  /** What is listened on, in words. */
  listeners: () => string[];
  /** Undefined where there is no DNS. */
  resolver: Resolver | undefined;
  /** Undefined where none are received. */
  reports: { dmarc: DmarcReports; tls: TlsReports } | undefined;
  /** Undefined while the server starts. */
  loginLog: () => LoginLog | undefined;
  /** Those that come from an authority. */
  certificates: () => {
    name: string;
    authority: string;
    notAfter: number | undefined;
    next: number;
    failures: number;
    error: string | undefined;
  }[];
  /** MTA-STS policies of others. */
  stsPolicies: () => {
    domain: string;
    mode: string;
    fetched: number;
    expires: number;
    mx: string[];
  }[];
}

/** Items of the queue that are shown. */
const maxQueue = 1000;
/** Attempts to log in that are shown. */
const maxAttempts = 500;
/** Milliseconds that summaries of reports go back. */
const reportPeriod = 30 * 86_400_000;

/** Both configuration files as they are. Passwords and keys are in files of their own. */
async function configFiles(config: Config): Promise<{ static: string; dynamic: string }> {
  const read = (name: string) => Deno.readTextFile(config.configPath(name));
  return { static: await read("mox.conf"), dynamic: await read("domains.conf") };
}

/** Runs an administrator's action: what it says of mistakes is for the administrator. */
async function told<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (e) {
    if (e instanceof admin.AdminError || e instanceof ConfigError) {
      throw new UserError(e.message, { cause: e });
    }
    throw e;
  }
}

/** The page and its calls. */
export function adminPage(o: AdminPageOptions): WebHandler {
  const { config, queue } = o;
  const started = Date.now();

  async function usage(name: string): Promise<number | null> {
    if (!o.accounts.names().includes(name)) return null;
    const account = await o.accounts.open(name);
    try {
      return account.db.get("SELECT message_size FROM state")![0];
    } finally {
      account.close();
    }
  }

  async function setPassword(name: string, password: string): Promise<void> {
    const account = await o.accounts.open(name);
    try {
      await account.credentials.setPassword(preparePassword(password));
    } finally {
      account.close();
    }
    o.sessions.endAll(name);
  }

  const handlers: CallHandlers<typeof adminCalls, PageContext> = {
    async Login(form, c) {
      const { cookie } = await o.login.login(c.req, { ...form, code: form.totp });
      c.setCookie(cookie);
      return {};
    },
    Session: (_r, c) => ({ loggedIn: c.session !== undefined }),
    Logout(_r, c) {
      c.setCookie(o.login.logout(c.req));
      return {};
    },
    async Overview() {
      const accounts = [];
      for (const [name, a] of config.dynamic.Accounts) {
        accounts.push({
          name,
          loginDisabled: a.LoginDisabled,
          addresses: config.accountAddresses(name),
          usage: await usage(name),
        });
      }
      const files = await configFiles(config);
      return {
        version: o.version,
        hostname: config.static.Hostname,
        started,
        memory: memoryUse().resident,
        domains: [...config.dynamic.Domains].map(([name, d]) => ({ name, disabled: d.Disabled })),
        accounts,
        queue: queue.count(),
        logLevels: Object.entries(currentLevels()).map(([pkg, level]) => ({
          pkg,
          level: String(level),
        })),
        listeners: o.listeners(),
        staticConfig: files.static,
        dynamicConfig: files.dynamic,
      };
    },

    async Domain({ name }) {
      const entry = config.domain(name);
      if (entry === undefined) throw new HttpError(404, `no domain ${name}`);
      const records = await told(() => admin.domainRecords(config, name));
      return {
        name,
        disabled: entry.config.Disabled,
        description: entry.config.Description,
        aliases: [...entry.config.Aliases].map(([localpart, a]) => ({
          localpart,
          members: a.Addresses,
          postPublic: a.PostPublic,
          listMembers: a.ListMembers,
          allowMsgFrom: a.AllowMsgFrom,
        })),
        records: admin.formatZone(records).split("\n"),
        clients: admin.clientServices(config, name),
      };
    },
    async DomainAdd({ name, account }) {
      await told(() => admin.addDomain(config, name, { account, disabled: false }));
      return {};
    },
    async DomainRemove({ name }) {
      await told(() => admin.removeDomain(config, name));
      return {};
    },
    async DomainDisable({ name, disabled }) {
      await told(() => admin.setDomainDisabled(config, name, disabled));
      return {};
    },
    async DomainCheck({ name }) {
      const { resolver } = o;
      if (resolver === undefined) throw new UserError("this server uses no DNS");
      const check = await told(() => admin.checkDomainDns(config, name, { resolver }));
      return {
        parts: check.parts.map((p) => ({
          name: p.title,
          state: p.state,
          findings: [
            ...p.findings.map((f) => ({ state: f.level, text: f.message, fix: "" })),
            ...p.fix.map((fix) => ({ state: "fix", text: "", fix })),
          ],
        })),
      };
    },

    async AccountAdd({ name, address }) {
      await told(() => admin.addAccount(config, o.accounts, name, address));
      const password = admin.randomPassword();
      await setPassword(name, password);
      return { password };
    },
    async AccountRemove({ name }) {
      await told(() => admin.removeAccount(config, o.accounts, name));
      o.sessions.endAll(name);
      return {};
    },
    async AccountDisable({ name, text }) {
      await told(() =>
        text === "" ? admin.enableLogin(config, name) : admin.disableLogin(config, name, text)
      );
      if (text !== "") o.sessions.endAll(name);
      return {};
    },
    async AccountPassword({ name }) {
      if (config.account(name) === undefined) throw new HttpError(404, `no account ${name}`);
      const password = admin.randomPassword();
      await setPassword(name, password);
      return { password };
    },
    async AddressAdd({ address, account }) {
      await told(() => admin.addAddress(config, address, account));
      return {};
    },
    async AddressRemove({ address }) {
      await told(() => admin.removeAddress(config, address));
      return {};
    },
    async AliasAdd({ address, members, ...options }) {
      await told(() => admin.addAlias(config, address, members, options));
      return {};
    },
    async AliasRemove({ address }) {
      await told(() => admin.removeAlias(config, address));
      return {};
    },

    Queue() {
      const items = queue.list({}, { sort: "next", limit: maxQueue });
      return {
        total: queue.count(),
        items: items.flatMap((item) => {
          const m = queue.message(item.messageId);
          if (m === undefined) return [];
          const last = item.results.at(-1);
          return [{
            id: item.id,
            account: m.senderAccount,
            from: m.mailFrom,
            to: item.address,
            subject: m.subject ?? "",
            size: m.prefix.length + m.fileSize,
            queued: m.queued,
            next: item.nextAttempt,
            attempts: item.attempts,
            hold: item.hold,
            transport: item.transport ?? "",
            lastError: last === undefined ? "" : JSON.stringify(last).slice(0, 500),
          }];
        }),
      };
    },
    async QueueAct({ filter, action }) {
      const acts = {
        hold: () => queue.hold(filter, true),
        unhold: () => queue.hold(filter, false),
        now: () => queue.schedule(filter, Date.now()),
        fail: () => queue.fail(filter),
        drop: () => queue.drop(filter),
      };
      return { count: await acts[action]() };
    },

    DmarcReports() {
      const now = Date.now();
      const found = o.reports?.dmarc.summaries(now - reportPeriod, now) ?? [];
      return {
        domains: found.map((s) => ({
          domain: s.domain,
          total: s.total,
          dispositionNone: s.none,
          quarantine: s.quarantine,
          reject: s.reject,
          dkimFail: s.dkimFail,
          spfFail: s.spfFail,
        })),
      };
    },
    TlsReports() {
      const now = Date.now();
      const found = o.reports?.tls.list(now - reportPeriod, now) ?? [];
      return {
        reports: found.map((r) => ({
          id: r.id,
          organization: r.report.organizationName,
          domain: r.domain,
          begin: r.report.begin,
          success: r.report.policies.reduce((n, p) => n + p.totalSuccessfulSessionCount, 0),
          failure: r.report.policies.reduce((n, p) => n + p.totalFailureSessionCount, 0),
        })),
      };
    },

    LogLevelSet({ pkg, level }) {
      if (level === "default") clearLevel(pkg);
      else if (isLevel(level)) setLevel(pkg, level);
      else throw new UserError(`no log level ${level}`);
      return {};
    },
    async SecondFactorRemove({ name }) {
      if (config.account(name) === undefined) throw new HttpError(404, `no account ${name}`);
      const account = await o.accounts.open(name);
      try {
        await account.credentials.disableTotp();
      } finally {
        account.close();
      }
      return {};
    },
    async Host() {
      let used = 0;
      for (const name of o.accounts.names()) used += await usage(name) ?? 0;
      return {
        dataDir: config.dataDir,
        free: await freeSpace(config.dataDir),
        used,
        dnsbl: o.resolver ? await admin.dnsblStatus(config, o.resolver) : null,
      };
    },
    Security: () => ({
      attempts: o.loginLog()?.list(undefined, maxAttempts) ?? [],
      certificates: o.certificates().map((c) => ({
        name: c.name,
        authority: c.authority,
        notAfter: c.notAfter ?? null,
        next: c.next,
        failures: c.failures,
        error: c.error ?? "",
      })),
      policies: o.stsPolicies(),
    }),
    async PasswordSet({ password }, c) {
      await told(() => admin.writeAdminPassword(config, password));
      o.sessions.endAll("", c.session!.id);
      return {};
    },
  };
  return pageHandler({
    login: o.login,
    calls: adminCalls,
    handlers,
    open: ["Login", "Session", "Logout"],
    page: o.page,
    pkg: "admin",
  });
}
