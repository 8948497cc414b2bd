/**
 * Remains of removed accounts and domains: folders that sessions still had open are deleted when the sessions have
 * ended; rights that others had granted to accounts are revoked, their scripts deleted, and tokens for domains withdrawn,
 * as a new account or domain may get the same name.
 *
 * @module
 */
import { AdminTokens, finishRemovals } from "../admin/mod.ts";
import type { Config } from "../config/mod.ts";
import type { SieveDatabase } from "../delivery/sieve/database.ts";
import type { Log } from "../log/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { forgetIdentifier } from "../store/mailboxes/rights.ts";
import type { Shares } from "../store/mailboxes/shares.ts";

/** Whether a name is that of an account or domain which nothing was left of a former one for. */
type IsThere = (name: string) => boolean;

/** Milliseconds between checks. */
const interval = 60_000;

/** Revokes rights granted to accounts that no longer exist. */
export async function forgetRights(
  config: Config,
  accounts: Accounts,
  shares: Shares,
  isAccount: IsThere = (name) => config.account(name) !== undefined,
): Promise<void> {
  for (const name of shares.names()) {
    if (isAccount(name)) continue;
    for (const owner of shares.owners(name)) {
      if (!config.isHere(owner)) continue;
      const account = await accounts.open(owner);
      try {
        await forgetIdentifier(account, name);
        await (await account.groupware()).forgetGrants(name);
      } finally {
        account.close();
      }
    }
    await shares.forget(name);
  }
}

/** Scripts of accounts that no longer exist. */
async function forgetScripts(sieve: SieveDatabase, isAccount: IsThere): Promise<void> {
  for (const name of sieve.accounts()) if (!isAccount(name)) await sieve.forget(name);
}

/** Names that were removed, until what is left of them is. */
class Gone {
  readonly #names = new Set<string>();

  add(names: readonly string[]): void {
    for (const name of names) this.#names.add(name);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Those so far. @returns function that forgets them */
  sofar(): () => void {
    const names = [...this.#names];
    return () => names.forEach((name) => this.#names.delete(name));
  }
}

/**
 * Checks now, for remains from the last process, when the program has removed something, and periodically. A name that
 * was removed by editing domains.conf and is there again at the next check keeps what it had.
 * @param forgetMore removes what is kept of removed accounts elsewhere
 * @returns function that stops it
 */
export function watchRemovals(
  config: Config,
  accounts: Accounts,
  shares: Shares,
  sieve: SieveDatabase,
  log: Log,
  forgetMore: () => Promise<void>,
): () => void {
  const tokens = new AdminTokens(config.dataDir);
  const [goneAccounts, goneDomains] = [new Gone(), new Gone()];
  const isAccount = (name: string) => config.account(name) !== undefined && !goneAccounts.has(name);
  const isDomain = (name: string) => {
    const there = config.domain(name)?.name.unicode;
    return there !== undefined && !goneDomains.has(there);
  };
  let tokensFailed = false;
  const clean = async () => {
    const done = [goneAccounts.sofar(), goneDomains.sofar()];
    await finishRemovals(config, accounts, log);
    await forgetRights(config, accounts, shares, isAccount);
    await forgetScripts(sieve, isAccount);
    await forgetMore();
    await tokens.keepDomains(isDomain).then(() => tokensFailed = false, (err) => {
      if (!tokensFailed) log.error("tokens of removed domains", { err });
      tokensFailed = true;
    });
    done.forEach((forget) => forget());
  };
  let [running, again] = [false, false];
  const look = async () => {
    if (running) return void (again = true);
    running = true;
    try {
      do {
        again = false;
        await clean();
      } while (again);
    } catch (err) {
      log.error("looking for removed accounts", { err: err as Error });
    } finally {
      running = false;
    }
  };
  void look();
  const timer = setInterval(() => void look(), interval);
  Deno.unrefTimer(timer as unknown as number);
  const unfollow = config.onChange(({ accounts, domains }, edited) => {
    if (edited || accounts.removed.length + domains.removed.length === 0) return;
    goneAccounts.add(accounts.removed);
    goneDomains.add(domains.removed);
    void look();
  });
  return () => {
    clearInterval(timer);
    unfollow();
  };
}
