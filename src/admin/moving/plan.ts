/** The changes of moving in to the configuration, as a list for review. @module */
import type { Dynamic } from "../../config/mod.ts";
import type { LineProblem } from "./users.ts";

/** Changes planned for a configuration. */
export interface Plan {
  /** A line for each change, for display. */
  changes: string[];
  problems: LineProblem[];
  /** Missing domains. */
  domains: string[];
  /** Makes the changes; the domains exist. */
  apply(dynamic: Dynamic): void;
}

/** Address of an account, by any of its addresses in lower case. */
export function ownersOf(dynamic: Dynamic): Map<string, string> {
  const owners = new Map<string, string>();
  for (const [name, account] of dynamic.Accounts) {
    for (const address of account.Destinations.keys()) {
      const full = address.includes("@") ? address : `${address}@${account.Domain}`;
      owners.set(full.toLowerCase(), name);
    }
  }
  return owners;
}

/** Addresses that are aliases, in lower case. */
export function aliasesOf(dynamic: Dynamic): Set<string> {
  const aliases = new Set<string>();
  for (const [domain, config] of dynamic.Domains) {
    for (const localpart of config.Aliases.keys()) {
      aliases.add(`${localpart}@${domain}`.toLowerCase());
    }
  }
  return aliases;
}
