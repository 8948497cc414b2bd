/** What an administrator's command is, and how it reads its arguments. @module */
import type { RunningLists } from "../../admin/mod.ts";
import type { SieveDatabase } from "../../delivery/sieve/database.ts";
import type { Config } from "../../config/mod.ts";
import type { Resolver } from "../../dns/mod.ts";
import type { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { ControlError, type Json } from "./control.ts";

/** What the commands operate on. */
export interface AdminContext {
  config: Config;
  accounts: Accounts;
  log: Log;
  /** The running server's outgoing connections; undefined if no server runs. */
  outbound?: Outbound;
  /** The running server's resolver; one without a cache. */
  freshResolver?: () => Resolver;
  /** The running server's mailing lists. */
  lists?: RunningLists;
  /** The running server's scripts; undefined if no server runs. */
  sieve?: SieveDatabase;
}

/** Prints to the terminal of the user who runs the command. */
export type Print = (text: string) => void;
/** Arguments by their names, as the subcommands send them. */
export type Arguments = { [name: string]: Json };
export type AdminCommand = (
  context: AdminContext,
  args: Arguments,
  print: Print,
  signal?: AbortSignal,
) => Promise<Json | void>;

/** A string argument. @throws ControlError */
export function textArgument(args: Arguments, name: string): string {
  const value = args[name];
  if (typeof value !== "string" || value === "") throw new ControlError(`${name} is missing`);
  return value;
}
