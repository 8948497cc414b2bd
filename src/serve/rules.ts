/** The configuration of an account, in the store's terms. @module */
import { automaticJunkFlag, type Config } from "../config/mod.ts";
import type { AccountRules } from "../store/account/writer.ts";
import { Flag, SpecialUse } from "../store/types.ts";

/** Rules of an account, read at each use as domains.conf may change; undefined if there are none, or another node has it. */
export function accountRules(config: Config, name: string): AccountRules | undefined {
  if (!config.isHere(name)) return undefined;
  return {
    initialMailboxes: () =>
      config.initialMailboxes().map((mailbox) => ({
        name: mailbox.name,
        specialUse: mailbox.specialUse === undefined ? 0 : SpecialUse[mailbox.specialUse],
      })),
    quotaMessageSize: () => config.quotaMessageSize(name),
    quotaMessages: () => config.quotaMessages(name),
    quotaMailboxes: () => config.quotaMailboxes(name),
    junkFlags(mailbox) {
      const account = config.account(name);
      const isJunk = (mailbox.specialUse & SpecialUse.Junk) !== 0;
      const mark = account && automaticJunkFlag(account, mailbox.name, isJunk);
      if (mark === undefined) return undefined;
      return mark === "junk" ? Flag.Junk : mark === "notJunk" ? Flag.NotJunk : 0;
    },
  };
}
