/**
 * What programs remember about an account besides mail: JSON values by name, such as a page's settings.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Account } from "./account.ts";

function all(account: Account): Record<string, unknown> {
  return JSON.parse(account.db.get("SELECT settings FROM state")![0]);
}

/** The value of a name; undefined if not set. */
export function accountSetting(account: Account, name: string): unknown {
  const values = all(account);
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** Replaces the value of a name by the result of the function. */
export function changeAccountSetting(
  account: Account,
  name: string,
  change: (before: unknown) => unknown,
): Promise<void> {
  return account.writer.write(() => {
    const values = all(account);
    const before = Object.hasOwn(values, name) ? values[name] : undefined;
    account.db.run(
      "UPDATE state SET settings = ?",
      JSON.stringify({ ...values, [name]: change(before) }),
    );
  });
}

/** 32 random bytes in hexadecimal, created once per name. Durable when it resolves. */
export async function accountSecret(account: Account, name: string): Promise<string> {
  const known = accountSetting(account, name);
  if (typeof known === "string") return known;
  const made = randomBytes(32).toString("hex");
  await changeAccountSetting(account, name, (before) => before ?? made);
  return accountSetting(account, name) as string;
}
