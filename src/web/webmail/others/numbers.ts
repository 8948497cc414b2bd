/**
 * Numbers of the accounts that share mail with a user, in whose account they are kept: ids in the page are made with
 * them. A number is never given to another account, so that a page that was open for long acts on nothing else.
 *
 * @module
 */
import * as v from "valibot";
import { accountSetting, changeAccountSetting } from "../../../store/account/settings.ts";
import type { Account } from "../../../store/account/account.ts";
import { baseOf } from "./ids.ts";

/** Where they are in the account's settings. */
const setting = "webmailOwners";
/** The highest number: ids made with it are still exact, and have at most 15 digits. */
const maxNumber = 99_999;
/** Accounts whose numbers are kept; those that share no more are forgotten beyond it. */
const maxKept = 200;

const Kept = v.object({
  last: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  numbers: v.record(v.string(), v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
});
type Kept = v.InferOutput<typeof Kept>;

function kept(value: unknown): Kept {
  const r = v.safeParse(Kept, value);
  return r.success ? r.output : { last: 0, numbers: {} };
}

const numbersIn = (account: Account) => kept(accountSetting(account, setting)).numbers;

/** The account that a number was assigned to. */
export function ownerWithNumber(user: Account, number: number): string | undefined {
  return Object.entries(numbersIn(user)).find(([, n]) => n === number)?.[0];
}

/** An id of an account as used in the user's pages; an id that doesn't exist if the account has no number. */
export function pageId(user: Account, owner: string, id: number): number {
  if (owner === user.name) return id;
  const numbers = numbersIn(user);
  return baseOf(Object.hasOwn(numbers, owner) ? numbers[owner] : maxNumber + 1) + id;
}

/** The numbers of accounts; those that have none get one. Durable when it resolves. */
export async function ownerNumbers(
  user: Account,
  owners: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const known = numbersIn(user);
  if (owners.some((o) => !Object.hasOwn(known, o))) {
    await changeAccountSetting(user, setting, (before) => withOwners(kept(before), owners));
  }
  const now = numbersIn(user);
  return new Map(owners.filter((o) => Object.hasOwn(now, o)).map((o) => [o, now[o]]));
}

function withOwners({ last, numbers }: Kept, owners: readonly string[]): Kept {
  const wanted = new Set(owners);
  const all = Object.entries(numbers);
  const rest = all.length + owners.length > maxKept ? all.filter(([o]) => wanted.has(o)) : all;
  const now = new Map(rest);
  for (const owner of owners) {
    if (!now.has(owner) && last < maxNumber) now.set(owner, ++last);
  }
  return { last, numbers: Object.fromEntries(now) };
}
