/** Which account's filter judges messages that no account here receives. @module */
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

/** The postmaster's account judges messages without a local recipient, by its knowledge of senders. It gets no copy. */
export function postmasterJudge(config: Config, canonical: string): Target {
  return judgedBy(config.static.Postmaster.Account, canonical);
}

/**
 * Which account judges messages for a list: the postmaster's, or if that is on another node, an owner's or any other
 * one of this node, as lists live on the node of their domain.
 */
export function listJudge(config: Config, list: ListAddress["list"]): Target {
  const { Account } = config.static.Postmaster;
  if (config.isHere(Account)) return judgedBy(Account, list.key);
  const owners = list.config.Owners.map((address) => config.accountFor(address));
  const account = owners.find((name) => name !== undefined && config.isHere(name)) ??
    config.dynamic.Accounts.keys().find((name) => config.isHere(name));
  return judgedBy(account ?? Account, list.key);
}
