/** Rebuilding junk filters on request (`mox retrain`). @module */
import type { Config } from "../../config/mod.ts";
import { NoJunkFilterError, type Trainer } from "../../delivery/training.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { ControlError, type ControlHandler } from "../control/control.ts";

/** Handles `{"account": name}`; "" for all accounts that have a filter. */
export function retrainHandler(
  config: Config,
  accounts: Accounts,
  trainer: Trainer,
): ControlHandler {
  return async (args, print) => {
    const { account } = args as { account: string };
    if (account !== "" && !config.account(account)) throw new ControlError(`no account ${account}`);
    const names = account !== "" ? [account] : config.accountsHere();
    for (const name of names) {
      if (account === "" && !config.account(name)?.JunkFilter) continue;
      const open = await accounts.open(name);
      try {
        const { hams, spams } = await trainer.retrain(
          open,
          (done, total) => done % 1000 === 0 && print(`${name}: ${done} of ${total} messages\n`),
        );
        print(`${name}: filter trained with ${hams} ham and ${spams} spam messages\n`);
      } catch (err) {
        if (err instanceof NoJunkFilterError) throw new ControlError(err.message);
        throw err;
      } finally {
        open.close();
      }
    }
  };
}
