/** Who decides about messages that no account here gets. @module */
import type { Config } from "../../config/mod.ts";
import { plainDestination } from "../../config/dynamic/addresses.ts";
import type { Target } from "./plan.ts";

/** The postmaster's account decides about what is nobody's here, with what it knows of senders. It gets nothing. */
export function postmasterJudge(config: Config, canonical: string): Target {
  return {
    account: config.static.Postmaster.Account,
    destination: plainDestination("Inbox"),
    reports: undefined,
    canonical,
    judgeOnly: true,
  };
}
