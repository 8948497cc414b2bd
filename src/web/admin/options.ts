/** Services used by the admin page. @module */
import type { AdminNode } from "../../../webmail/admin/api/nodes.ts";
import type { ScannerStates } from "./scanners.ts";
import { AdminError, type AdminTokens, type AuditLog, type RunningLists } from "../../admin/mod.ts";
import { type Config, ConfigError } from "../../config/mod.ts";
import type { Scripts } from "../../delivery/sieve/scripts.ts";
import type { Resolver } from "../../dns/mod.ts";
import type { LoginGuard, OpenConnection, Outbound } from "../../net/mod.ts";
import type { Queue } from "../../queue/mod.ts";
import type { Webhooks } from "../../queue/webhooks/mod.ts";
import type {
  DmarcEvaluations,
  DmarcReports,
  FailureReports,
  TlsReports,
  TlsResults,
} from "../../reports/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import type { LoginLog } from "../../store/logins/attempts.ts";
import type { FactorFile } from "../../store/logins/factor_file.ts";
import { HttpError, UserError, type WebHandler } from "../http/mod.ts";
import {
  confirm,
  type Login,
  type LoginResult,
  type PageContext,
  type Sessions,
} from "../login/mod.ts";
import type { Glance } from "./glance.ts";

/** What the page needs from a server that is a node. */
export interface NodesForAdmin {
  states(): Promise<AdminNode[]>;
  push(): Promise<{ name: string; error: string }[]>;
  moves(): { account: string; to: string; begun: number; decided: boolean; error: string }[];
  /** Resolves when the move has started. @throws Error with the reason if it can't */
  move(account: string, node: string): Promise<void>;
  /** @throws Error with the reason if it can't */
  cancel(account: string): Promise<void>;
}

export interface AdminPageOptions {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  /** Mailing lists; undefined while the server starts. */
  lists: () => RunningLists | undefined;
  webhooks: Webhooks | undefined;
  sessions: Sessions;
  login: Login;
  page: WebHandler;
  /** Limits password guessing. */
  limiter: LoginGuard;
  audit: AuditLog;
  /** Tokens of the API. */
  tokens: AdminTokens;
  /** The administrator's second factor. */
  factor: FactorFile;
  /** Checks the administrator's password and code. */
  check(form: { password: string; code?: string }, remoteIp: string): Promise<LoginResult>;
  version: string;
  /** The endpoints, as text. */
  listeners: () => string[];
  /** Open connections of all listeners. */
  connections: () => OpenConnection[];
  glance: Glance;
  /** Undefined if there is no DNS. */
  resolver: Resolver | undefined;
  /** The same, without a cache. */
  freshResolver?: () => Resolver;
  /** Sieve scripts of the accounts. */
  scripts: Scripts;
  /** Outgoing connections, for fetching policies. */
  outbound: Outbound;
  /** Undefined if none are received. */
  reports:
    | {
      dmarc: DmarcReports;
      failures: FailureReports;
      tls: TlsReports;
      evaluations: DmarcEvaluations;
    }
    | undefined;
  /** Results of own connections; undefined if none are reported. */
  tlsResults: TlsResults | undefined;
  /** Undefined while the server starts. */
  loginLog: () => LoginLog | undefined;
  scanners: ScannerStates;
  /** What an account's retention rules would remove now. @param own rules in place of the account's */
  agedMail: (
    account: Account,
    own: { Retention: ReadonlyMap<string, number>; LegalHold: boolean },
  ) => Promise<{ mailbox: string; days: number; messages: number; size: number }[]>;
  /** Whether the node has a standby, and whether it follows. */
  standby?: () => "none" | "follows" | "away";
  /** Undefined while the server starts, and without nodes. */
  nodes?: () => NodesForAdmin | undefined;
  certificates: () => {
    name: string;
    from: string;
    notAfter: number | undefined;
    next: number | undefined;
    failures: number;
    error: string | undefined;
  }[];
  /** MTA-STS policies of other domains. */
  stsPolicies: () => {
    domain: string;
    mode: string;
    fetched: number;
    expires: number;
    mx: string[];
  }[];
}

/** Runs an administrator's action: its error messages are meant for the administrator. */
export async function withAdminErrors<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (e) {
    if (e instanceof AdminError) throw new UserError(e.message, { cause: e });
    if (e instanceof ConfigError) {
      throw new UserError(e.problems.map((p) => p.message).join("; "), { cause: e });
    }
    throw e;
  }
}

/** Requires the administrator to authenticate again. @throws UserError, HttpError 429 */
export async function confirmAdmin(
  o: Pick<AdminPageOptions, "limiter" | "check">,
  context: PageContext,
  given: { current: string; totp?: string },
): Promise<void> {
  const form = { password: given.current, code: given.totp };
  await confirm(
    o.limiter,
    context.req,
    { service: "webadmin", login: "(admin)" },
    () => o.check(form, context.req.remoteIp),
  );
}

/** Runs with an account open. @throws HttpError 404 if no account of that name is configured */
export async function withAccount<T>(
  o: Pick<AdminPageOptions, "config" | "accounts">,
  name: string,
  run: (account: Account) => T | Promise<T>,
): Promise<T> {
  if (o.config.account(name) === undefined) throw new HttpError(404, `no account ${name}`);
  const account = await o.accounts.open(name);
  try {
    return await run(account);
  } finally {
    account.close();
  }
}

/** Bytes of an account's messages; null if it has no data yet, or another node has it. */
export async function usageOf(
  o: Pick<AdminPageOptions, "config" | "accounts">,
  name: string,
): Promise<number | null> {
  if (!o.config.isHere(name) || !o.accounts.names().includes(name)) return null;
  return await withAccount(
    o,
    name,
    (a) => a.quota().messageSize.used,
  );
}
