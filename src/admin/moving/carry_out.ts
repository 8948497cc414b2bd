/** Carrying out a plan for moving in: missing domains, the configuration in one step, passwords. @module */
import type { Config } from "../../config/mod.ts";
import { preparePassword } from "../../sasl/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { minPasswordLength } from "../../store/logins/credentials.ts";
import { parsePasswordHash } from "../../store/logins/password_hash.ts";
import { addDomain } from "../domains.ts";
import { changing } from "../errors.ts";
import type { Plan } from "./plan.ts";
import type { NewPassword } from "./plan_users.ts";

/** Adds missing domains, and makes the changes in one step. On disk and in effect when it resolves. @throws AdminError */
export async function carryOut(config: Config, plan: Plan): Promise<void> {
  for (const domain of plan.domains) {
    await addDomain(config, domain, { account: config.static.Postmaster.Account });
  }
  if (plan.changes.length === 0) return;
  await changing(() => config.writeDynamic((d) => plan.apply(d)));
}

/**
 * Sets passwords of accounts that have none; with `replace` those of all.
 * @param tell called for each that was set or not
 * @returns how many were set
 */
export async function setPasswords(
  accounts: Accounts,
  passwords: readonly NewPassword[],
  o: { replace: boolean; tell(line: string): void; signal?: AbortSignal },
): Promise<number> {
  let count = 0;
  for (const p of passwords) {
    o.signal?.throwIfAborted();
    const account = await accounts.open(p.account);
    try {
      if (account.credentials.hasPassword && !o.replace) continue;
      if (p.hash !== "") await account.credentials.setPasswordHash(p.hash);
      else {
        const prepared = preparePassword(p.password);
        if (prepared.length < minPasswordLength) {
          o.tell(
            `${p.account}: the password is shorter than ${minPasswordLength} characters: not set`,
          );
          continue;
        }
        await account.credentials.setPassword(prepared);
      }
      count++;
      const kind = p.hash === ""
        ? "password"
        : `password hash (${parsePasswordHash(p.hash)!.kind})`;
      o.tell(`${p.account}: ${kind} set`);
    } finally {
      account.close();
    }
  }
  return count;
}
