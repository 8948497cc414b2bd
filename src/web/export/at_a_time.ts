/**
 * Exports of an account at a time: each packs as fast as it is read, and some keep a copy of a mailbox on the disk
 * meanwhile.
 *
 * @module
 */
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { HttpError } from "../http/mod.ts";

/** Exports of one account that run at a time; more are refused. */
const maxExports = 4;

const running = new Map<string, number>();

/** Counts an export in; what it gives counts it out, and may be called again. @throws HttpError 429 if there are too many */
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

/** Opens an account for an export, whose end `release` tells. @throws HttpError 429; StoreError as opening does */
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
