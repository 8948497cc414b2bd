/** Who decides about messages that no account here gets. @module */
import type { Config, ListAddress } from "../../config/mod.ts";
import { plainDestination } from "../../config/dynamic/addresses.ts";
import type { Target } from "./plan.ts";

function judgedBy(account: string, canonical: string): Target {
  return {
    account,
    destination: plainDestination("Inbox"),
    reports: undefined,
    canonical,
    judgeOnly: true,
  };
}

/** The postmaster's account decides about what is nobody's here, with what it knows of senders. It gets nothing. */
export function postmasterJudge(config: Config, canonical: string): Target {
  return judgedBy(config.static.Postmaster.Account, canonical);
}

/**
 * Who decides about messages for a list: the postmaster's account, or where another node has that, an owner's or another
 * one of this node, as lists are at the node of their domain.
 */
export function listJudge(config: Config, list: ListAddress["list"]): Target {
  const { Account } = config.static.Postmaster;
  if (config.isHere(Account)) return judgedBy(Account, list.key);
  const owners = list.config.Owners.map((address) => config.accountFor(address));
  const account = owners.find((name) => name !== undefined && config.isHere(name)) ??
    config.dynamic.Accounts.keys().find((name) => config.isHere(name));
  return judgedBy(account ?? Account, list.key);
}
