/** Who may send with an account's addresses, and read its mailboxes, for its page. @module */
import type { delegationCalls, Level } from "../../../webmail/account/delegation_api.ts";
import type { Account as AccountConfig, Config } from "../../config/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { changeNotedRights } from "../../store/mailboxes/noted_rights.ts";
import { allRights, anyone, grantedRights } from "../../store/mailboxes/rights.ts";
import type { RightsChange } from "../../store/mailboxes/shares.ts";
import { StoreError } from "../../store/types.ts";
import { type CallHandlers, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";

interface Options {
  config: Config;
  settings(context: PageContext): AccountConfig;
  change(context: PageContext, fn: (config: AccountConfig) => void): Promise<void>;
  withAccount<T>(name: string, fn: (account: Account) => T | Promise<T>): Promise<T>;
  /** Records that an account will grant something to a user, before it does. */
  granting(owner: string, user: string): Promise<void>;
  /** Called when rights were changed. */
  rightsChanged(change: RightsChange): Promise<void>;
}

/** Rights of a level (RFC 4314 §2.1). */
const levels: Record<Level, string> = {
  none: "",
  read: "lrs",
  write: "lrswite",
  all: allRights,
};

/** Handlers of the page's calls. */
export function delegationHandlers(
  options: Options,
): CallHandlers<typeof delegationCalls, PageContext> {
  const { config } = options;
  /** The account of a name or an address. @throws UserError */
  const accountNamed = (own: string, given: string): string => {
    const text = given.trim();
    const name = config.account(text) ? text : config.accountFor(text);
    if (name === undefined) throw new UserError(`there is no account ${text} here`);
    if (name === own) throw new UserError(`${text} is your own account`);
    return name;
  };
  return {
    Delegation(_r, context) {
      const a = options.settings(context);
      const name = context.session!.account;
      return options.withAccount(name, (account) => {
        const mailboxes = account.mailboxes();
        return {
          sendAs: a.SendAs,
          sendOnBehalf: a.SendOnBehalf,
          sentCopies: a.SentCopies,
          mailboxes: mailboxes.map((m) => m.name).sort(),
          shared: mailboxes.flatMap((mailbox) =>
            grantedRights(account.db, mailbox.id).map((granted) => ({
              mailbox: mailbox.name,
              who: granted.identifier,
              rights: granted.rights,
            }))
          ),
          others: config.delegatedAddresses(name),
        };
      });
    },
    async DelegationSet({ sendAs, sendOnBehalf, sentCopies }, context) {
      const own = context.session!.account;
      const as = [...new Set(sendAs.map((n) => accountNamed(own, n)))];
      const behalf = [...new Set(sendOnBehalf.map((n) => accountNamed(own, n)))]
        .filter((n) => !as.includes(n));
      await options.change(context, (value) => {
        value.SendAs = as;
        value.SendOnBehalf = behalf;
        value.SentCopies = sentCopies;
      });
      return {};
    },
    async MailboxShare({ mailbox, who, level }, context) {
      const own = context.session!.account;
      // Rights of an account that no longer exists can still be revoked.
      const user = who === anyone || level === "none" && config.account(who) === undefined
        ? who
        : accountNamed(own, who);
      await options.withAccount(own, async (account) => {
        const all = account.mailboxes();
        const chosen = mailbox === "" ? all : all.filter((m) => m.name === mailbox);
        if (chosen.length === 0) throw new UserError(`there is no mailbox ${mailbox}`);
        if (level !== "none") await options.granting(own, user);
        try {
          const by = { account: own, login: context.session!.login };
          const note = { by, changed: (x: RightsChange) => options.rightsChanged(x) };
          for (const m of chosen) {
            await changeNotedRights(account, m, user, () => levels[level], note);
          }
        } catch (err) {
          if (err instanceof StoreError) throw new UserError(err.message, { cause: err });
          throw err;
        }
      });
      return {};
    },
  };
}
