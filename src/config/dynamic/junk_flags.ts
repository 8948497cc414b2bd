/** The flags that messages get by the mailbox they come into. @module */
import type { Account } from "./account.ts";
import { compileRegExp, type StepBudget } from "../sconf/regexp.ts";

/** What a mailbox says of its messages; `neutral` clears both flags. */
export type JunkMark = "junk" | "neutral" | "notJunk";

/** Steps of the three expressions on one name: some 25 ms, a thousand times of what they mostly take. */
const maxSteps = 500_000;

/**
 * What AutomaticJunkFlags say of a mailbox; undefined if flags are to be left alone.
 * @param isJunk the mailbox has that special use, whatever its name is: it may be in any language
 */
export function automaticJunkFlag(
  account: Account,
  mailbox: string,
  isJunk = false,
): JunkMark | undefined {
  const flags = account.AutomaticJunkFlags;
  if (!flags.Enabled) return undefined;
  if (isJunk) return "junk";
  const name = mailbox.toLowerCase();
  const rules: [string, JunkMark][] = [
    [flags.JunkMailboxRegexp, "junk"],
    [flags.NeutralMailboxRegexp, "neutral"],
    [flags.NotJunkMailboxRegexp, "notJunk"],
  ];
  const budget: StepBudget = { left: maxSteps };
  for (const [pattern, mark] of rules) {
    if (pattern !== "" && compileRegExp(pattern).test(name, budget)) return mark;
  }
  // Two expressions leave the rest to the third.
  const unset = rules.filter(([pattern]) => pattern === "");
  return unset.length === 1 ? unset[0][1] : undefined;
}
