/**
 * The mail of many accounts, from another IMAP server or from Maildirs on this machine: some at a time, each
 * continuing where it was when it is run again.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import type { Account } from "../../store/account/account.ts";
import { hasMessageId, importMessages, type ImportProgress } from "../../store/import/import.ts";
import {
  broughtBefore,
  type ImapOptions,
  ImapSource,
  rememberBrought,
} from "../../store/import/imap.ts";
import { Followed } from "../../store/import/followed.ts";
import { pathSource } from "../../store/import/path.ts";
import type { Source } from "../../store/import/sources.ts";
import { AdminError } from "../errors.ts";
import { csvRows } from "./users.ts";

/** The login on the other server for an account here. */
export interface Login {
  account: string;
  user: string;
  password: string;
}

/** The outcome for an account. */
export interface MovedMail {
  account: string;
  imported: number;
  duplicates: number;
  /** Messages whose flags were changed, or that were removed, as on the other server. */
  followed: number;
  warnings: string[];
  warningCount: number;
  /** Why it is incomplete; "" if it is complete. */
  error: string;
}

export interface MoveOptions {
  accounts: Accounts;
  tempDir: string;
  signal?: AbortSignal;
  /** Accounts at a time. */
  parallel: number;
  /** Called when an account starts. */
  begun?(account: string): void;
  /** Called when an account is done. */
  done(mail: MovedMail): void;
  /** Called periodically with an account's number of messages. */
  progress?(account: string, imported: number): void;
}

/** The first address with a localpart of an account; undefined if it has none. */
function addressOf(config: Config, account: string): string | undefined {
  return config.accountAddresses(account).find((a) => !a.startsWith("@"));
}

/** An account by its name or one of its addresses. @throws AdminError */
function accountNamed(config: Config, name: string): string {
  const found = config.account(name) ? name : config.accountFor(name);
  if (found === undefined) throw new AdminError(`no account ${name}`);
  return found;
}

/** The named accounts, by name or address; all if none is named. @throws AdminError */
export function accountsNamed(config: Config, names: readonly string[]): string[] {
  if (names.length === 0) return config.accountsHere();
  return [...new Set(names.map((n) => accountNamed(config, n)))];
}

/**
 * Logins of a master user, who may read the mail of others: `ann@example.org*master`.
 * @throws AdminError
 */
export function masterLogins(
  config: Config,
  names: readonly string[],
  master: { user: string; password: string; separator: string },
): Login[] {
  return accountsNamed(config, names).flatMap((account) => {
    const address = addressOf(config, account);
    if (address === undefined) return [];
    return [{
      account,
      user: `${address}${master.separator}${master.user}`,
      password: master.password,
    }];
  });
}

/** Logins in a table (CSV): account or address here, name there, password; with or without a header line. @throws AdminError */
export function tableLogins(config: Config, text: string): Login[] {
  const rows = csvRows(text);
  if (/^(?:account|address)$/i.test(rows[0]?.cells[0]?.trim() ?? "")) rows.shift();
  return rows.map(({ line, cells }) => {
    const [account, user, password] = cells.map((c) => c.trim());
    if (!account || !user || password === undefined || password === "") {
      throw new AdminError(`line ${line}: account, user and password are needed`);
    }
    try {
      return { account: accountNamed(config, account), user, password };
    } catch (err) {
      throw err instanceof AdminError ? new AdminError(`line ${line}: ${err.message}`) : err;
    }
  });
}

/**
 * Imports new mail for each login; returns when all are done. Imported mail stays, even if it is interrupted.
 * @param server with `follow`, later changes there to imported mail are carried over
 */
export async function moveByImap(
  options: MoveOptions,
  { follow, ...server }: Omit<ImapOptions, "user" | "password"> & { follow: boolean },
  logins: readonly Login[],
): Promise<MovedMail[]> {
  return await each(options, logins, async (login, signal) => {
    return await withAccount(options, login.account, async (account) => {
      const imap: ImapOptions = { ...server, user: login.user, password: login.password };
      const brought = broughtBefore(account, imap);
      const source = new ImapSource(imap, brought, signal, (id) => hasMessageId(account, id));
      const followed = await Followed.open(account, `${imap.user}@${imap.host}`);
      if (follow) source.follow = followed;
      try {
        const remember = async () => {
          await followed.durable();
          await rememberBrought(account, imap, brought);
        };
        const result = await importMessages(account, source.messages(), {
          ...common(options, login.account, signal),
          arrived: (list) => followed.note(list),
          stored: remember,
        });
        await remember();
        return { ...result, followed: followed.changes };
      } finally {
        await followed.close();
      }
    });
  });
}

/**
 * Folder of an account's Maildir by a pattern in Dovecot's syntax.
 * @param pattern with `%u` for the address, `%n` for the localpart, `%d` for the domain
 */
export function expandPattern(pattern: string, address: string): string {
  const at = address.lastIndexOf("@");
  const values: Record<string, string> = {
    u: address,
    n: address.slice(0, at),
    d: address.slice(at + 1),
    "%": "%",
  };
  return pattern.replace(/%([und%])/g, (_, letter: string) => values[letter]);
}

/** A Maildir of an account. */
export interface AccountFolder {
  account: string;
  folder: string;
}

/**
 * The existing Maildirs of accounts by a pattern.
 * @param names of accounts; all if none is named
 * @throws AdminError
 */
export async function maildirsOf(
  config: Config,
  pattern: string,
  names: readonly string[],
): Promise<AccountFolder[]> {
  if (!/%[und]/.test(pattern)) throw new AdminError("the path needs %u, or %n and %d");
  const folders: AccountFolder[] = [];
  for (const account of accountsNamed(config, names)) {
    for (const address of config.accountAddresses(account)) {
      if (address.startsWith("@")) continue;
      const folder = expandPattern(pattern, address);
      const there = await Deno.stat(folder).then((s) => s.isDirectory, () => false);
      if (there && !folders.some((f) => f.folder === folder)) folders.push({ account, folder });
    }
  }
  return folders;
}

/** Imports new messages from Maildirs. */
export async function moveMaildirs(
  options: MoveOptions,
  folders: readonly AccountFolder[],
): Promise<MovedMail[]> {
  return await moveSources(options, folders, async ({ folder }, signal) => {
    return (await pathSource(folder, "", { signal })).source;
  });
}

/** Imports new messages from a source for each account. */
export async function moveSources<T extends { account: string }>(
  options: MoveOptions,
  items: readonly T[],
  sourceOf: (item: T, signal: AbortSignal) => Promise<Source>,
): Promise<MovedMail[]> {
  return await each(options, items, async (item, signal) => {
    return await withAccount(options, item.account, async (open) => {
      const source = await sourceOf(item, signal);
      return {
        ...await importMessages(open, source, common(options, item.account, signal)),
        followed: 0,
      };
    });
  });
}

function common(options: MoveOptions, account: string, signal: AbortSignal) {
  return {
    mailbox: "",
    tempDir: options.tempDir,
    skipDuplicates: true,
    signal,
    keepOnFailure: () => true,
    progress: (p: ImportProgress) => options.progress?.(account, p.imported),
  };
}

async function withAccount<T>(
  options: MoveOptions,
  name: string,
  fn: (account: Account) => Promise<T>,
): Promise<T> {
  const account = await options.accounts.open(name);
  try {
    return await fn(account);
  } finally {
    account.close();
  }
}

/** Runs a limited number at a time; a failure doesn't affect the others. @throws the signal's reason */
async function each<T extends { account: string }>(
  options: MoveOptions,
  items: readonly T[],
  move: (item: T, signal: AbortSignal) => Promise<ImportProgress & { followed: number }>,
): Promise<MovedMail[]> {
  const signal = options.signal ?? new AbortController().signal;
  const results: MovedMail[] = [];
  const waiting = [...items];
  const work = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      if (signal.aborted) return;
      let result: MovedMail;
      options.begun?.(item.account);
      try {
        const p = await move(item, signal);
        result = {
          account: item.account,
          imported: p.imported,
          duplicates: p.duplicates,
          followed: p.followed,
          warnings: p.warnings,
          warningCount: p.warningCount,
          error: "",
        };
      } catch (err) {
        if (signal.aborted) return;
        const error = err instanceof Error ? err.message : String(err);
        result = {
          account: item.account,
          imported: 0,
          duplicates: 0,
          followed: 0,
          warnings: [],
          warningCount: 0,
          error,
        };
      }
      results.push(result);
      options.done(result);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.parallel) }, work));
  signal.throwIfAborted();
  return results;
}
