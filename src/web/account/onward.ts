/** Forwarding and vacation replies of an account, for its page. @module */
import type { onwardCalls } from "../../../webmail/account/onward_api.ts";
import type { Account as AccountConfig, Config } from "../../config/mod.ts";
import { parseAddress } from "../../config/names.ts";
import { isAway, readVacation, vacationSetting } from "../../delivery/vacation.ts";
import type { Account } from "../../store/account/account.ts";
import { accountSetting, changeAccountSetting } from "../../store/account/settings.ts";
import { forgetVacationReplies } from "../../store/account/vacation_replies.ts";
import { type CallHandlers, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";

interface Options {
  config: Config;
  settings(context: PageContext): AccountConfig;
  change(context: PageContext, fn: (config: AccountConfig) => void): Promise<void>;
  withAccount<T>(name: string, fn: (account: Account) => T | Promise<T>): Promise<T>;
}

/** An address to forward to, in its configured form. @throws UserError */
function checkedAddress(config: Config, account: string, given: string): string {
  const address = given.trim();
  try {
    parseAddress(address);
  } catch (e) {
    throw new UserError(`${address} is no address: ${(e as Error).message}`);
  }
  if (config.accountFor(address) === account) {
    throw new UserError(`${address} is your own address: mail can't be forwarded to where it is`);
  }
  return address;
}

/** Handlers of the page's calls. */
export function onwardHandlers(options: Options): CallHandlers<typeof onwardCalls, PageContext> {
  return {
    async Onward(_r, context) {
      const a = options.settings(context);
      const vacation = await options.withAccount(
        context.session!.account,
        (account) => readVacation(accountSetting(account, vacationSetting)),
      );
      return {
        forwarding: { to: a.ForwardTo, only: a.ForwardOnly },
        vacation,
        away: isAway(vacation, Date.now()),
      };
    },
    async ForwardingSet({ forwarding: { to, only } }, context) {
      const checked = [
        ...new Set(to.map((a) => checkedAddress(options.config, context.session!.account, a))),
      ];
      await options.change(context, (value) => {
        value.ForwardTo = checked;
        value.ForwardOnly = only && checked.length > 0;
      });
      return {};
    },
    async VacationSet({ vacation }, context) {
      if (vacation.enabled && vacation.text.trim() === "") {
        throw new UserError("a reply needs a text");
      }
      const { from, until } = vacation;
      if (from !== null && until !== null && until <= from) {
        throw new UserError("the end must be after the beginning");
      }
      await options.withAccount(context.session!.account, async (account) => {
        await changeAccountSetting(account, vacationSetting, () => vacation);
        await forgetVacationReplies(account);
      });
      return {};
    },
  };
}
