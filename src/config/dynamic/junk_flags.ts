/** The flags that messages get from the mailbox that they enter. @module */
import type { Account } from "./account.ts";
import { compileRegExp, type StepBudget } from "../sconf/regexp.ts";

/** How a mailbox marks its messages; `neutral` clears both flags. */
export type JunkMark = "junk" | "neutral" | "notJunk";

/** Steps of the three expressions on one name: some 25 ms, a thousand times what they usually take. */
const maxSteps = 500_000;

/**
 * The mark that AutomaticJunkFlags give a mailbox; undefined if flags must not be changed.
 * @param isJunk whether the mailbox has that special use, whatever its name: it may be in any language
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
  // If only two expressions are set, the third case covers the rest.
  const unset = rules.filter(([pattern]) => pattern === "");
  return unset.length === 1 ? unset[0][1] : undefined;
}
