/**
 * Limits simultaneous exports of an account: each packs as fast as it is read, and some need a copy of a mailbox on disk
 * meanwhile.
 *
 * @module
 */
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { HttpError } from "../http/mod.ts";

/** Simultaneous exports of one account; more are refused. */
const maxExports = 4;

const running = new Map<string, number>();

/** Counts a new export. @returns function that ends it, which may be called repeatedly @throws HttpError 429 if there are too many */
export function beginExport(account: string): () => void {
  const count = running.get(account) ?? 0;
  if (count >= maxExports) {
    throw new HttpError(429, `${maxExports} exports are running already: wait for the end of one`, {
      "Retry-After": "60",
    });
  }
  running.set(account, count + 1);
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    const left = running.get(account)! - 1;
    if (left > 0) running.set(account, left);
    else running.delete(account);
  };
}

/** Opens an account for an export; call `release` at its end. @throws HttpError 429; StoreError as opening does */
export async function openForExport(
  accounts: Accounts,
  name: string,
): Promise<{ account: Account; release: () => void }> {
  const ended = beginExport(name);
  try {
    const account = await accounts.open(name);
    const release = () => {
      ended();
      account.close();
    };
    return { account, release };
  } catch (err) {
    ended();
    throw err;
  }
}
