/**
 * Remains of removed accounts: folders that sessions still had open are deleted when the sessions have ended, and
 * rights that others had granted to them are revoked, as a new account may get the same name.
 *
 * @module
 */
import { finishRemovals } from "../admin/mod.ts";
import type { Config } from "../config/mod.ts";
import type { SieveDatabase } from "../delivery/sieve/database.ts";
import type { Log } from "../log/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import { forgetIdentifier } from "../store/mailboxes/rights.ts";
import type { Shares } from "../store/mailboxes/shares.ts";

/** Milliseconds between checks. */
const interval = 60_000;

/** Revokes rights granted to accounts that no longer exist. */
export async function forgetRights(
  config: Config,
  accounts: Accounts,
  shares: Shares,
): Promise<void> {
  for (const name of shares.names()) {
    if (config.account(name)) continue;
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
async function forgetScripts(config: Config, sieve: SieveDatabase): Promise<void> {
  for (const name of sieve.accounts()) if (!config.account(name)) await sieve.forget(name);
}

/**
 * Checks now, for remains from the last process, and periodically.
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
  let running: Promise<unknown> | undefined;
  const look = () => {
    running ??= finishRemovals(config, accounts, log)
      .then(() => forgetRights(config, accounts, shares))
      .then(() => forgetScripts(config, sieve))
      .then(forgetMore)
      .catch((err) => log.error("looking for removed accounts", { err: err as Error }))
      .finally(() => running = undefined);
  };
  look();
  const timer = setInterval(look, interval);
  Deno.unrefTimer(timer as unknown as number);
  return () => clearInterval(timer);
}
